"""Recordings as frames of acoustic features, one at a time: from .npz files, or computed from .wav files."""

import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from theano_rnn.errors import CorpusError, OptionError
from theano_rnn.files.text_files import display_name
from theano_rnn.speech.features import FeatureSettings, Frames, compute_features, count_frames, settings_for_rates
from theano_rnn.speech.input_files import SOUND, SpeechFile, find_speech_files
from theano_rnn.speech.npz_frames import NpzFrames
from theano_rnn.speech.sound_files import NAMES, library, read_blocks, read_properties

logger = logging.getLogger(__name__)

RATE_OF_TIMIT = 16000  # Hz; of the sample numbers in .phn files, if the sound itself is not there


@dataclass(frozen=True)
class Recording:
    """One recording.

    Attributes
    ----------
    name : str
    frames : float32 array (frames, features)
    shift : float
        Frame i lasts from ``i * shift`` to ``(i + 1) * shift`` seconds.
    duration : float
        Length in seconds: of the sound, or of all frames if there is no sound.
    path : pathlib.Path
        The file.
    """

    name: str
    frames: Frames
    shift: float
    duration: float
    path: Path


class Recordings:
    """All recordings of some files and folders. Iterating reads them one by one, so that memory stays bounded.

    Parameters
    ----------
    files : sequence of paths, or of SpeechFile
        .npz or .wav files, or folders of .wav files.
    settings : FeatureSettings, optional
        How to compute the features of .wav files: those of the model. Default: `settings_for_rates`, for training.
    dim : int, optional
        The features per frame that a model reads.
    shift : float, optional
        The seconds between the frames that a model reads.
    kind : {"log-mel", "mfcc"}
        What to compute from .wav files if `settings` are not given.

    Attributes
    ----------
    files : list of SpeechFile
    labels : list of SpeechFile
        The labels among the files and in the folders; they are not read here.
    names : list of str
    paths : dict of str to pathlib.Path
        The file of each recording, by name.
    lengths : dict of str to int
        Frames of each recording, by name. Those of a sound that must be resampled may differ by one.
    settings : FeatureSettings or None
        None for .npz files.
    shift : float
        Seconds between frames.
    dim : int
        Features per frame.
    durations : dict of str to float
        Seconds, by name.
    rates : dict of str to int
        Samples per second (Hz) of each sound, by name; for .npz files 16,000.

    Raises
    ------
    CorpusError
        If a file cannot be read or is of the wrong kind, the widths or shifts of frames differ, or two recordings have
        the same name.
    OptionError
        If there are no recordings, or a library is missing.
    """

    def __init__(
        self,
        files: Sequence[str | os.PathLike[str]] | Sequence[SpeechFile],
        settings: FeatureSettings | None = None,
        dim: int | None = None,
        shift: float | None = None,
        kind: str = FeatureSettings.kind,
    ) -> None:
        self.files: list[SpeechFile] = [file for file in files if isinstance(file, SpeechFile)]
        more = find_speech_files([f for f in files if not isinstance(f, SpeechFile)])
        self.files += more.recordings
        self.labels: list[SpeechFile] = more.labels
        if not self.files:
            raise OptionError("files: expected recordings (.wav, .npz, or folders of .wav files), got none")
        self.settings: FeatureSettings | None = None
        self._npz: list[NpzFrames] = []
        if self.files[0].has_ending(SOUND):
            self._prepare_sounds(settings, dim, kind)
        else:
            self._prepare_frames(settings.shift if settings else shift, dim)

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[Recording]:
        """Yield each recording.

        Raises
        ------
        CorpusError
            If a sound or a frame cannot be read, or holds something other than finite numbers.
        """
        for npz in self._npz if len(self._npz) > 1 else []:
            for _ in npz:  # so that an error comes before any is yielded
                break
        for npz in self._npz:
            for name, frames in npz:
                yield Recording(name, frames, npz.shift, self.durations[name], npz.path)
        if self.settings is not None:
            for file in self.files:
                frames = compute_features(read_blocks(file.path, self.settings.rate), self.settings)
                self._check_length(file.name, len(frames))
                yield Recording(file.name, frames, self.shift, self.durations[file.name], file.path)

    def _prepare_sounds(self, settings: FeatureSettings | None, dim: int | None, kind: str) -> None:
        """Read the headers of all sounds and load the libraries, so that mistakes show before long work."""
        if settings is None and dim is not None:
            raise CorpusError(
                f"{display_name(self.files[0].path)}: the model reads frames of {dim} features from .npz files, not "
                "sounds; compute the same features, or train a model on .wav files"
            )
        for module in NAMES:
            library(module)
        properties = [read_properties(file.path) for file in self.files]
        self.names = [file.name for file in self.files]
        self.rates = {name: sound.rate for name, sound in zip(self.names, properties, strict=True)}
        self.durations = {name: sound.duration for name, sound in zip(self.names, properties, strict=True)}
        self.paths = {file.name: file.path for file in self.files}
        _check_distinct(self.names, [display_name(file.path) for file in self.files])
        self.settings = settings or settings_for_rates(self.rates.values(), kind)
        self.shift, self.dim = self.settings.shift, self.settings.number
        self.lengths = {
            name: count_frames(round(duration * self.settings.rate), self.settings)
            for name, duration in self.durations.items()
        }
        for name, length in self.lengths.items():
            self._check_length(name, length)
        low = [number for number, sound in enumerate(properties) if sound.rate < self.settings.rate]
        if low:
            logger.warning(
                "%s: %d samples per second, fewer than the model's %d (%d such files); frequencies are missing",
                display_name(self.files[low[0]].path),
                properties[low[0]].rate,
                self.settings.rate,
                len(low),
            )

    def _check_length(self, name: str, length: int) -> None:
        """Raise CorpusError for a recording without frames."""
        if not length:
            place = display_name(self.paths[name])
            raise CorpusError(f"{place}: is shorter than half a frame ({self.shift / 2:g} s); remove it")

    def _prepare_frames(self, shift: float | None, dim: int | None) -> None:
        """Read the names and lengths in all .npz files."""
        self._npz = [NpzFrames(file.path) for file in self.files]
        self.names = [name for npz in self._npz for name in npz.names]
        _check_distinct(self.names, [npz.place for npz in self._npz for _ in npz.names])
        first = self._npz[0]
        self.dim, self.shift = first.dim if dim is None else dim, first.shift if shift is None else shift
        for npz in self._npz:
            if npz.dim != self.dim:
                other = f"those in {first.place} have" if dim is None else "the model reads"
                raise CorpusError(f"{npz.place}: the frames have {npz.dim} features, and {other} {self.dim}")
            if npz.shift != self.shift:
                other = f"those in {first.place}" if shift is None else "the model's"
                raise CorpusError(f"{npz.place}: the frames are {npz.shift:g} s apart, and {other} {self.shift:g} s")
        self.paths = {name: npz.path for npz in self._npz for name in npz.names}
        lengths = [length for npz in self._npz for length in npz.lengths.tolist()]
        self.lengths = dict(zip(self.names, lengths, strict=True))
        self.durations = {name: length * self.shift for name, length in self.lengths.items()}
        self.rates = dict.fromkeys(self.names, RATE_OF_TIMIT)


def _check_distinct(names: Sequence[str], places: Sequence[str]) -> None:
    """Raise CorpusError if two recordings have the same name."""
    seen: dict[str, str] = {}
    for name, place in zip(names, places, strict=True):
        if name in seen:
            raise CorpusError(f"{place}: recording {name} is also in {seen[name]}; give each a name of its own")
        seen[name] = place
