"""N-best lists with scores: ``id<TAB>text[<TAB>score]``, or Moses' ``id ||| text ||| features ||| score``."""

import itertools
import math
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from theano_rnn.errors import CorpusError
from theano_rnn.results.score_formats import ScoringOptions
from theano_rnn.results.score_output import ScoredLine, ScoreOutput
from theano_rnn.results.text_statistics import plural

FEATURE = "theano_rnn="
_MIN_MOSES_FIELDS = 4
_RANKED_ID = re.compile(r"(.+)-([1-9][0-9]*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One line of an n-best list.

    Attributes
    ----------
    id : str
        The id of the sentence of which this is a translation or transcription.
    text : str
    score : float or None
        The score in the list.
    fields : tuple of str
        All fields of the line.
    is_moses : bool
        Whether the line is in Moses' format.
    """

    id: str
    text: str
    score: float | None
    fields: tuple[str, ...]
    is_moses: bool


def read_hypotheses(lines: Iterable[str], name: str, needs_score: bool = False) -> Iterator[Hypothesis]:
    """Yield the hypotheses of a file. The format is recognized from the first line.

    Parameters
    ----------
    lines : iterable of str
    name : str
        The name of the file, for error messages.
    needs_score : bool
        Whether a line without a score is an error.

    Yields
    ------
    Hypothesis

    Raises
    ------
    CorpusError
        If a line is blank, has no id, lacks a field or a numeric score, or has a different number of columns than the
        previous line. The message names the file and the line.
    """
    is_moses: bool | None = None
    columns: int | None = None
    for number, line in enumerate(lines, 1):
        place = f"{name}, line {number}"
        if not line.strip():
            raise CorpusError(f"{place}: is blank; each line of an n-best list needs an id and a text")
        if is_moses is None:
            is_moses = "|||" in line.partition("\t")[0]
        fields = [field.strip() for field in line.split("|||")] if is_moses else line.split("\t")
        _check_fields(fields, is_moses, columns, place)
        columns = len(fields)
        given = fields[3] if is_moses else fields[2] if columns == 3 else None
        if given is None and needs_score:
            raise CorpusError(f"{place}: has no score to combine with; add it as a third column")
        yield Hypothesis(
            fields[0].strip(), fields[1], None if given is None else _parse_score(given, place), tuple(fields), is_moses
        )


def _check_fields(fields: Sequence[str], is_moses: bool, columns: int | None, place: str) -> None:
    if is_moses and len(fields) < _MIN_MOSES_FIELDS:
        raise CorpusError(
            f"{place}: expected id ||| text ||| features ||| score, found {len(fields)} "
            f"{plural('field', len(fields))}; add the missing fields"
        )
    if not is_moses and len(fields) not in (2, 3):
        raise CorpusError(
            f"{place}: expected id, text and optionally a score, separated by tabs, found {len(fields)} "
            f"{plural('column', len(fields))}; separate them with tabs"
        )
    if not fields[0].strip():
        raise CorpusError(f"{place}: has no id; put it before the text")
    if not is_moses and columns not in (None, len(fields)):
        raise CorpusError(
            f"{place}: has {len(fields)} columns where the line before has {columns}; give either all lines a score "
            "or none"
        )


def _parse_score(text: str, place: str) -> float:
    try:
        score = math.nan if "_" in text else float(text)  # Python allows underscores between digits
    except ValueError:
        score = math.nan
    if not math.isfinite(score):
        raise CorpusError(f"{place}: the score {text!r} is not a finite number; correct it")
    return score


class NbestScores(ScoreOutput):
    """Shows n-best lists with the model's scores: all lines in order, or only the best line of each id.

    Only the lines being scored are kept in memory and, if the best lines are requested, one line per id. Whether ids
    follow Kaldi's convention is known only at the end; see `group_ids`.
    """

    def __init__(self, options: ScoringOptions, show: Callable[..., Any]) -> None:
        super().__init__(options, show)
        self._waiting: deque[Hypothesis] = deque()
        self._best: dict[str, tuple[float, str]] = {}  # (score, line) by id
        self._may_be_kaldi = options.ids == "auto"

    def read_texts(self, lines: Iterable[str], name: str) -> Iterator[str]:
        """Yield the text of each hypothesis."""
        for hypothesis in read_hypotheses(lines, name, needs_score=self.options.weight is not None):
            self._waiting.append(hypothesis)
            yield hypothesis.text

    def show_line(self, line: ScoredLine) -> None:
        """Write a hypothesis with its score, or keep it if it is the best of its id."""
        hypothesis = self._waiting.popleft()
        ours = self.in_base(self.counted(line.totals).log_probability)
        combined = None
        if self.options.weight is not None:
            assert hypothesis.score is not None  # `read_hypotheses` has checked it
            combined = combined_score(hypothesis.score, ours, self.options.weight)
        rescored = _rescored_line(hypothesis, ours, combined)
        if not self.options.best:
            self.show(rescored)
            return
        score = ours if combined is None else combined
        if hypothesis.is_moses or hypothesis.id in self._best:
            self._may_be_kaldi = False
        if hypothesis.id not in self._best or score > self._best[hypothesis.id][0]:
            self._best[hypothesis.id] = score, rescored

    def finish(self) -> None:
        """Write the best lines."""
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
        ranks = [int(match[2]) for ranked_id in run if (match := _RANKED_ID.fullmatch(ranked_id))]
        if sorted(ranks) == list(range(1, len(run) + 1)):
            groups.append(run)
        else:
            groups += [[single_id] for single_id in run]
    return groups


def _utterance(ranked_id: str) -> str | None:
    """Return the part of an id before the rank, or None if there is no rank."""
    match = _RANKED_ID.fullmatch(ranked_id)
    return match[1] if match else None


def combined_score(given: float, ours: float, weight: float) -> float:
    """Return (1 - weight) · given + weight · ours. With weight 0, `ours` is ignored even if it is infinite."""
    return (1 - weight) * given + (weight * ours if weight else 0.0)


def _rescored_line(hypothesis: Hypothesis, ours: float, combined: float | None) -> str:
    """Return the line of a hypothesis with the model's score.

    In a tab-separated line, the model's score and the combined score, if there is one, are appended as columns. In a
    line in Moses' format, the model's score is appended to the features, and the combined score replaces the given one.
    """
    fields = list(hypothesis.fields)
    if not hypothesis.is_moses:
        return "\t".join([*fields, _format_score(ours), *([] if combined is None else [_format_score(combined)])])
    fields[2] = f"{fields[2]} {FEATURE} {_format_score(ours)}".lstrip()
    if combined is not None:
        fields[3] = _format_score(combined)
    return " ||| ".join(fields)


def _format_score(score: float) -> str:
    """Format a score with six decimals, or with six significant digits if it is small."""
    return f"{score:.6g}" if 0 < abs(score) < 0.1 else f"{score:.6f}"
