"""The lines of n-best lists: ``id<TAB>text[<TAB>score]`` and Moses' format, and what every other format offers."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from theano_rnn.errors import CorpusError
from theano_rnn.results.text_statistics import plural

FEATURE = "theano_rnn="
_MIN_MOSES_FIELDS = 4


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One line of an n-best list.

    Attributes
    ----------
    id : str
        The id of the sentence of which this is a translation or transcription.
    text : str
    score : float or None
        The score in the list with which ours is combined: a log-probability, or any other score of which more is
        better.
    fields : tuple of str
        All fields of the line.
    format : NbestFormat
        The format of the line.
    acoustic : float or None
        The acoustic log-probability, if the format separates it from the score.
    """

    id: str
    text: str
    score: float | None
    fields: tuple[str, ...]
    format: "NbestFormat"
    acoustic: float | None = None


class NbestFormat(ABC):
    """A format of n-best lists. An instance reads one file.

    Attributes
    ----------
    title : str
        For messages.
    line : str
        What each line needs, for messages.
    missing_score : str
        What to do if there is no score to combine ours with, for messages.
    base : {"e", "10"} or None
        Base of its log-probabilities. None is the base that the user chooses.
    has_ids : bool
        Whether its lines have ids. Without them, the file is the n-best list of one sentence.
    lm_weight : float or None
        Weight of the language model's score, relative to the acoustic one, in the sum that decides which line is the
        best. None if the format does not separate them.
    """

    title: ClassVar[str]
    line: ClassVar[str] = "an id and a text"
    missing_score: ClassVar[str] = "add it as a third column"
    base: ClassVar[str | None] = None
    has_ids: ClassVar[bool] = True
    lm_weight: float | None = None

    @classmethod
    @abstractmethod
    def recognizes(cls, line: str) -> bool:
        """Tell whether a file that begins with this line has the format."""

    @abstractmethod
    def parse(self, line: str, place: str) -> Hypothesis | None:
        """Return the hypothesis in a line, or None if the line is a header.

        Parameters
        ----------
        line : str
            Not blank.
        place : str
            The file and the line, for messages.

        Raises
        ------
        CorpusError
            If the line does not have the format.
        """

    @abstractmethod
    def rescored(self, hypothesis: Hypothesis, ours: float, combined: float | None) -> str:
        """Return the line with the model's score and the combined score, if there is one."""

    def best(self, hypothesis: Hypothesis, rescored: str) -> str:
        """Return what is printed of the best line of an id, given what `rescored` returns."""
        return rescored


class TabSeparated(NbestFormat):
    """``id<TAB>text`` or ``id<TAB>text<TAB>score``. The model's and the combined score are appended as columns."""

    title = "tab-separated"

    def __init__(self) -> None:
        self._columns: int | None = None

    @classmethod
    def recognizes(cls, line: str) -> bool:
        """Every line that no other format recognizes."""
        return True

    def parse(self, line: str, place: str) -> Hypothesis:
        """Return the hypothesis; the number of columns must be that of the line before."""
        fields = line.split("\t")
        if len(fields) not in (2, 3):
            raise CorpusError(
                f"{place}: expected id, text and optionally a score, separated by tabs, found {len(fields)} "
                f"{plural('column', len(fields))}; separate them with tabs, or name the `nbest_format`"
            )
        check_id(fields, place)
        if self._columns not in (None, len(fields)):
            raise CorpusError(
                f"{place}: has {len(fields)} columns where the line before has {self._columns}; give either all lines "
                "a score or none"
            )
        self._columns = len(fields)
        score = parse_score(fields[2], place) if len(fields) == 3 else None
        return Hypothesis(fields[0].strip(), fields[1], score, tuple(fields), self)

    def rescored(self, hypothesis: Hypothesis, ours: float, combined: float | None) -> str:
        """Append the scores as columns."""
        scores = [ours] if combined is None else [ours, combined]
        return "\t".join([*hypothesis.fields, *map(format_score, scores)])


class Moses(NbestFormat):
    """``id ||| text ||| features ||| score``. The model's score becomes a feature, the combined score the score."""

    title = "Moses'"

    @classmethod
    def recognizes(cls, line: str) -> bool:
        """A line with ``|||`` before the first tab."""
        return "|||" in line.partition("\t")[0]

    def parse(self, line: str, place: str) -> Hypothesis:
        """Return the hypothesis; fields after the score are kept."""
        fields = [field.strip() for field in line.split("|||")]
        if len(fields) < _MIN_MOSES_FIELDS:
            raise CorpusError(
                f"{place}: expected id ||| text ||| features ||| score, found {len(fields)} "
                f"{plural('field', len(fields))}; add the missing fields"
            )
        check_id(fields, place)
        return Hypothesis(fields[0], fields[1], parse_score(fields[3], place), tuple(fields), self)

    def rescored(self, hypothesis: Hypothesis, ours: float, combined: float | None) -> str:
        """Append the model's score to the features, and replace the score by the combined one."""
        fields = list(hypothesis.fields)
        fields[2] = f"{fields[2]} {FEATURE} {format_score(ours)}".lstrip()
        if combined is not None:
            fields[3] = format_score(combined)
        return " ||| ".join(fields)


def check_id(fields: Sequence[str], place: str) -> None:
    """Raise CorpusError if the first field is blank."""
    if not fields[0].strip():
        raise CorpusError(f"{place}: has no id; put it before the text")


def parse_score(text: str, place: str, what: str = "score") -> float:
    """Return the number that a text stands for. Raises CorpusError if it is none, or not finite."""
    try:
        score = math.nan if "_" in text else float(text)  # Python allows underscores between digits
    except ValueError:
        score = math.nan
    if not math.isfinite(score):
        raise CorpusError(f"{place}: the {what} {text!r} is not a finite number; correct it")
    return score


def format_score(score: float) -> str:
    """Format a score with six decimals, or with six significant digits if it is small."""
    return f"{score:.6g}" if 0 < abs(score) < 0.1 else f"{score:.6f}"
