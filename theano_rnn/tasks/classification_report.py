"""How well labels are predicted: accuracy, precision, recall and F1 of each label, and the confusion matrix.

For tags of words also the accuracy on words that are not in the vocabulary, and precision, recall and F1 of entities.
"""

import itertools
import os
import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from theano_rnn.results.pictures import BLUE, TEXT, drawable, new_figure, write_picture

MOST_LABELS_SHOWN = 30  # in the text of a confusion matrix
LONGEST_NAME = 24

OUTSIDE = "O"  # the tag of a token outside of all entities
_ENTITY_TAG = re.compile(r"[BIES]-.", re.DOTALL)


class ClassificationReport:
    """Predicted labels compared with the right ones.

    Parameters
    ----------
    labels : sequence of str
    right, predicted : int arrays (n,), n >= 1
        Indices into `labels`.
    loss : float, optional
        The mean of -ln P(right label), in nats.

    Attributes
    ----------
    confusion : int array (labels, labels)
        The number of items with the label of the row for which that of the column was predicted.

    Examples
    --------
    >>> report = ClassificationReport(["no", "yes"], [0, 0, 1, 1], [0, 1, 1, 1])
    >>> print("\\n".join(report.lines()))
    accuracy 75.00 % (3 of 4)
    label  precision  recall    F1  number
    no        100.00   50.00  66.67       2
    yes        66.67  100.00  80.00       2
    mean       83.33   75.00  73.33       4
    right \\ predicted  no  yes
    no                  1    1
    yes                 0    2
    """

    def __init__(
        self, labels: Sequence[str], right: npt.ArrayLike, predicted: npt.ArrayLike, loss: float | None = None
    ) -> None:
        self.labels: list[str] = list(labels)
        self.loss: float | None = loss
        self.confusion: npt.NDArray[np.int64] = np.zeros((len(labels), len(labels)), np.int64)
        np.add.at(self.confusion, (np.asarray(right), np.asarray(predicted)), 1)

    @property
    def accuracy(self) -> float:
        """The share of right predictions."""
        return float(np.trace(self.confusion) / self.confusion.sum())

    def of_labels(self) -> npt.NDArray[np.float64]:
        """Precision, recall and F1 of each label: (labels, 3); 0 where nothing was predicted or nothing is right."""
        hits, found, there = np.diag(self.confusion), self.confusion.sum(axis=0), self.confusion.sum(axis=1)
        precision, recall = hits / np.maximum(found, 1), hits / np.maximum(there, 1)
        f1 = 2 * hits / np.maximum(found + there, 1)
        return np.stack([precision, recall, f1], axis=1)

    def figures(self) -> dict[str, Any]:
        """All figures by name, which JSON can write."""
        names = ("precision", "recall", "f1")
        each = {
            label: {**dict(zip(names, map(float, row), strict=True)), "number": int(number)}
            for label, row, number in zip(self.labels, self.of_labels(), self.confusion.sum(axis=1), strict=True)
        }
        return {
            "accuracy": self.accuracy,
            **({} if self.loss is None else {"loss": self.loss}),
            "number": int(self.confusion.sum()),
            "macro_f1": float(self.of_labels()[:, 2].mean()),
            "labels": each,
            "confusion": self.confusion.tolist(),
        }

    def lines(self) -> list[str]:
        """The figures as a text: in percent, and the confusion matrix, unless it is large."""
        total = int(self.confusion.sum())
        loss = "" if self.loss is None else f", loss {self.loss:.4f} nats"
        lines = [f"accuracy {100 * self.accuracy:.2f} % ({int(np.trace(self.confusion))} of {total}){loss}"]
        names = [_short(label) for label in self.labels]
        width = max(len(name) for name in [*names, "label", "mean"])
        lines.append(f"{'label':<{width}}  precision  recall    F1  number")
        rows = self.of_labels()
        numbers = self.confusion.sum(axis=1)
        for name, row, number in [
            *zip(names, rows, numbers, strict=True),
            ("mean", rows.mean(axis=0), total),
        ]:
            precision, recall, f1 = 100 * row
            lines.append(f"{name:<{width}}  {precision:9.2f}  {recall:6.2f}  {f1:5.2f}  {number:6d}")
        if len(names) > MOST_LABELS_SHOWN:
            return lines
        corner = "right \\ predicted"
        first = max(width, len(corner))
        widths = [max(len(name), len(str(column.max()))) for name, column in zip(names, self.confusion.T, strict=True)]
        head = "".join(f"  {name:>{width}}" for name, width in zip(names, widths, strict=True))
        lines.append(f"{corner:<{first}}{head}")
        for name, counts in zip(names, self.confusion.tolist(), strict=True):
            cells = "".join(f"  {count:>{width}}" for count, width in zip(counts, widths, strict=True))
            lines.append(f"{name:<{first}}{cells}")
        return lines

    def draw(self, path: str | os.PathLike[str]) -> None:
        """Draw the confusion matrix as PNG: each cell's number, and its share of the row as a shade.

        Raises
        ------
        OutputFileError
            If the picture cannot be written.
        """
        from matplotlib.colors import LinearSegmentedColormap

        size = len(self.labels)
        side = min(2.5 + 0.6 * size, 16)
        figure = new_figure(side + 1, side)
        panel = figure.subplots()
        shares = self.confusion / np.maximum(self.confusion.sum(axis=1, keepdims=True), 1)
        shades = LinearSegmentedColormap.from_list("shares", ["#ffffff", BLUE])
        panel.imshow(shares, cmap=shades, vmin=0, vmax=1)
        names = [drawable(label, LONGEST_NAME) for label in self.labels]
        panel.set_xticks(range(size), names, rotation=45 if size > 4 else 0, ha="right" if size > 4 else "center")
        panel.set_yticks(range(size), names)
        panel.set_xlabel("predicted")
        panel.set_ylabel("right")
        panel.set_title(f"accuracy {100 * self.accuracy:.1f} % of {int(self.confusion.sum())}", fontsize="medium")
        if size <= MOST_LABELS_SHOWN:
            for row, column in np.ndindex(size, size):
                color = "white" if shares[row, column] > 0.6 else TEXT
                panel.text(column, row, str(self.confusion[row, column]), ha="center", va="center", color=color)
        write_picture(path, figure)


class TaggingReport(ClassificationReport):
    """Predicted tags compared with the right ones.

    Parameters
    ----------
    labels, right, predicted, loss
        As for `ClassificationReport`, for all tokens of all sentences.
    known : sequence of bool (n,)
        Whether each word is in the vocabulary.
    ends : sequence of int
        Where each sentence ends.

    Attributes
    ----------
    unknown_words : (int, int)
        The number of right tags of unknown words, and the number of unknown words.
    entities : dict of str to (int, int, int), or None
        For each type, the number of right, predicted and given entities. None if the tags are not BIO or IOBES.

    Examples
    --------
    >>> labels = ["B-PER", "I-PER", "O"]
    >>> report = TaggingReport(labels, [0, 1, 2, 0], [0, 2, 2, 0], 0.5, [True, True, True, False], [3, 4])
    >>> report.entities
    {'PER': (1, 2, 2)}
    >>> print("\\n".join(report.lines()[:6]))
    accuracy 75.00 % (3 of 4), loss 0.5000 nats
    unknown words: accuracy 100.00 % (1 of 1)
    entity  precision  recall     F1  number
    PER         50.00   50.00  50.00       2
    all         50.00   50.00  50.00       2
    label  precision  recall    F1  number
    """

    def __init__(
        self,
        labels: Sequence[str],
        right: Sequence[int],
        predicted: Sequence[int],
        loss: float | None,
        known: Sequence[bool],
        ends: Sequence[int],
    ) -> None:
        super().__init__(labels, right, predicted, loss)
        hits = [one == other for one, other, is_known in zip(right, predicted, known, strict=True) if not is_known]
        self.unknown_words: tuple[int, int] = sum(hits), len(hits)
        self.entities: dict[str, tuple[int, int, int]] | None = None
        if are_entity_tags(labels):
            places = list(itertools.pairwise([0, *ends]))
            sentences = [[[labels[i] for i in tags[a:b]] for a, b in places] for tags in (predicted, right)]
            self.entities = count_entities(*sentences)

    def of_entities(self) -> list[tuple[str, float, float, float, int]]:
        """Type, precision, recall, F1 and number of the entities of each type, and at last of ``all``."""
        entities = self.entities or {}
        total = tuple(sum(column) for column in zip((0, 0, 0), *entities.values(), strict=True))
        return [
            (name, hits / max(found, 1), hits / max(there, 1), 2 * hits / max(found + there, 1), there)
            for name, (hits, found, there) in [*entities.items(), ("all", total)]
        ]

    def figures(self) -> dict[str, Any]:
        """All figures by name, which JSON can write."""
        hits, number = self.unknown_words
        unknown = {"accuracy": hits / number if number else None, "number": number}
        figures = {**super().figures(), "unknown_words": unknown}
        if self.entities is not None:
            names = ("precision", "recall", "f1", "number")
            figures["entities"] = {name: dict(zip(names, values, strict=True)) for name, *values in self.of_entities()}
        return figures

    def lines(self) -> list[str]:
        """The figures as a text."""
        first, *others = super().lines()
        hits, number = self.unknown_words
        share = f"accuracy {100 * hits / number:.2f} % ({hits} of {number})" if number else "none"
        lines = [first, f"unknown words: {share}"]
        if self.entities is not None:
            width = max(len("entity"), *(len(_short(name)) for name in [*self.entities, "all"]))
            lines.append(f"{'entity':<{width}}  precision  recall     F1  number")
            for name, *shares, number in self.of_entities():
                precision, recall, f1 = (100 * share for share in shares)
                lines.append(f"{_short(name):<{width}}  {precision:9.2f}  {recall:6.2f}  {f1:5.2f}  {number:6d}")
        return [*lines, *others]


def are_entity_tags(labels: Sequence[str]) -> bool:
    """Tell whether tags are BIO or IOBES: all but ``O`` begin with B-, I-, E- or S-, and there are some.

    Examples
    --------
    >>> are_entity_tags(["B-PER", "I-PER", "O"]), are_entity_tags(["NOUN", "VERB"]), are_entity_tags(["O"])
    (True, False, False)
    """
    others = [label for label in labels if label != OUTSIDE]
    return bool(others) and all(_ENTITY_TAG.match(label) for label in others)


def entities_of(tags: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    """Yield the first token, the end and the type of each entity of a sentence, as conlleval finds them.

    An entity is a run of tags other than ``O`` of one type. A new one begins at B- and S-, and after E- and S-. So an
    entity may also begin with I- or E-.

    Examples
    --------
    >>> list(entities_of(["B-PER", "I-PER", "O", "I-LOC", "B-LOC"]))
    [(0, 2, 'PER'), (3, 4, 'LOC'), (4, 5, 'LOC')]
    """
    begin, before, kind_before = 0, OUTSIDE, ""
    for place, tag in enumerate([*tags, OUTSIDE]):
        prefix, _, kind = tag.partition("-")
        if before != OUTSIDE and (before in "ES" or prefix in "BSO" or kind != kind_before):
            yield begin, place, kind_before
            before = OUTSIDE
        if before == OUTSIDE:
            begin = place
        before, kind_before = prefix, kind


def count_entities(
    predicted: Sequence[Sequence[str]], right: Sequence[Sequence[str]]
) -> dict[str, tuple[int, int, int]]:
    """Count for each type the right, the predicted and the given entities of sentences.

    An entity is right if both its ends and its type are.
    """
    counts: dict[str, list[int]] = {}
    for tags in zip(predicted, right, strict=True):
        found, there = (set(entities_of(one)) for one in tags)
        for column, entities in enumerate((found & there, found, there)):
            for *_, kind in entities:
                counts.setdefault(kind, [0, 0, 0])[column] += 1
    return {kind: (one[0], one[1], one[2]) for kind, one in sorted(counts.items())}


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"
