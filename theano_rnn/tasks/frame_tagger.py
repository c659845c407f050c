"""`FrameTagger`, which divides recordings into segments with labels, and the task that a training run learns."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from theano_rnn.encoders.items import Items
from theano_rnn.encoders.reader import Reader
from theano_rnn.errors import ArgumentValueError, CorpusError
from theano_rnn.language_models.language_model import LanguageModel
from theano_rnn.large_vocabularies.memory_need import check_memory
from theano_rnn.speech.frame_output import write_frames
from theano_rnn.speech.input_files import TEXTGRID, SpeechFile, find_speech_files
from theano_rnn.speech.label_files import check_segments, label_numbers, read_segments, read_segments_if_any
from theano_rnn.speech.recordings import Recording, Recordings
from theano_rnn.speech.segment_output import COLUMNS
from theano_rnn.speech.segment_page import page_stretches, write_segment_page
from theano_rnn.speech.segment_plot import (
    LONGEST_DRAWN,
    MOST_DRAWN,
    RecordingView,
    stretches,
    write_segment_plot,
)
from theano_rnn.speech.segment_report import LabelledSpans, SegmentScores, folded
from theano_rnn.speech.segmentation import SegmentCounts, Segmenter, Segments, segment_probabilities
from theano_rnn.speech.segments import Segment, frame_time, segments_from_frames, with_gaps
from theano_rnn.tasks.frame_model import (
    FrameInput,
    FrameModel,
    Frames,
    frame_items,
    in_batches,
    parts,
    training_recordings,
)
from theano_rnn.tasks.minibatch_task import ReaderTask
from theano_rnn.tasks.tagging_report import FrameReport
from theano_rnn.tasks.task import PredictionOptions
from theano_rnn.tasks.task_options import TAG_FRAMES, reader_settings

Rows = npt.NDArray[np.float64]
Given = Mapping[str, Sequence[Segment]]

PARTS_AT_ONCE = 50
FRAMES_AT_ONCE = 5_000  # of the search for the best segmentation
FRAME_WEIGHT, PRIOR_WEIGHT = 1.0, 0.3  # see `theano_rnn.speech.segmentation.Segmenter`


class FrameTagger(FrameModel):
    """A network that reads a recording and tells the label of each frame, and from these the segments.

    Parameters
    ----------
    reader, labels, frames, training
        As for `theano_rnn.tasks.frame_model.FrameModel`.
    counts : SegmentCounts
        What the training segments tell about the order of labels and how long they last.

    Examples
    --------
    >>> from theano_rnn.encoders.reader_graph import ReaderSettings
    >>> reader = Reader(ReaderSettings(labels=2, frame_dim=3, hidden_dim=4, head="steps"), seed=1)
    >>> counts = SegmentCounts.of([[0, 0, 0, 1, 1, 1]], labels=2)
    >>> tagger = FrameTagger(reader, ["a", "b"], FrameInput([0, 0, 0], [1, 1, 1]), counts)
    >>> [found] = tagger.probabilities([np.zeros((5, 3))])
    >>> found.shape
    (5, 2)
    """

    task = TAG_FRAMES

    def __init__(
        self,
        reader: Reader,
        labels: Sequence[str],
        frames: FrameInput,
        counts: SegmentCounts,
        training: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(reader, labels, frames, training)
        if len(counts.frames) != len(self.labels):
            raise ArgumentValueError(f"counts: expected {len(self.labels)} labels, got {len(counts.frames)}")
        self.counts: SegmentCounts = counts

    def probabilities(self, recordings: Sequence[npt.ArrayLike]) -> list[npt.NDArray[np.float64]]:
        """The probability of each label in each frame.

        Parameters
        ----------
        recordings : sequence of arrays (frames, features)
            Features as in training; they are normalized here. A recording of more than 1,000 frames is read in parts,
            each with 100 frames before and after it.

        Returns
        -------
        list of arrays (frames, labels)
            Columns are in the order of `labels`; each row sums to 1.

        Raises
        ------
        TypeError, ValueError
            If an array is not of numbers, of another width, or has values that are not finite.
        """
        arrays = [np.asarray(one) for one in recordings]
        if not arrays:
            return []
        found = self.of_members(lambda one: one._probabilities(arrays))
        return [np.mean(of_recording, axis=0) for of_recording in zip(*found, strict=True)]

    def _probabilities(self, recordings: Sequence[npt.NDArray[Any]]) -> list[npt.NDArray[np.float64]]:
        """As `probabilities`, of this model alone."""
        found = [np.empty((len(one), len(self.labels))) for one in recordings]
        adapted = [self.frames.adapted(one) for one in recordings]
        places = [(number, *part) for number, one in enumerate(recordings) for part in parts(len(one))]
        for first in range(0, len(places), PARTS_AT_ONCE):
            some = places[first : first + PARTS_AT_ONCE]
            pieces = [self.frames.standardized(adapted[number][start:end]) for number, start, end, *_ in some]
            values = self.log_probabilities(frame_items(pieces, None, True))
            for (number, start, _, begin, stop), rows in zip(some, values, strict=True):
                p = np.exp(np.asarray(rows[begin - start : stop - start], np.float64))
                found[number][begin:stop] = p / p.sum(axis=1, keepdims=True)
        return found

    def predict(self, recordings: Sequence[npt.ArrayLike]) -> list[list[Segment]]:
        """The segments of each recording, without its name. Parameters and errors are those of `probabilities`."""
        return [self.segments(rows, "", self.frames.shift) for rows in self.probabilities(recordings)]

    def segments(self, probabilities: npt.NDArray[np.float64], name: str, shift: float) -> list[Segment]:
        """The segments of a recording with these probabilities (frames, labels), with times in seconds.

        The probability of a segment is the mean of the probabilities of its label in its frames.
        """
        found = self.segmentation(probabilities)
        labels = [self.labels[label] for label in found.labels.tolist()]
        shares = segment_probabilities(probabilities, found)
        return segments_from_frames(name, found.bounds[:-1], found.bounds[1:], labels, shift, shares)

    def segmentation(self, probabilities: npt.NDArray[np.float64]) -> Segments:
        """The best segmentation of a recording with these probabilities (frames, labels)."""
        segmenter = Segmenter(self.counts, FRAME_WEIGHT, PRIOR_WEIGHT)
        with np.errstate(divide="ignore"):
            for first in range(0, len(probabilities), FRAMES_AT_ONCE):
                segmenter.add(np.log(probabilities[first : first + FRAMES_AT_ONCE]))
        return segmenter.finish()

    # What predict.py shows

    def result_columns(self, options: PredictionOptions) -> list[str]:
        """The columns of segments, or of frames with the probability of each label."""
        self.check_nbest(options)
        if options.probabilities:
            return ["name", "start", "end", *self.labels]
        return list(COLUMNS)

    def results(self, reader: Any, options: PredictionOptions) -> Iterator[Sequence[Any]]:
        """Yield a row for each segment of the recordings, or for each frame."""
        for one, rows in self.read(reader):
            if not options.probabilities:
                for segment in self.segments(rows, one.name, one.shift):
                    yield [getattr(segment, column) for column in COLUMNS]
                continue
            for t, row in enumerate(rows.tolist()):
                yield one.name, frame_time(t, one.shift), frame_time(t + 1, one.shift), *row

    def segments_of(self, recordings: Recordings) -> Iterator[list[Segment]]:
        """Yield the segments of each recording."""
        for one, rows in self.read(recordings):
            yield self.segments(rows, one.name, one.shift)

    def write_frames(self, path: str | os.PathLike[str], recordings: Recordings) -> None:
        """Write the probability of each label in each frame; see `theano_rnn.speech.frame_output.write_frames`."""
        rows = ((one.name, rows) for one, rows in self.read(recordings))
        write_frames(path, self.labels, recordings.shift, rows)

    def given_segments(self, recordings: Recordings, tier: str | None = None) -> Given:
        """The segments in the files and folders that `recordings` was made of, if there are some, by recording.

        Parameters
        ----------
        recordings : Recordings
        tier : str, optional
            The tier of TextGrids. Default: that of training, else the only one.

        Raises
        ------
        CorpusError, OptionError
            As `theano_rnn.speech.label_files.read_segments`.
        """
        return read_segments_if_any(recordings.labels, recordings.rates, self._tier(recordings.labels, tier))

    def _tier(self, files: Sequence[SpeechFile], tier: str | None) -> str | None:
        """The tier to read: the given one, else that of training if there are TextGrids."""
        has_tiers = any(file.has_ending(TEXTGRID) for file in files)
        return self.training.get("options", {}).get("tier") if tier is None and has_tiers else tier

    def views(
        self, recordings: Recordings, seconds: Sequence[float], given: Given | None = None
    ) -> Iterator[RecordingView]:
        """Yield what a picture shows of the first recordings: so many seconds of each.

        The given segments are by default `given_segments`.
        """
        given = self.given_segments(recordings) if given is None else given
        for (one, rows), length in zip(self.read(recordings), seconds, strict=False):
            yield self.view(one, rows, length, self.segments(rows, one.name, one.shift), given.get(one.name))

    def view(
        self, one: Recording, rows: Rows, seconds: float, found: Sequence[Segment], given: Sequence[Segment] | None
    ) -> RecordingView:
        """What a picture shows of a recording with these probabilities and segments."""
        rate = None if self.frames.features is None else self.frames.features.rate
        return RecordingView.of(one, seconds, self.labels, rows, found, given, rate)

    def write_page(
        self,
        path: str | os.PathLike[str],
        readers: Iterable[Any],
        about: Mapping[str, str],
        given: Given | None = None,
    ) -> None:
        """Write a page that shows the segments of recordings, from `open_inputs`, and plays their sound."""
        [recordings] = readers
        durations = [recordings.durations[name] for name in recordings.names]
        about = {("recordings" if name == "text" else name): value for name, value in about.items()}
        write_segment_page(path, about, self.views(recordings, page_stretches(durations), given), durations)

    def draw(self, path: str | os.PathLike[str], recordings: Recordings, given: Given | None = None) -> None:
        """Draw the first recordings with their segments as PNG."""
        lengths = stretches((recordings.durations[name] for name in recordings.names), MOST_DRAWN, LONGEST_DRAWN)
        write_segment_plot(path, list(self.views(recordings, lengths, given)), len(recordings))

    def read(self, recordings: Recordings) -> Iterator[tuple[Recording, npt.NDArray[np.float64]]]:
        """Yield each recording with its probabilities."""
        for batch in in_batches(recordings):
            yield from zip(batch, self.probabilities([one.frames for one in batch]), strict=True)

    def evaluate(
        self,
        paths: Sequence[str],
        column: str | None = None,
        standard_input: BinaryIO | None = None,
        fold: Mapping[str, str] | None = None,
        tier: str | None = None,
    ) -> FrameReport:
        """Compare the segments found in recordings with the right ones.

        Parameters
        ----------
        paths, column, standard_input
            As for `FrameModel.open_inputs`. The files hold the right segments too.
        fold : dict of str to str, optional
            Labels to replace before the comparison, of the right and of the found segments.
        tier : str, optional
            The tier of TextGrids. Default: that of training, else the only one.

        Raises
        ------
        CorpusError
            If a file cannot be read, a recording lacks segments, or a label does not occur in training.
        OptionError
            If there are no files, or a column is given, or a tier without a TextGrid.
        """
        self.check_inputs(paths, column)
        files = find_speech_files(paths)
        recordings = self.recordings(files.recordings)
        segments = read_segments(files.labels, recordings.rates, self._tier(files.labels, tier))
        check_segments(recordings, segments, self.labels)
        scores = SegmentScores()
        fold = fold or {}
        labels = sorted({fold.get(label, label) for label in self.labels})
        places = {label: labels.index(fold.get(label, label)) for label in self.labels}
        folding = np.array([places[label] for label in self.labels])
        right, found, best = ([np.zeros(0, np.int64)] for _ in range(3))
        loss = 0.0
        views: list[RecordingView] = []
        for one, rows in self.read(recordings):
            numbers = label_numbers(recordings, one.name, len(rows), segments, self.labels)
            segmentation = self.segmentation(rows)
            right.append(folding[numbers])
            found.append(folding[segmentation.of_frames()])
            best.append(folding[rows.argmax(axis=1)])
            loss -= float(np.log(rows[np.arange(len(rows)), numbers]).sum())
            compared = segments[one.name], self.segments(rows, one.name, one.shift)
            if len(views) < MOST_DRAWN:
                views.append(self.view(one, rows, LONGEST_DRAWN, compared[1], compared[0]))
            of_both = with_gaps(compared[0], len(rows), one.shift), compared[1]
            scores.add(*(folded(spans(segments_of), fold) for segments_of in of_both))
        is_right = np.concatenate(best) == np.concatenate(right)
        mean_loss = None if fold else loss / len(is_right)
        accuracy = float(is_right.mean())
        right_ones, found_ones = np.concatenate(right), np.concatenate(found)
        return FrameReport(labels, right_ones, found_ones, mean_loss, scores, accuracy, views, len(recordings))

    # The file

    def more_configuration(self) -> dict[str, Any]:
        """What the model must know of the frames and of the segments."""
        return {**super().more_configuration(), "segments": self.counts.to_configuration()}

    @classmethod
    def more_arguments(cls, configuration: Mapping[str, Any]) -> dict[str, Any]:
        """The same. Raises KeyError, TypeError or ValueError if it is damaged."""
        counts = SegmentCounts.from_configuration(configuration["segments"])
        return {**super().more_arguments(configuration), "counts": counts}

    # Training

    @classmethod
    def training_task(
        cls,
        paths: Sequence[str],
        options: Any,
        note: Callable[[str], None],
        start: LanguageModel | None = None,
        saved: Mapping[str, Any] | None = None,
    ) -> ReaderTask:
        """Read recordings with their segments and make the task of a training run.

        Whole recordings are held out.

        Parameters
        ----------
        paths, options, note, start, saved
            As for `theano_rnn.tasks.classifier.Classifier.training_task`. `start` has no effect.

        Raises
        ------
        CorpusError
            If a file cannot be read, there are no recordings, one lacks segments, there are fewer than two labels, or
            held-out recordings have a label of their own.
        """
        data = training_recordings(paths, options)
        recordings, held_out = data.train, data.held_out
        segments = read_segments(data.labels, data.rates, options.tier)
        labels = sorted({segment.label for name in recordings.names for segment in segments.get(name, ())})
        if len(labels) < 2:
            found = f"only {labels[0]!r:.60}" if labels else "none"
            raise CorpusError(f"there must be at least two labels of segments to learn; found {found}")
        for part in filter(None, (recordings, held_out)):
            check_segments(part, segments, labels)
        everything = segment_items(recordings, segments, labels)
        train, valid = everything, None
        if held_out is not None:
            valid = segment_items(held_out, segments, labels)
        elif options.valid is None:
            train, valid = everything.split(options.valid_fraction, options.seed)
        frames = FrameInput.of(train.frames or [], recordings.shift, recordings.settings)
        counts = SegmentCounts.of(train.labels or [], len(labels))
        train, valid = normalized_parts(train, frames), None if valid is None else normalized_parts(valid, frames)
        note(summary(everything, valid, labels, recordings.shift))
        options = data.with_features(options.fitted_to(len(train)))
        settings = reader_settings(options, len(labels), (), "steps", frame_dim=len(frames.mean))
        check_memory(settings, options.optimizer, None, int(options.devices))
        reader = Reader(settings, seed=options.seed)

        def make_model(parameters: Mapping[str, np.ndarray], history: Sequence[dict[str, Any]]) -> FrameTagger:
            training = {"options": options.to_model_configuration(), "history": list(history)}
            return cls(Reader.from_values(settings, parameters), labels, frames, counts, training)

        return ReaderTask(reader, train, valid, options, make_model)


def segment_items(recordings: Recordings, segments: Given, labels: Sequence[str]) -> Items:
    """Items of whole recordings with the label of each frame, not normalized."""
    read = [(one.frames, label_numbers(recordings, one.name, len(one.frames), segments, labels)) for one in recordings]
    return frame_items([frames for frames, _ in read], [numbers for _, numbers in read], per_step=True)


def spans(segments: Sequence[Segment]) -> LabelledSpans:
    """The bounds of segments that touch, and their labels."""
    times = [*(one.start for one in segments), segments[-1].end]
    return LabelledSpans(np.array(times), [one.label for one in segments])


def normalized_parts(items: Items, frames: FrameInput) -> Items:
    """Normalize recordings and cut the long ones."""
    pieces: list[Frames] = []
    labels: list[Any] = []
    for one, numbers in zip(items.frames or [], items.labels or [], strict=True):
        values = frames.normalized(one)
        for *_, start, end in parts(len(values)):
            pieces.append(values[start:end])
            labels.append(numbers[start:end])
    return frame_items(pieces, labels, per_step=True)


def summary(everything: Items, valid: Items | None, labels: Sequence[str], shift: float) -> str:
    """What is learned, in one line."""
    held_out = "" if valid is None else f", {valid.tokens:,} frames held out"
    return f"{len(everything):,} recordings of {everything.tokens * shift:,.0f} s with {len(labels)} labels{held_out}"
