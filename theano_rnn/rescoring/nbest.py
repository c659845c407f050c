"""Rescores n-best lists, chooses the best lines, and combines scores. Each format has a class of its own."""

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from theano_rnn.errors import CorpusError, OptionError
from theano_rnn.rescoring.kaldi_nbest import RANKED_ID, CostArchive, KaldiArchive
from theano_rnn.rescoring.nbest_lines import Hypothesis, Moses, NbestFormat, TabSeparated
from theano_rnn.rescoring.srilm_nbest import SrilmList, list_name
from theano_rnn.results.score_formats import ScoringOptions
from theano_rnn.results.score_output import NATS, ScoredLine, ScoreOutput

# By the names in `score_formats.NBEST_FORMATS`, in the order in which the first line of a file is compared with them.
FORMATS: dict[str, type[NbestFormat]] = {
    "moses": Moses, "srilm": SrilmList, "kaldi": KaldiArchive, "tsv": TabSeparated,
}  # fmt: skip


def read_hypotheses(
    lines: Iterable[str],
    name: str,
    needs_score: bool = False,
    make_format: Callable[[str, str], NbestFormat] | None = None,
) -> Iterator[Hypothesis]:
    """Yield the hypotheses of a file.

    Parameters
    ----------
    lines : iterable of str
    name : str
        The name of the file, for error messages.
    needs_score : bool
        Whether a line without a score is an error.
    make_format : callable, optional
        Takes the first line and the name of the file and returns the format. By default, the line decides alone.

    Yields
    ------
    Hypothesis

    Raises
    ------
    CorpusError
        If a line is blank, has no id, lacks a field or a numeric score, or has a different number of columns than the
        previous line. The message names the file and the line.
    """
    found: NbestFormat | None = None
    for number, line in enumerate(lines, 1):
        place = f"{name}, line {number}"
        if found is None and line.strip():
            found = (make_format or _recognized)(line, name)
        if found is None or not line.strip():
            needed = found.line if found else NbestFormat.line
            raise CorpusError(f"{place}: is blank; each line of an n-best list needs {needed}")
        hypothesis = found.parse(line, place)
        if hypothesis is None:
            continue
        if hypothesis.score is None and needs_score:
            raise CorpusError(f"{place}: has no score to combine with; {found.missing_score}")
        yield hypothesis


def _recognized(first_line: str, name: str, kaldi: KaldiArchive | None = None, chosen: str = "auto") -> NbestFormat:
    """Return the format of a file: the chosen one, or that of its first line."""
    if chosen == "auto":
        chosen = next(key for key, kind in FORMATS.items() if kind.recognizes(first_line))
    if chosen == "kaldi":
        return kaldi or KaldiArchive()
    if chosen == "srilm":
        return SrilmList(list_name(name))
    return Moses() if chosen == "moses" else TabSeparated()


class NbestScores(ScoreOutput):
    """Shows n-best lists with the model's scores: all lines in order, or only the best line of each id.

    Only the lines being scored are kept in memory and, if the best lines are requested, one line per id. Whether ids
    in tab-separated lines follow Kaldi's convention is known only at the end; see `group_ids`.
    """

    def __init__(self, options: ScoringOptions, show: Callable[..., Any]) -> None:
        super().__init__(options, show)
        self._waiting: deque[Hypothesis] = deque()
        self._best: dict[str, tuple[float, str]] = {}  # (score, line) by id
        self._may_be_kaldi = options.ids == "auto"
        lm_costs, acoustic_costs = (
            None if path is None else CostArchive(path) for path in (options.lm_scores, options.acoustic_scores)
        )
        self._costs = (lm_costs, acoustic_costs)
        self._kaldi = KaldiArchive(lm_costs, acoustic_costs, groups=options.ids == "auto")
        self._list_without_ids: str | None = None

    def read_texts(self, lines: Iterable[str], name: str) -> Iterator[str]:
        """Yield the text of each hypothesis."""
        needs_score = self.options.weight is not None
        for hypothesis in read_hypotheses(lines, name, needs_score, self._make_format):
            self._waiting.append(hypothesis)
            yield hypothesis.text

    def _make_format(self, first_line: str, name: str) -> NbestFormat:
        options = self.options
        found = _recognized(first_line, name, self._kaldi, options.nbest_format or "auto")
        if found.base is not None and options.chosen_log_base not in (None, found.base):
            raise OptionError(
                f"log_base: {found.title} n-best lists ({name}) always have base {found.base}; leave it out"
            )
        if found.lm_weight is None and options.lm_weight is not None:
            raise OptionError(
                f"lm_weight: {found.title} n-best lists ({name}) have no acoustic scores; leave it out (Kaldi's lists "
                "have them with `acoustic_scores`)"
            )
        if not found.has_ids and not options.best:
            if self._list_without_ids is not None:
                raise CorpusError(
                    f"{name}: is a second list of {found.title}, which have no ids, after {self._list_without_ids}; "
                    "rescore one file at a time, or print only the `best` lines"
                )
            self._list_without_ids = name
        return found

    def show_line(self, line: ScoredLine) -> None:
        """Write a hypothesis with its score, or keep it if it is the best of its id."""
        hypothesis = self._waiting.popleft()
        nats = self.counted(line.totals).log_probability
        ours = nats / NATS[hypothesis.format.base or self.options.log_base or "e"]
        combined = None
        if self.options.weight is not None:
            assert hypothesis.score is not None  # `read_hypotheses` has checked it
            combined = combined_score(hypothesis.score, ours, self.options.weight)
        rescored = hypothesis.format.rescored(hypothesis, ours, combined)
        if not self.options.best:
            self.show(rescored)
            return
        score = self._total(hypothesis, ours if combined is None else combined)
        if not isinstance(hypothesis.format, TabSeparated) or hypothesis.id in self._best:
            self._may_be_kaldi = False
        if hypothesis.id not in self._best or score > self._best[hypothesis.id][0]:
            self._best[hypothesis.id] = score, hypothesis.format.best(hypothesis, rescored)

    def _total(self, hypothesis: Hypothesis, score: float) -> float:
        """Return what decides which line is the best: the score, or its weighted sum with the acoustic one."""
        if hypothesis.acoustic is None:
            return score
        weight = self.options.lm_weight if self.options.lm_weight is not None else hypothesis.format.lm_weight
        return hypothesis.acoustic + (weight * score if weight else 0.0)

    def finish(self) -> None:
        """Write the best lines."""
        for archive in self._costs:
            if archive is not None:
                archive.finish()
        groups = group_ids(self._best) if self._may_be_kaldi else [[sentence_id] for sentence_id in self._best]
        if len(groups) < len(self._best):
            first = next(group for group in groups if len(group) > 1)
            self.note = (
                f"ids such as {first[0]!r} and {first[1]!r} were taken for Kaldi's n-best lists: the best of "
                f"{len(self._best)} lines for {len(groups)} utterances; --ids exact keeps them apart"
            )
        for group in groups:
            self.show(max((self._best[sentence_id] for sentence_id in group), key=lambda scored: scored[0])[1])


def group_ids(ids: Iterable[str]) -> list[list[str]]:
    """Group the ids of an n-best list by utterance, following Kaldi's convention of a hyphen and the rank from 1.

    Consecutive ids belong to one utterance if they differ only in the number after the last hyphen and these numbers
    are 1 to N, each once and in any order, with N at least 2. Each other id forms a group of its own.

    Parameters
    ----------
    ids : iterable of str
        Distinct ids.

    Returns
    -------
    list of list of str
        In the order of the ids.

    Examples
    --------
    >>> group_ids(["a-1", "a-2", "b-2", "c"])
    [['a-1', 'a-2'], ['b-2'], ['c']]
    """
    groups = []
    for _, consecutive in itertools.groupby(ids, key=_utterance):
        run = list(consecutive)
        ranks = [int(match[2]) for ranked_id in run if (match := RANKED_ID.fullmatch(ranked_id))]
        if sorted(ranks) == list(range(1, len(run) + 1)):
            groups.append(run)
        else:
            groups += [[single_id] for single_id in run]
    return groups


def _utterance(ranked_id: str) -> str | None:
    """Return the part of an id before the rank, or None if there is no rank."""
    match = RANKED_ID.fullmatch(ranked_id)
    return match[1] if match else None


def combined_score(given: float, ours: float, weight: float) -> float:
    """Return (1 - weight) · given + weight · ours. With weight 0, `ours` is ignored even if it is infinite."""
    return (1 - weight) * given + (weight * ours if weight else 0.0)
