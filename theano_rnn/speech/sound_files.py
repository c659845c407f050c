"""Reads .wav files in blocks of mono samples at a chosen sampling rate. Libraries decode and resample them.

These libraries are optional. `library` imports one of them, or gives one clear error.
"""

import contextlib
import importlib
import os
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from theano_rnn.errors import CorpusError, OptionError
from theano_rnn.files.text_files import display_name

Samples = npt.NDArray[np.float32]

# As libsndfile names them. NIST is the format of the TIMIT corpus, whose files are called .wav too.
FORMATS = {"WAV", "WAVEX", "RF64", "W64", "NIST"}
UNCOMPRESSED = {"PCM_U8", "PCM_S8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"}
LOWEST_RATE, HIGHEST_RATE = 2000, 768000  # Hz
BLOCK_SECONDS = 10
NAMES = {"soundfile": "soundfile", "soxr": "soxr", "kaldi_native_fbank": "kaldi-native-fbank"}
"""Modules, and what pip calls them."""
REMEDY = "convert it to 16-bit PCM, for example with ffmpeg or sox"


class SoundProperties(NamedTuple):
    """What the header of a sound file says.

    Attributes
    ----------
    rate : int
        Samples per second (Hz) of each channel.
    channels : int
    samples : int
        Samples of each channel.
    """

    rate: int
    channels: int
    samples: int

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.samples / self.rate


def read_properties(path: str | os.PathLike[str]) -> SoundProperties:
    """Read the header of a .wav file, and check that its sound can be read.

    Raises
    ------
    CorpusError
        If the file is missing, empty, not a .wav file or compressed.
    OptionError
        If soundfile is not installed.
    """
    with _opened(path) as file:
        return SoundProperties(file.samplerate, file.channels, file.frames)


def read_blocks(path: str | os.PathLike[str], rate: int) -> Iterator[Samples]:
    """Yield the samples of a .wav file in blocks, so that memory does not grow with its length.

    Parameters
    ----------
    path : path
    rate : int
        Samples per second (Hz) that are wanted. Other rates are resampled by soxr, blocks being joined seamlessly.

    Yields
    ------
    float32 array (samples,)
        From -1 to 1, the mean of all channels.

    Raises
    ------
    CorpusError
        As `read_properties`, or if a sample is not a finite number.
    OptionError
        If soundfile or soxr is not installed.
    """
    with _opened(path) as file:
        own_rate = file.samplerate
        stream = None
        if own_rate != rate:
            stream = library("soxr").ResampleStream(own_rate, rate, 1, dtype="float32")
        position = 0
        block_size = BLOCK_SECONDS * own_rate // file.channels
        for channels in file.blocks(block_size, dtype="float32", always_2d=True):
            block = np.ascontiguousarray(channels.mean(axis=1, dtype=np.float32))
            if not np.isfinite(block).all():
                seconds = (position + int(np.argmin(np.isfinite(block)))) / own_rate
                raise CorpusError(
                    f"{display_name(path)}: the sample at {seconds:.3f} s is not a finite number; repair the file"
                )
            position += len(block)
            yield block if stream is None else stream.resample_chunk(block)
        if stream is not None:
            yield stream.resample_chunk(np.zeros(0, np.float32), last=True)


def library(module: str) -> Any:
    """Import a library of the extra ``speech``.

    Parameters
    ----------
    module : str
        A key of `NAMES`.

    Raises
    ------
    OptionError
        If it is not installed, or cannot be loaded.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        raise OptionError(
            f'.wav files need {NAMES[module]}, which is not installed; run pip install ".[speech]"'
        ) from None
    except OSError as error:  # soundfile, if its wheel came without the C library
        reason = " ".join(str(error).split())
        raise OptionError(
            f'.wav files need {NAMES[module]}, which cannot be loaded ({reason}); run pip install ".[speech]" again, '
            "or install the missing library (Debian, Ubuntu: apt install libsndfile1)"
        ) from None


@contextlib.contextmanager
def _opened(path: str | os.PathLike[str]) -> Iterator[Any]:
    """Open a sound file with soundfile. Its errors become CorpusError, also those of reading."""
    soundfile = library("soundfile")
    name = display_name(path)
    try:
        _check_beginning(path, name)
        with soundfile.SoundFile(os.fspath(path)) as file:
            if file.format not in FORMATS:
                raise CorpusError(f"{name}: holds {file.format} instead of a .wav sound; {REMEDY}")
            if file.subtype not in UNCOMPRESSED:
                raise CorpusError(f"{name}: the sound is compressed ({file.subtype}); {REMEDY}")
            if not LOWEST_RATE <= file.samplerate <= HIGHEST_RATE:
                raise CorpusError(
                    f"{name}: expected from {LOWEST_RATE:,} to {HIGHEST_RATE:,} samples per second, got "
                    f"{file.samplerate:,}"
                )
            if file.frames == 0:
                raise CorpusError(f"{name}: holds no samples; remove the file, or record it again")
            yield file
    except soundfile.SoundFileError as error:
        reason = " ".join(str(getattr(error, "error_string", error)).split()).rstrip(".")
        raise CorpusError(f"{name}: is not a .wav file that can be read ({reason}); {REMEDY}") from None
    except OSError as error:
        raise CorpusError(f"{name}: cannot be read: {error.strerror or error}; check the path") from None


def _check_beginning(path: str | os.PathLike[str], name: str) -> None:
    """Raise CorpusError for a file that is empty or that gzip or zip made, which libsndfile does not tell apart."""
    with open(path, "rb") as file:
        start = file.read(4)
    if not start:
        raise CorpusError(f"{name}: is empty; remove the file, or record it again")
    if start.startswith((b"\x1f\x8b", b"PK\x03\x04")):
        raise CorpusError(f"{name}: is a compressed file (gzip or zip), not a .wav file; unpack it")
