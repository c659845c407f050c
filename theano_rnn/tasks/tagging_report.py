"""How well tags are predicted: also on words that are not in the vocabulary, and precision, recall, F1 of entities.

The same of labels of frames.
"""

import itertools
import os
import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy.typing as npt

from theano_rnn.results.pictures import new_figure, write_picture
from theano_rnn.speech.segment_plot import WIDTH, RecordingView, draw_views, plot_height
from theano_rnn.speech.segment_report import SegmentScores
from theano_rnn.tasks.classification_report import ClassificationReport, shortened

OUTSIDE = "O"  # the tag of a token outside of all entities
_ENTITY_TAG = re.compile(r"[BIES]-.", re.DOTALL)


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
            width = max(len("entity"), *(len(shortened(name)) for name in [*self.entities, "all"]))
            lines.append(f"{'entity':<{width}}  precision  recall     F1  number")
            for name, *shares, number in self.of_entities():
                precision, recall, f1 = (100 * share for share in shares)
                lines.append(f"{shortened(name):<{width}}  {precision:9.2f}  {recall:6.2f}  {f1:5.2f}  {number:6d}")
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


class FrameReport(ClassificationReport):
    """Found segments compared with the right ones, frame by frame, as sequences of labels, and by their boundaries.

    Parameters
    ----------
    labels, right, predicted, loss
        As for `ClassificationReport`, for all frames of all recordings. Predictions are those of the segments.
    scores : SegmentScores
    frame_accuracy : float
        The share of the frames whose most probable label is right, without regard to segments.
    views : sequence of RecordingView
        The recordings that a picture shows above the confusion matrix.
    recordings : int
        How many have been compared.

    Examples
    --------
    >>> report = FrameReport(["a", "b"], [0, 0, 1, 1], [0, 0, 0, 1], 0.5, SegmentScores(2, 0, 0, 0, 1, 1, 1), 0.5)
    >>> print("\\n".join(report.lines()[:4]))
    accuracy 75.00 % (3 of 4), loss 0.5000 nats
    most probable label of each frame: accuracy 50.00 %
    segments: error rate 0.00 % of 2 (0 substitutions, 0 deletions, 0 insertions)
    boundaries within 20 ms: precision 100.00, recall 100.00, F1 100.00
    """

    def __init__(
        self,
        labels: Sequence[str],
        right: npt.ArrayLike,
        predicted: npt.ArrayLike,
        loss: float | None,
        scores: SegmentScores,
        frame_accuracy: float,
        views: Sequence[RecordingView] = (),
        recordings: int = 0,
    ) -> None:
        super().__init__(labels, right, predicted, loss)
        self.scores: SegmentScores = scores
        self.frame_accuracy: float = frame_accuracy
        self.views: Sequence[RecordingView] = views
        self.recordings: int = recordings

    def figures(self) -> dict[str, Any]:
        """All figures by name, which JSON can write."""
        return {**super().figures(), "frame_accuracy": self.frame_accuracy, **self.scores.figures()}

    def lines(self) -> list[str]:
        """The figures as a text."""
        first, *others = super().lines()
        best = f"most probable label of each frame: accuracy {100 * self.frame_accuracy:.2f} %"
        return [first, best, *self.scores.lines(), *others]

    def draw(self, path: str | os.PathLike[str]) -> None:
        """Draw the first recordings with their segments, and below them the confusion matrix.

        Raises
        ------
        OutputFileError
            If the picture cannot be written.
        CorpusError, OptionError
            If a sound cannot be read again.
        """
        if not self.views:
            super().draw(path)
            return
        heights = plot_height(self.views), self.matrix_side
        figure = new_figure(max(WIDTH, self.matrix_side + 1), sum(heights))
        parts: Any = figure.subfigures(2, 1, height_ratios=heights)
        draw_views(parts[0], self.views, self.recordings)
        self.draw_matrix(parts[1].subplots())
        write_picture(path, figure)
