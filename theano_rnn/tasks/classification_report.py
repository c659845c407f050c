"""How well labels are predicted: accuracy, precision, recall and F1 of each label, and the confusion matrix."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from theano_rnn.results.pictures import BLUE, TEXT, drawable, new_figure, write_picture

MOST_LABELS_SHOWN = 30  # in the text of a confusion matrix
LONGEST_NAME = 24


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
        names = [shortened(label) for label in self.labels]
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
        side = self.matrix_side
        figure = new_figure(side + 1, side)
        self.draw_matrix(figure.subplots())
        write_picture(path, figure)

    @property
    def matrix_side(self) -> float:
        """The size of the picture of the confusion matrix, in inches."""
        return min(2.5 + 0.6 * len(self.labels), 16)

    def draw_matrix(self, panel: Any) -> None:
        """Draw the confusion matrix into a panel of a figure."""
        from matplotlib.colors import LinearSegmentedColormap

        size = len(self.labels)
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


def shortened(name: str) -> str:
    """The name of a label as tables show it, cut if it is long."""
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"
