"""How well segments are found: edits between sequences of labels, boundaries, and folding of labels."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from theano_rnn.errors import CorpusError
from theano_rnn.files.text_files import TextInput

TOLERANCE = 0.02  # seconds between a boundary and the one that it is matched with
_ROUNDING = 1e-6  # seconds, so that a difference of exactly the tolerance counts
_EDIT = 2**32  # the cost of an edit; a substitution costs 1 more


class Edits(NamedTuple):
    """What turns one sequence of labels into another.

    Attributes
    ----------
    substitutions, deletions, insertions : int
        Deletions are labels that the second sequence lacks; insertions those that it has in addition.
    """

    substitutions: int
    deletions: int
    insertions: int


def edits(right: Sequence[Any], found: Sequence[Any]) -> Edits:
    """The fewest edits that turn `right` into `found`; among equally many, those with the fewest substitutions.

    Examples
    --------
    >>> edits("kitten", "sitting")
    Edits(substitutions=2, deletions=0, insertions=1)
    """
    numbers: dict[Any, int] = {}
    rows = [np.array([numbers.setdefault(one, len(numbers)) for one in labels], np.int64) for labels in (right, found)]
    steps = np.arange(len(rows[1]) + 1, dtype=np.int64) * _EDIT
    costs = steps.copy()  # of turning the labels so far of `right` into the first j of `found`
    for label in rows[0]:
        ahead = costs + _EDIT
        np.minimum(ahead[1:], costs[:-1] + (rows[1] != label) * (_EDIT + 1), out=ahead[1:])
        costs = np.minimum.accumulate(ahead - steps) + steps
    total, substitutions = divmod(int(costs[-1]), _EDIT)
    others, more = total - substitutions, len(found) - len(right)
    return Edits(substitutions, (others - more) // 2, (others + more) // 2)


def matched_boundaries(right: npt.ArrayLike, found: npt.ArrayLike, tolerance: float = TOLERANCE) -> int:
    """Count the boundaries that can be matched, each at most once, with one that is no further than the tolerance.

    Parameters
    ----------
    right, found : sorted float arrays
        Times in seconds.
    tolerance : float
        In seconds.

    Examples
    --------
    >>> matched_boundaries([0.10, 0.20], [0.11, 0.115, 0.23])
    1
    """
    one, other = np.asarray(right, np.float64).tolist(), np.asarray(found, np.float64).tolist()
    i = j = count = 0
    while i < len(one) and j < len(other):
        if abs(one[i] - other[j]) <= tolerance + _ROUNDING:
            i, j, count = i + 1, j + 1, count + 1
        elif one[i] < other[j]:
            i += 1
        else:
            j += 1
    return count


class LabelledSpans(NamedTuple):
    """The segments of a recording: segment i lasts from ``times[i]`` to ``times[i + 1]`` seconds.

    Attributes
    ----------
    times : float array (segments + 1,)
    labels : sequence of str (segments,)
    """

    times: npt.NDArray[np.float64]
    labels: Sequence[str]


def folded(spans: LabelledSpans, fold: Mapping[str, str]) -> LabelledSpans:
    """Replace labels; neighbors that then have the same label become one segment.

    Examples
    --------
    >>> folded(LabelledSpans(np.array([0, 1, 2, 3.0]), ["tcl", "pau", "a"]), {"tcl": "sil", "pau": "sil"})
    LabelledSpans(times=array([0., 2., 3.]), labels=['sil', 'a'])
    """
    labels = [fold.get(label, label) for label in spans.labels]
    starts = [i for i, label in enumerate(labels) if not i or label != labels[i - 1]]
    return LabelledSpans(np.append(spans.times[starts], spans.times[-1]), [labels[i] for i in starts])


@dataclass
class SegmentScores:
    """Found segments compared with the right ones, added up over recordings.

    Labels that are folded to nothing do not count in the error rate.

    Attributes
    ----------
    labels : int
        The number of right segments.
    substitutions, deletions, insertions : int
    boundaries, found_boundaries, matched : int
        The right and the found boundaries between segments, without the start and the end of each recording, and how
        many of them match.

    Examples
    --------
    >>> scores = SegmentScores()
    >>> scores.add(LabelledSpans(np.array([0, 0.5, 1.0]), "ab"), LabelledSpans(np.array([0, 0.51, 0.8, 1.0]), "abc"))
    >>> print("\\n".join(scores.lines()))
    segments: error rate 50.00 % of 2 (0 substitutions, 0 deletions, 1 insertion)
    boundaries within 20 ms: precision 50.00, recall 100.00, F1 66.67
    """

    labels: int = 0
    substitutions: int = 0
    deletions: int = 0
    insertions: int = 0
    boundaries: int = 0
    found_boundaries: int = 0
    matched: int = 0

    def add(self, right: LabelledSpans, found: LabelledSpans) -> None:
        """Compare the segments of one more recording."""
        named = [label for label in right.labels if label]
        counts = edits(named, [label for label in found.labels if label])
        self.labels += len(named)
        self.substitutions += counts.substitutions
        self.deletions += counts.deletions
        self.insertions += counts.insertions
        self.boundaries += max(len(right.times) - 2, 0)
        self.found_boundaries += max(len(found.times) - 2, 0)
        self.matched += matched_boundaries(right.times[1:-1], found.times[1:-1])

    @property
    def error_rate(self) -> float:
        """Substitutions, deletions and insertions as a share of the right segments."""
        return (self.substitutions + self.deletions + self.insertions) / max(self.labels, 1)

    @property
    def of_boundaries(self) -> tuple[float, float, float]:
        """Precision, recall and F1 of the boundaries; 1 if there are none and none is found."""
        if not self.boundaries + self.found_boundaries:
            return 1.0, 1.0, 1.0
        f1 = 2 * self.matched / (self.boundaries + self.found_boundaries)
        return self.matched / max(self.found_boundaries, 1), self.matched / max(self.boundaries, 1), f1

    def figures(self) -> dict[str, Any]:
        """All figures by name, which JSON can write."""
        names = ("substitutions", "deletions", "insertions")
        precision, recall, f1 = self.of_boundaries
        return {
            "segments": {
                "error_rate": self.error_rate,
                **{name: getattr(self, name) for name in names},
                "number": self.labels,
            },
            "boundaries": {"precision": precision, "recall": recall, "f1": f1, "number": self.boundaries},
        }

    def lines(self) -> list[str]:
        """The figures as a text, in percent."""
        names = ("substitution", "deletion", "insertion")
        counts = [(name, getattr(self, f"{name}s")) for name in names]
        listed = ", ".join(f"{count} {name}{'' if count == 1 else 's'}" for name, count in counts)
        precision, recall, f1 = (100 * share for share in self.of_boundaries)
        return [
            f"segments: error rate {100 * self.error_rate:.2f} % of {self.labels} ({listed})",
            f"boundaries within {1000 * TOLERANCE:.0f} ms: precision {precision:.2f}, recall {recall:.2f}, F1 {f1:.2f}",
        ]


def read_fold(path: str | os.PathLike[str], labels: Iterable[str]) -> dict[str, str]:
    """Read which labels count as one: lines with a label, a tab, and the label to replace it with, or nothing.

    Parameters
    ----------
    path : path
    labels : iterable of str
        The labels of the model. Those that the file does not name stay as they are.

    Raises
    ------
    CorpusError
        If the file cannot be read, a line does not have two columns, a label occurs twice with different replacements,
        or none of the labels occurs.
    """
    source = TextInput(path)
    fold: dict[str, str] = {}
    for number, line in enumerate(source.lines(), start=1):
        if not line.strip():
            continue
        columns = line.split("\t")
        if len(columns) != 2 or not columns[0].strip():
            raise CorpusError(
                f"{source.name}, line {number}: expected a label, a tab and a folded label, got {line!r:.60}"
            )
        label, replacement = (column.strip() for column in columns)
        if fold.setdefault(label, replacement) != replacement:
            raise CorpusError(f"{source.name}, line {number}: the label {label!r:.60} has two folded labels")
    if not fold.keys() & set(labels):
        raise CorpusError(f"{source.name}: names no label of the model")
    return fold
