"""The base of the models that read frames of recordings: normalization, long recordings in parts, inputs in files."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, BinaryIO, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from theano_rnn.checks import check_flag, check_real
from theano_rnn.encoders.items import Items
from theano_rnn.encoders.reader import Reader
from theano_rnn.errors import ArgumentTypeError, ArgumentValueError, CorpusError, OptionError
from theano_rnn.files.text_files import display_name
from theano_rnn.speech.features import FeatureSettings, amplified, loudness
from theano_rnn.speech.input_files import SpeechFile, find_speech_files
from theano_rnn.speech.recordings import Recording, Recordings
from theano_rnn.tasks.reader_model import ReaderModel
from theano_rnn.tasks.task import PredictionOptions
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import SPECIAL_TOKENS, Vocabulary

LONGEST_PART = 1000  # frames; a longer recording is read in parts
CONTEXT = 100  # frames before and after a part, which are read but not labelled
FRAMES_AT_ONCE = 20_000
LOUDNESS_PERCENTILES = (10, 90)  # of the training sounds
SMALLEST_DEVIATION = 1e-6  # of a feature that is always the same

Frames = npt.NDArray[np.float32]
M = TypeVar("M", bound="FrameModel")


@dataclass(frozen=True, eq=False)
class FrameInput:
    """What a model must know of the frames that it reads.

    Parameters
    ----------
    mean, deviation : sequence of float (features,)
        Of each feature in the training part. Features are normalized with them.
    shift : float
        Seconds between frames.
    features : FeatureSettings, optional
        How frames are computed from sounds. None: the model reads .npz files.
    is_centered : bool
        Whether the mean of each feature over a recording is subtracted first. Logarithms of energies then depend
        neither on how loud a recording is nor on the frequency response of the microphone.
    loudness : pair of float, optional
        A quiet and a loud sound of the training part, in nats of energy. A sound beyond them is brought to the nearest
        of both, because loudness depends on the distance of the microphone and the settings of the recorder. None:
        loudness is not changed, as with .npz files, whose features may be anything.

    Raises
    ------
    TypeError, ValueError
        If there is no feature, the lengths differ, or a value is out of range.

    Examples
    --------
    >>> seen = FrameInput.of([np.array([[1, 5], [3, 5]], np.float32)], shift=0.01)
    >>> seen.normalized(np.array([[3, 6]])).tolist()
    [[1.0, 1.0]]
    """

    mean: Sequence[float]
    deviation: Sequence[float]
    shift: float = FeatureSettings.shift
    features: FeatureSettings | None = None
    is_centered: bool = False
    loudness: Sequence[float] | None = None

    def __post_init__(self) -> None:
        if not len(self.mean) or len(self.mean) != len(self.deviation):
            raise ArgumentValueError(
                f"deviation: expected as many as means, at least 1, got {len(self.mean)} and {len(self.deviation)}"
            )
        for name, values in (("mean", self.mean), ("deviation", self.deviation)):
            for value in values:
                check_real(name, value, **({} if name == "mean" else {"above": 0}))
        check_real("shift", self.shift, above=0)
        check_flag("is_centered", self.is_centered)
        if self.loudness is not None:
            quiet, loud = (check_real("loudness", value) for value in self.loudness)
            if quiet > loud or self.features is None:
                found = "no `features`" if self.features is None else f"{quiet:g} and {loud:g}"
                raise ArgumentValueError(f"loudness: expected a quiet and a loud sound, got {found}")

    @classmethod
    def of(
        cls,
        recordings: Sequence[Frames],
        shift: float = FeatureSettings.shift,
        features: FeatureSettings | None = None,
        is_centered: bool = False,
    ) -> "FrameInput":
        """Measure means and deviations of recordings, each an array (frames, features)."""
        if not recordings:
            raise ArgumentValueError("recordings: expected at least one, got none")
        limits: list[float] | None = None
        if features is not None:
            limits = np.percentile([loudness(one, features) for one in recordings], LOUDNESS_PERCENTILES).tolist()
        zeros = [0.0] * recordings[0].shape[1]
        seen = cls(zeros, [1.0] * len(zeros), shift, features, is_centered, limits)
        count, total, squares = 0, np.zeros(1), np.zeros(1)
        origin = mean_of(seen.adapted(recordings[0]))  # so that the squares lose no digits
        for frames in recordings:
            values = seen.adapted(frames) - origin
            count, total, squares = count + len(values), total + values.sum(axis=0), squares + (values**2).sum(axis=0)
        mean = total / count
        deviation = np.sqrt(np.maximum(squares / count - mean**2, 0))
        deviation[deviation < SMALLEST_DEVIATION] = 1.0
        return replace(seen, mean=(origin + mean).tolist(), deviation=deviation.tolist())

    def normalized(self, frames: npt.ArrayLike) -> Frames:
        """Frames (frames, features) with mean 0 and deviation 1, as far as they are like the training part.

        Parameters
        ----------
        frames : array (frames, features)
            A whole recording.

        Raises
        ------
        TypeError, ValueError
            If this is not an array of numbers of this width.
        """
        return self.standardized(self.adapted(frames))

    def adapted(self, frames: npt.ArrayLike) -> npt.NDArray[Any]:
        """A whole recording at a loudness as in the training part, and centered with `is_centered`.

        Parameters and errors are those of `normalized`.
        """
        values = np.asarray(frames)
        self.check(values)
        if not np.isfinite(values).all():
            raise ArgumentValueError("frames: expected finite numbers, got NaN or infinite ones")
        if not len(values):
            return values
        if self.loudness is not None and self.features is not None:
            own = loudness(values, self.features)
            quiet, loud = self.loudness
            nats = min(max(own, quiet), loud) - own
            values = amplified(values, nats, self.features) if nats else values
        return values - mean_of(values) if self.is_centered else values

    def standardized(self, frames: npt.NDArray[Any]) -> Frames:
        """Frames from `adapted`, or a part of them, with the mean and the deviation of the training part removed."""
        found: Frames = ((frames - np.array(self.mean)) / np.array(self.deviation)).astype(np.float32)
        return found

    def check(self, frames: npt.NDArray[Any]) -> None:
        """Raise TypeError or ValueError unless this is an array of numbers of the right width."""
        if frames.dtype.kind not in "iuf":
            raise ArgumentTypeError(f"frames: expected an array of numbers, got one of {frames.dtype}")
        if frames.ndim != 2 or frames.shape[1] != len(self.mean):
            raise ArgumentValueError(f"frames: expected arrays (frames, {len(self.mean)}), got shape {frames.shape}")

    def to_configuration(self) -> dict[str, Any]:
        """Return all this as a dict that JSON can write."""
        features = None if self.features is None else self.features.to_dict()
        return {
            "mean": list(self.mean),
            "deviation": list(self.deviation),
            "shift": self.shift,
            "features": features,
            "is_centered": self.is_centered,
            "loudness": None if self.loudness is None else list(self.loudness),
        }

    @classmethod
    def from_configuration(cls, configuration: Mapping[str, Any]) -> "FrameInput":
        """Return what `to_configuration` describes; KeyError, TypeError or ValueError if it is damaged."""
        features = configuration["features"]
        return cls(
            configuration["mean"],
            configuration["deviation"],
            configuration["shift"],
            None if features is None else FeatureSettings.from_dict(features),
            configuration["is_centered"],
            configuration["loudness"],
        )


class FrameModel(ReaderModel):
    """A network that reads the frames of recordings.

    Parameters
    ----------
    reader, labels, training
        As for `theano_rnn.tasks.reader_model.ReaderModel`.
    frames : FrameInput

    Raises
    ------
    ValueError
        If the network reads frames of another width.
    """

    reads_words = False

    def __init__(
        self, reader: Reader, labels: Sequence[str], frames: FrameInput, training: dict[str, Any] | None = None
    ) -> None:
        super().__init__(reader, labels, Vocabulary(SPECIAL_TOKENS), Tokenizer(), training)
        if reader.settings.frame_dim != len(frames.mean):
            raise ArgumentValueError(f"frames: expected {reader.settings.frame_dim} features, got {len(frames.mean)}")
        self.frames: FrameInput = frames

    def __repr__(self) -> str:
        settings = self.reader.settings
        return (
            f"{type(self).__name__}({len(self.labels)} labels, {settings.frame_dim} features, cell={settings.cell!r}, "
            f"hidden_dim={settings.hidden_dim})"
        )

    def averaged_with(self: M, others: Sequence[ReaderModel]) -> M:
        """As `ReaderModel.averaged_with`; ValueError also if the models read other features or shifts."""
        averaged = super().averaged_with(others)
        for other in others:
            assert isinstance(other, FrameModel)
            if (other.frames.features, other.frames.shift) != (self.frames.features, self.frames.shift):
                raise ArgumentValueError("others: expected models that read the same features")
        return averaged

    def encode(self, recordings: Iterable[npt.ArrayLike]) -> Items:
        """Convert the frames of recordings, each of which has some, to items without labels."""
        return frame_items(
            [self.frames.normalized(one) for one in recordings], None, self.reader.settings.label_head.per_step
        )

    # Files

    def more_configuration(self) -> dict[str, Any]:
        """What the model must know of the frames."""
        return {"frames": self.frames.to_configuration()}

    @classmethod
    def more_arguments(cls, configuration: Mapping[str, Any]) -> dict[str, Any]:
        """What the model must know of the frames. Raises KeyError, TypeError or ValueError if it is damaged."""
        return {"frames": FrameInput.from_configuration(configuration["frames"])}

    # What predict.py shows

    def open_inputs(
        self, paths: Sequence[str], standard_input: BinaryIO | None = None, column: str | None = None
    ) -> Iterator[Any]:
        """Yield the recordings in all files.

        Raises
        ------
        OptionError
            If there are no files, because recordings cannot come from standard input, or a column is given.
        CorpusError
            If a file cannot be read, or its frames are not those that the model reads.
        """
        self.check_inputs(paths, column)
        yield self.recordings(paths)

    def recordings(self, paths: Sequence[str | os.PathLike[str]] | Sequence[Any]) -> Recordings:
        """The recordings in files, as frames that this model reads."""
        return Recordings(paths, self.frames.features, self.reader.settings.frame_dim, self.frames.shift)

    def check_inputs(self, paths: Sequence[str], column: str | None) -> None:
        """Raise OptionError if there are no files, or a column is given."""
        if column is not None:
            raise self.no_effect("column")
        if not paths:
            raise OptionError("files: recordings are read from .wav or .npz files; name one")

    def check_nbest(self, options: PredictionOptions) -> None:
        """Raise OptionError if a number of answers is given."""
        if options.nbest is not None:
            raise OptionError(f"nbest: has no effect with a model for the task {self.task!r}; use `probabilities`")


class TrainingRecordings(NamedTuple):
    """The recordings of a training run.

    Attributes
    ----------
    train : Recordings
    held_out : Recordings or None
        Those of the option `valid`.
    labels : list of SpeechFile
        The files with the labels of both.
    """

    train: Recordings
    held_out: Recordings | None
    labels: list[SpeechFile]

    @property
    def rates(self) -> dict[str, int]:
        """Samples per second (Hz) of all recordings, by name."""
        return {**self.train.rates, **({} if self.held_out is None else self.held_out.rates)}

    def with_features(self, options: Any) -> Any:
        """The options of the run with the kind of features that it has, so that a resumed run keeps it."""
        settings = self.train.settings
        return options if settings is None else replace(options, features=settings.kind)


def training_recordings(paths: Sequence[str], options: Any) -> TrainingRecordings:
    """Find the recordings and labels of a training run. Only their headers are read.

    Parameters
    ----------
    paths : sequence of str
        Files and folders.
    options : theano_rnn.training.options.TrainingOptions

    Raises
    ------
    CorpusError
        If a file cannot be read, or the held-out frames are of another kind.
    OptionError
        If there are no recordings, also none that are held out, or `features` is given for .npz files.
    """
    files = find_speech_files(paths)
    train = Recordings(files.recordings, kind=options.features or FeatureSettings.kind)
    if options.features is not None and train.settings is None:
        raise OptionError("features: are computed from .wav files, and .npz files hold them; leave it out")
    if options.valid is None:
        return TrainingRecordings(train, None, files.labels)
    more = find_speech_files([options.valid])
    if not more.recordings:
        raise OptionError(f"valid: expected recordings (.wav, .npz, or a folder of .wav files), got {options.valid}")
    held_out = Recordings(more.recordings, train.settings, train.dim, train.shift)
    for name in held_out.names:
        if name in train.paths:
            place = display_name(held_out.paths[name])
            raise CorpusError(f"{place}: recording {name} is also in {display_name(train.paths[name])}")
    return TrainingRecordings(train, held_out, [*files.labels, *more.labels])


def mean_of(frames: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """The mean of each feature over the frames of a recording."""
    return np.asarray(frames, np.float64).mean(axis=0)


def frame_items(recordings: Sequence[Frames], labels: Sequence[Any] | None, per_step: bool) -> Items:
    """Items of normalized frames."""
    return Items([np.zeros((1, len(one)), np.int32) for one in recordings], labels, recordings, per_step=per_step)


def in_batches(recordings: Iterable[Recording]) -> Iterator[list[Recording]]:
    """Yield several recordings at a time, of together about `FRAMES_AT_ONCE` frames, or a longer one by itself."""
    batch: list[Recording] = []
    frames = 0
    for one in recordings:
        if batch and frames + len(one.frames) > FRAMES_AT_ONCE:
            yield batch
            batch, frames = [], 0
        batch.append(one)
        frames += len(one.frames)
    if batch:
        yield batch


def parts(frames: int) -> list[tuple[int, int, int, int]]:
    """How a recording is read: start and end of each part with its context, and start and end of what is kept of it.

    Examples
    --------
    >>> parts(1000)
    [(0, 1000, 0, 1000)]
    >>> parts(2500)
    [(0, 934, 0, 834), (734, 1767, 834, 1667), (1567, 2500, 1667, 2500)]
    """
    count = -(-frames // LONGEST_PART)
    bounds = [-(-frames * i // count) for i in range(count + 1)] if count else []
    return [
        (max(start - CONTEXT, 0), min(end + CONTEXT, frames), start, end)
        for start, end in zip(bounds, bounds[1:], strict=False)
    ]
