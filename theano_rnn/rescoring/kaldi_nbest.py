"""Kaldi's n-best lists: text archives ``utt-1 word word …``, with costs in archives of their own.

``nbest-to-linear`` writes them. A cost is a negative natural logarithm of a probability.
"""

import os
import re
from collections.abc import Iterator

from theano_rnn.errors import CorpusError
from theano_rnn.files.text_files import TextInput
from theano_rnn.rescoring.nbest_lines import Hypothesis, NbestFormat, format_score, parse_score

RANKED_ID = re.compile(r"(.+)-([1-9][0-9]*)", re.DOTALL)
LM_WEIGHT = 10.0  # Kaldi's programs scale acoustic costs by 1/10 where nothing else is said
_FIRST_ID = re.compile(r"\S+-1(\s|$)")


class CostArchive:
    """Reads a text archive of costs, one line ``utt-1 12.34`` for each hypothesis, in the order of the hypotheses.

    Parameters
    ----------
    path : str or path-like

    Raises
    ------
    CorpusError
        If the file cannot be read or is empty.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        source = TextInput(path)
        self.name: str = source.name
        self._lines: Iterator[tuple[int, str]] = enumerate(source.lines(), 1)
        self._next = next(self._lines, None)  # so that a missing file is noticed before long work
        if self._next is None:
            raise CorpusError(f"{self.name}: is empty; each line needs an id and a cost")

    def cost(self, ranked_id: str, place: str) -> float:
        """Return the cost in the next line.

        Parameters
        ----------
        ranked_id : str
            The id of the hypothesis, which the line must have too.
        place : str
            The file and line of the hypothesis, for messages.
        """
        if self._next is None:
            raise CorpusError(f"{self.name}: ends before {ranked_id!r} ({place}); give a cost for each hypothesis")
        number, line = self._next
        fields = line.split()
        if len(fields) != 2:
            raise CorpusError(f"{self.name}, line {number}: expected an id and a cost, found {line!r:.60}; correct it")
        if fields[0] != ranked_id:
            raise CorpusError(
                f"{self.name}, line {number}: has the id {fields[0]!r:.60} where {place} has {ranked_id!r:.60}; both "
                "files need the same ids in the same order"
            )
        cost = parse_score(fields[1], f"{self.name}, line {number}", "cost")
        self._next = next(self._lines, None)
        return cost

    def finish(self) -> None:
        """Raise CorpusError if there are more costs."""
        if self._next is not None:
            raise CorpusError(f"{self.name}, line {self._next[0]}: has more costs than there are hypotheses")


class KaldiArchive(NbestFormat):
    """``utt-1 word word …``. Only ids and costs are written, ``utt-1 12.34``, as other programs of Kaldi take them.

    Parameters
    ----------
    lm_costs, acoustic_costs : CostArchive, optional
    groups : bool
        Whether utt-1, utt-2, … belong together.
    """

    title = "Kaldi's"
    line = "an id"
    missing_score = "name the archive of costs with `lm_scores`"
    base = "e"

    def __init__(
        self, lm_costs: CostArchive | None = None, acoustic_costs: CostArchive | None = None, groups: bool = True
    ) -> None:
        self._lm_costs = lm_costs
        self._acoustic_costs = acoustic_costs
        self._groups = groups
        self.lm_weight = None if acoustic_costs is None else LM_WEIGHT

    @classmethod
    def recognizes(cls, line: str) -> bool:
        """A line without tabs whose first word ends in -1."""
        return "\t" not in line and _FIRST_ID.match(line) is not None

    def parse(self, line: str, place: str) -> Hypothesis:
        """Return the hypothesis, with the next costs."""
        ranked_id, *words = line.split()
        ranked = RANKED_ID.fullmatch(ranked_id) if self._groups else None
        lm_score, acoustic = (
            None if archive is None else -archive.cost(ranked_id, place)
            for archive in (self._lm_costs, self._acoustic_costs)
        )
        utterance = ranked[1] if ranked else ranked_id
        return Hypothesis(utterance, " ".join(words), lm_score, (ranked_id, *words), self, acoustic)

    def rescored(self, hypothesis: Hypothesis, ours: float, combined: float | None) -> str:
        """Return the id and the cost."""
        return f"{hypothesis.fields[0]} {format_score(-(ours if combined is None else combined) + 0.0)}"

    def best(self, hypothesis: Hypothesis, rescored: str) -> str:
        """Return the utterance and the words, a line of a text archive as ``compute-wer`` reads it."""
        return " ".join([hypothesis.id, *hypothesis.fields[1:]])
