"""Labels of whole recordings: `RecordingClassifier`, the model, and the task that a training run learns."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from theano_rnn.encoders.items import Items
from theano_rnn.encoders.reader import Reader
from theano_rnn.errors import ArgumentValueError, CorpusError
from theano_rnn.language_models.language_model import LanguageModel
from theano_rnn.large_vocabularies.memory_need import check_memory
from theano_rnn.speech.input_files import find_speech_files
from theano_rnn.speech.label_files import read_recording_labels, recording_numbers
from theano_rnn.speech.recordings import Recording, Recordings
from theano_rnn.tasks.classification_report import ClassificationReport
from theano_rnn.tasks.frame_model import (
    FrameInput,
    FrameModel,
    Frames,
    frame_items,
    in_batches,
    mean_of,
    training_recordings,
)
from theano_rnn.tasks.minibatch_task import ReaderTask
from theano_rnn.tasks.task import PredictionOptions
from theano_rnn.tasks.task_options import CLASSIFY_FRAMES, reader_settings

LONGEST_RECORDING = 6000  # frames; the rest of a recording is not read
MOST_COMPARED = 1000  # recordings that decide whether they are centered
PARTS = 3  # of a recording; a linear classifier reads the means of the features in each
NEEDED_GAIN = 0.05  # accuracy of the linear classifier


class RecordingClassifier(FrameModel):
    """A network that reads a recording and tells which label it has, such as a word or a speaker.

    Parameters and attributes are those of `theano_rnn.tasks.frame_model.FrameModel`.

    Examples
    --------
    >>> from theano_rnn.encoders.reader_graph import ReaderSettings
    >>> reader = Reader(ReaderSettings(labels=2, frame_dim=3, hidden_dim=4), seed=1)
    >>> classifier = RecordingClassifier(reader, ["no", "yes"], FrameInput([0, 0, 0], [1, 1, 1]))
    >>> classifier.probabilities([np.zeros((5, 3)), np.ones((7, 3))]).shape
    (2, 2)
    """

    task = CLASSIFY_FRAMES

    def probabilities(self, recordings: Sequence[npt.ArrayLike]) -> npt.NDArray[np.float64]:
        """The probability of each label for each recording.

        Parameters
        ----------
        recordings : sequence of arrays (frames, features), frames >= 1
            Features as in training; they are normalized here.

        Returns
        -------
        array (recordings, labels)
            Columns are in the order of `labels`; each row sums to 1.

        Raises
        ------
        TypeError, ValueError
            If an array has no frame, is not of numbers, is of another width, or has values that are not finite.
        """
        if not len(recordings):
            return np.zeros((0, len(self.labels)))
        if not all(map(len, map(np.atleast_1d, recordings))):
            raise ArgumentValueError("recordings: expected at least one frame in each, got none")
        return np.mean(self.of_members(lambda one: one._probabilities(recordings)), axis=0)

    def _probabilities(self, recordings: Sequence[npt.ArrayLike]) -> npt.NDArray[np.float64]:
        values = [self.frames.normalized(np.atleast_1d(one)[:LONGEST_RECORDING]) for one in recordings]
        found = np.exp(np.array(list(self.log_probabilities(frame_items(values, None, False))), np.float64))
        return found / found.sum(axis=1, keepdims=True)

    def predict(self, recordings: Sequence[npt.ArrayLike]) -> list[str]:
        """The most probable label of each recording. Parameters and errors are those of `probabilities`."""
        return [self.labels[i] for i in self.probabilities(recordings).argmax(axis=1)]

    # What predict.py shows

    def result_columns(self, options: PredictionOptions) -> list[str]:
        """Name, label and probability, or the name and one column for the probability of each label."""
        self.check_nbest(options)
        if options.page:
            raise self.no_page()
        return ["name", *self.labels] if options.probabilities else ["name", "label", "probability"]

    def results(self, reader: Any, options: PredictionOptions) -> Iterator[Sequence[Any]]:
        """Yield a row for each recording."""
        for one, row in self.read(reader):
            best = row.argmax()
            yield [one.name, *(row.tolist() if options.probabilities else [self.labels[best], float(row[best])])]

    def read(self, recordings: Iterable[Recording]) -> Iterator[tuple[Recording, npt.NDArray[np.float64]]]:
        """Yield each recording with its probabilities."""
        for batch in in_batches(recordings):
            yield from zip(batch, self.probabilities([one.frames for one in batch]), strict=True)

    def evaluate(
        self, paths: Sequence[str], column: str | None = None, standard_input: BinaryIO | None = None
    ) -> ClassificationReport:
        """Compare the most probable labels with those in tables.

        Raises
        ------
        CorpusError
            If a file cannot be read, a recording has no label, or a label does not occur in training.
        OptionError
            If there are no files, or a column is given.
        """
        self.check_inputs(paths, column)
        files = find_speech_files(paths)
        recordings = self.recordings(files.recordings)
        labels = read_recording_labels(files.labels, recordings.names)
        right = recording_numbers(recordings, labels, self.labels)
        found, loss = [], 0.0
        for (_, row), number in zip(self.read(recordings), right, strict=True):
            found.append(int(row.argmax()))
            loss -= float(np.log(row[number]))
        return ClassificationReport(self.labels, right, found, loss / len(right))

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
        """Read labelled recordings and make the task of a training run.

        Recordings are centered, which helps with other voices, rooms and microphones, unless `labels_need_means`.

        Parameters
        ----------
        paths, options, note, start, saved
            As for `theano_rnn.tasks.classifier.Classifier.training_task`. `start` has no effect.

        Raises
        ------
        CorpusError
            If a file cannot be read, there are no recordings, one has no label, there are fewer than two labels, or
            held-out recordings have a label of their own.
        """
        data = training_recordings(paths, options)
        recordings, held_out = data.train, data.held_out
        of_names = read_recording_labels(data.labels, data.rates)
        labels = sorted({of_names[name][0] for name in recordings.names if name in of_names})
        if len(labels) < 2:
            found = f"only {labels[0]!r:.60}" if labels else "none"
            raise CorpusError(f"there must be recordings with at least two labels to learn from; found {found}")
        numbers = recording_numbers(recordings, of_names, labels)
        held_out_numbers = [] if held_out is None else recording_numbers(held_out, of_names, labels)
        train, valid = recording_items(recordings, numbers), None
        if held_out is not None:
            valid = recording_items(held_out, held_out_numbers)
        elif options.valid is None:
            train, valid = train.split(options.valid_fraction, options.seed)
        is_centered = not labels_need_means(train.frames or [], train.labels or [])
        frames = FrameInput.of(train.frames or [], recordings.shift, recordings.settings, is_centered)
        train, valid = normalized_items(train, frames), None if valid is None else normalized_items(valid, frames)
        held = "" if valid is None else f", {len(valid):,} held out"
        note(f"{len(train):,} recordings of {len(labels)} labels{held}{', each centered' if is_centered else ''}")
        options = data.with_features(options.fitted_to(len(train)))
        settings = reader_settings(options, len(labels), (), "text", frame_dim=len(frames.mean))
        check_memory(settings, options.optimizer, None, int(options.devices))
        reader = Reader(settings, seed=options.seed)

        def make_model(parameters: Mapping[str, np.ndarray], history: Sequence[dict[str, Any]]) -> RecordingClassifier:
            training = {"options": options.to_model_configuration(), "history": list(history)}
            return cls(Reader.from_values(settings, parameters), labels, frames, training)

        return ReaderTask(reader, train, valid, options, make_model)


def labels_need_means(recordings: Sequence[Frames], labels: Sequence[int]) -> bool:
    """Whether centering each recording would remove what tells its label: the voice of a speaker, but not a word.

    A linear classifier reads the means of the features in each part of a recording. The labels need the means of whole
    recordings if it is clearly better with them than without.

    Parameters
    ----------
    recordings : sequence of arrays (frames, features), frames >= 1
    labels : sequence of int
    """
    members = np.random.default_rng(0).permutation(len(recordings))[:MOST_COMPARED]
    vectors = np.array([means_of_parts(recordings[i]) for i in members])
    centered = vectors - np.array([np.tile(mean_of(recordings[i]), PARTS) for i in members])
    chosen = np.asarray(labels)[members]
    return linear_accuracy(vectors, chosen) > linear_accuracy(centered, chosen) + NEEDED_GAIN


def means_of_parts(frames: Frames) -> npt.NDArray[np.float64]:
    """The means of the features in the first, the second, … part of a recording: (PARTS * features,)."""
    places = np.arange(max(len(frames), PARTS)) * len(frames) // max(len(frames), PARTS)
    return np.concatenate([mean_of(frames[one]) for one in np.array_split(places, PARTS)])


def linear_accuracy(vectors: npt.NDArray[np.float64], labels: npt.NDArray[np.integer]) -> float:
    """The share of right labels of a ridge regression, each item being left out of the data that it learns from.

    Parameters
    ----------
    vectors : array (items, n)
    labels : int array (items,)

    Examples
    --------
    >>> linear_accuracy(np.array([[0.0], [0.2], [0.9], [1.0]]), np.array([0, 0, 1, 1]))
    1.0
    """
    deviation = vectors.std(axis=0)
    x = (vectors - vectors.mean(axis=0)) / np.where(deviation > 0, deviation, 1)
    targets = (labels[:, None] == np.unique(labels)).astype(np.float64)
    targets -= targets.mean(axis=0)
    u, s, _ = np.linalg.svd(x, full_matrices=False)
    shares = s**2 / (s**2 + x.shape[1])
    # The error of an item that is left out, from its error among all: divided by 1 - its leverage.
    leverage = (u**2) @ shares + 1 / len(x)
    errors = (targets - u @ (shares[:, None] * (u.T @ targets))) / np.maximum(1 - leverage, 1e-9)[:, None]
    return float(((targets - errors).argmax(axis=1) == np.unique(labels, return_inverse=True)[1]).mean())


def recording_items(recordings: Recordings, numbers: Sequence[int]) -> Items:
    """Items of whole recordings with their labels, not normalized."""
    return frame_items([one.frames[:LONGEST_RECORDING] for one in recordings], numbers, per_step=False)


def normalized_items(items: Items, frames: FrameInput) -> Items:
    """Normalize recordings."""
    return frame_items([frames.normalized(one) for one in items.frames or []], items.labels, per_step=False)
