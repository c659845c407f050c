"""Acoustic features of sounds: log-mel energies or MFCC, computed by kaldi-native-fbank.

Frame i lasts from ``i * shift`` to ``(i + 1) * shift`` seconds, and its window is centered in it. At both ends of the
sound, the samples that windows lack are mirrored.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from theano_rnn.checks import check_choice, check_count, check_real
from theano_rnn.errors import ArgumentTypeError, OptionError
from theano_rnn.speech.sound_files import LOWEST_RATE, Samples, library

Frames = npt.NDArray[np.float32]

DEFAULT_NUMBERS = {"log-mel": 40, "mfcc": 13}
HIGHEST_DEFAULT_RATE = 16000  # Hz; speech has little above 8 kHz
MEL_BANDS_OF_MFCC = 23
MOST_FEATURES = 128
FULL_SCALE = 32768  # Kaldi expects 16-bit samples
LOWEST_ENERGY = 4.0  # nats; about the log energies of the rounding errors of 16-bit samples
LOUD_PERCENTILE = 99  # of the loudness of frames; at least one frame in a hundred must be of speech
LOUD_RANGE = 4.6  # nats of energy (20 dB) below it; the frames in this range decide how loud a sound is
DECIBELS = 60.0  # that a spectrogram shows
QUIETEST_PEAK = 1e-6  # power relative to a full-scale sine; so that a silent recording is white in a spectrogram
COLUMNS_AT_ONCE = 2000


@dataclass(frozen=True)
class FeatureSettings:
    """How features are computed. A model keeps these settings, so that all sounds are treated alike.

    Parameters
    ----------
    kind : {"log-mel", "mfcc"}
    number : int, optional
        Features per frame. Default: 40 log-mel energies, or 13 MFCC.
    rate : int
        Samples per second (Hz). Sounds of other rates are resampled.
    window : float
        Seconds of sound that each frame sees.
    shift : float
        Seconds between frames. Windows and shifts must be whole numbers of samples; otherwise times would drift.

    Raises
    ------
    OptionError, ArgumentTypeError, ArgumentValueError
        If a setting is out of range.

    Examples
    --------
    >>> FeatureSettings().number, FeatureSettings("mfcc", rate=8000).number
    (40, 13)
    """

    kind: str = "log-mel"
    number: int = 0
    rate: int = HIGHEST_DEFAULT_RATE
    window: float = 0.025
    shift: float = 0.010

    def __post_init__(self) -> None:
        check_choice("kind", self.kind, DEFAULT_NUMBERS)
        if self.number == 0:
            object.__setattr__(self, "number", DEFAULT_NUMBERS[self.kind])
        check_count("number", self.number)
        if self.number > MOST_FEATURES:
            raise OptionError(f"number: expected at most {MOST_FEATURES} features per frame, got {self.number}")
        check_count("rate", self.rate, LOWEST_RATE)
        check_real("window", self.window, above=0)
        check_real("shift", self.shift, above=0)
        if (_exact(self.shift) * self.rate).denominator > 1 or (_exact(self.window) * self.rate).denominator > 1:
            step = _rate_step(self.window, self.shift)
            raise OptionError(
                f"rate: expected a multiple of {step} Hz, so that `window` and `shift` are whole numbers of samples, "
                f"got {self.rate}"
            )

    @property
    def shift_samples(self) -> int:
        """Samples between frames."""
        return int(_exact(self.shift) * self.rate)

    @property
    def window_samples(self) -> int:
        """Samples in a window."""
        return int(_exact(self.window) * self.rate)

    def to_dict(self) -> dict[str, Any]:
        """Return the settings for a model file, as JSON can hold them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "FeatureSettings":
        """Return the settings that `to_dict` has given.

        Raises
        ------
        ArgumentTypeError
            If a setting is missing or unknown. All others are checked too.
        """
        names = set(cls.__dataclass_fields__)
        if not isinstance(values, Mapping) or set(values) != names:
            raise ArgumentTypeError(f"values: expected the settings {', '.join(sorted(names))}, got {values!r}")
        return cls(**values)


def settings_for_rates(rates: Iterable[int], kind: str = "log-mel", number: int = 0) -> FeatureSettings:
    """Choose settings for training on sounds of the given rates: the lowest rate, at most 16 kHz.

    Parameters
    ----------
    rates : iterable of int
        Samples per second (Hz) of each sound, at least one.
    kind, number
        See `FeatureSettings`.

    Examples
    --------
    >>> settings_for_rates([44100, 22050]).rate, settings_for_rates([44100, 11025]).rate
    (16000, 11000)
    """
    rate = min(HIGHEST_DEFAULT_RATE, *rates)
    step = _rate_step(FeatureSettings.window, FeatureSettings.shift)
    return FeatureSettings(kind, number, rate - rate % step)


def count_frames(samples: int, settings: FeatureSettings) -> int:
    """Count the frames of a sound: its length divided by the shift, rounded half up.

    Parameters
    ----------
    samples : int
        At the rate of `settings`.
    settings : FeatureSettings
    """
    return (samples + settings.shift_samples // 2) // settings.shift_samples


def compute_features(blocks: Iterable[Samples], settings: FeatureSettings) -> Frames:
    """Compute the features of a sound. They do not depend on how the sound is divided into blocks.

    Parameters
    ----------
    blocks : iterable of float32 arrays (samples,)
        From -1 to 1, at the rate of `settings`. They are consumed one by one.
    settings : FeatureSettings

    Returns
    -------
    float32 array (frames, features)
        Natural logarithms of energies, or MFCC, the first of which is the log energy of the frame. There are no frames
        if the sound is shorter than half a shift.

    Raises
    ------
    OptionError
        If kaldi-native-fbank is not installed or refuses the settings.
    """
    extractor = _extractor(settings)
    parts: list[Frames] = []
    done = 0

    def take_frames() -> None:
        nonlocal done
        ready = extractor.num_frames_ready
        if ready > done:
            # Each frame is a view of the extractor's memory, and `stack` copies it.
            parts.append(np.stack([extractor.get_frame(i) for i in range(done, ready)]))
            extractor.pop(ready - done)
            done = ready

    for block in blocks:
        if len(block):
            extractor.accept_waveform(settings.rate, np.ascontiguousarray(block, np.float32) * np.float32(FULL_SCALE))
            take_frames()
    extractor.input_finished()
    take_frames()
    frames = np.concatenate(parts) if parts else np.zeros((0, settings.number), np.float32)
    energies = _energies(frames, settings)
    np.maximum(energies, np.float32(LOWEST_ENERGY), out=energies)
    return frames


def loudness(frames: Frames, settings: FeatureSettings) -> float:
    """The loudness of a sound in nats of energy: the mean over its loud frames, so that silence does not change it.

    Parameters
    ----------
    frames : float32 array (frames, features)
        From `compute_features`, at least one.
    settings : FeatureSettings

    Examples
    --------
    >>> loudness(np.array([[5, 7], [6, 8], [-4, -4]], np.float32), FeatureSettings(number=2))
    6.5
    """
    of_frames = _energies(frames, settings).mean(axis=1, dtype=np.float64)
    return float(of_frames[of_frames >= np.percentile(of_frames, LOUD_PERCENTILE) - LOUD_RANGE].mean())


def amplified(frames: Frames, nats: float, settings: FeatureSettings) -> Frames:
    """The features of a sound whose energy is larger by a factor of ``exp(nats)``.

    Examples
    --------
    >>> amplified(np.array([[5, 7]], np.float32), -0.5, FeatureSettings(number=2)).tolist()
    [[4.5, 6.5]]
    """
    found = frames.copy()
    _energies(found, settings)[...] += np.float32(nats)
    return found


def _energies(frames: Frames, settings: FeatureSettings) -> Frames:
    """The features that are log energies, as a view: all, or the first of the MFCC."""
    return frames if settings.kind == "log-mel" else frames[:, :1]


def spectrogram(samples: Samples, rate: int, shift: float = 0.005, window: float = 0.01) -> Frames:
    """Compute how loud each frequency is at each time, for pictures. Short windows show single sounds.

    Parameters
    ----------
    samples : float32 array (samples,)
        From -1 to 1.
    rate : int
        Samples per second (Hz).
    shift, window : float
        Seconds. Window i is centered at ``(i + 0.5) * shift``.

    Returns
    -------
    float32 array (columns, frequencies)
        From 0, 60 dB below the loudest or less, to 1. Frequencies are equally spaced from 0 to half the rate. High ones
        are raised by 6 dB per octave. There is at least one column.

    Examples
    --------
    >>> spectrogram(np.zeros(16000, np.float32), 16000).shape
    (200, 129)
    """
    width = max(int(window * rate), 2)
    size = 1 << (width - 1).bit_length()
    emphasized = np.diff(samples, prepend=np.float32(0))
    columns = max(math.ceil(len(samples) / rate / shift - 0.5), 1)
    starts = np.round((np.arange(columns) + 0.5) * shift * rate).astype(np.int64)
    padded = np.pad(emphasized, (width // 2, width + int(shift * rate)))
    taper = np.hanning(width + 2)[1:-1].astype(np.float32)
    power = np.empty((columns, size // 2 + 1), np.float32)
    for first in range(0, columns, COLUMNS_AT_ONCE):
        pieces = padded[starts[first : first + COLUMNS_AT_ONCE, None] + np.arange(width)] * taper
        power[first : first + COLUMNS_AT_ONCE] = np.abs(np.fft.rfft(pieces, size)) ** 2
    highest = max(float(power.max()), QUIETEST_PEAK * float(taper.sum() / 2) ** 2)
    levels = 10 * np.log10(np.maximum(power / highest, 1e-20)) / DECIBELS + 1
    return np.clip(levels, 0, 1).astype(np.float32)


def _extractor(settings: FeatureSettings) -> Any:
    """Make Kaldi's feature extractor."""
    kaldi = library("kaldi_native_fbank")
    is_mfcc = settings.kind == "mfcc"
    options = kaldi.MfccOptions() if is_mfcc else kaldi.FbankOptions()
    options.frame_opts.samp_freq = settings.rate
    # Kaldi computes whole numbers of samples from milliseconds and rounds down. A quarter of a sample makes sure that
    # this gives the right number whatever its rounding errors.
    options.frame_opts.frame_shift_ms = 1000 * (settings.shift_samples + 0.25) / settings.rate
    options.frame_opts.frame_length_ms = 1000 * (settings.window_samples + 0.25) / settings.rate
    options.frame_opts.dither = 0
    options.frame_opts.snip_edges = False  # centers windows in their frames
    options.mel_opts.num_bins = max(settings.number, MEL_BANDS_OF_MFCC) if is_mfcc else settings.number
    if is_mfcc:
        options.num_ceps = settings.number
        options.use_energy = True  # the first coefficient is the log energy of the frame
    try:
        return kaldi.OnlineMfcc(options) if is_mfcc else kaldi.OnlineFbank(options)
    except (ValueError, RuntimeError) as error:
        raise OptionError(
            f"number: {settings.number} features cannot be computed: {' '.join(str(error).split())}"
        ) from None


def _exact(seconds: float) -> Fraction:
    """The number that a float is meant to be, such as 1/100 for 0.01."""
    return Fraction(repr(float(seconds)))


def _rate_step(window: float, shift: float) -> int:
    """The sampling rates for which window and shift are whole numbers of samples are the multiples of this one."""
    return math.lcm(_exact(window).denominator, _exact(shift).denominator)
