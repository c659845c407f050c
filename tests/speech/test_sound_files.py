"""Sounds of every width, channel count and rate, in blocks; everything that is not such a sound."""

import gzip

import numpy as np
import pytest
from support.sounds import tone

from theano_rnn.errors import CorpusError
from theano_rnn.speech import sound_files
from theano_rnn.speech.sound_files import SoundProperties, read_blocks, read_properties

soundfile = pytest.importorskip("soundfile")
pytest.importorskip("soxr")


def samples(path, rate):
    return np.concatenate(list(read_blocks(path, rate)))


@pytest.mark.parametrize(
    "subtype, error",
    [("PCM_U8", 0.01), ("PCM_16", 4e-5), ("PCM_24", 1e-6), ("PCM_32", 1e-6), ("FLOAT", 1e-6), ("DOUBLE", 1e-6)],
)
def test_every_uncompressed_width_gives_the_same_samples(tmp_path, subtype, error):
    sound = tone(0.5, 16000)
    soundfile.write(tmp_path / "a.wav", sound, 16000, subtype=subtype)
    assert read_properties(tmp_path / "a.wav") == SoundProperties(16000, 1, 8000)
    assert np.abs(samples(tmp_path / "a.wav", 16000) - sound).max() <= error


def test_timits_own_format_is_read(tmp_path):
    sound = tone(0.1, 16000)
    soundfile.write(tmp_path / "SA1.WAV", sound, 16000, format="NIST", subtype="PCM_16")
    assert np.abs(samples(tmp_path / "SA1.WAV", 16000) - sound).max() <= 4e-5


def test_channels_are_averaged(tmp_path):
    sound = tone(0.1, 16000)
    soundfile.write(tmp_path / "a.wav", np.stack([sound, 0 * sound], axis=1), 16000, subtype="FLOAT")
    assert np.abs(samples(tmp_path / "a.wav", 16000) - sound / 2).max() < 1e-7


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 48000])
def test_a_resampled_sound_is_the_sound_recorded_at_the_other_rate(tmp_path, rate):
    # Below 2 kHz, where all harmonics are. The noise of `tone` would differ.
    times, wanted = (np.arange(round(0.5 * one)) / one for one in (rate, 16000))
    soundfile.write(tmp_path / "a.wav", np.sin(2 * np.pi * 440 * times), rate, subtype="FLOAT")
    found, expected = samples(tmp_path / "a.wav", 16000), np.sin(2 * np.pi * 440 * wanted)
    assert abs(len(found) - len(expected)) <= 1
    middle = slice(400, -400)
    assert np.abs(found[: len(expected)][middle] - expected[: len(found)][middle]).max() < 1e-3


def test_blocks_do_not_change_the_samples(tmp_path, monkeypatch):
    soundfile.write(tmp_path / "a.wav", tone(3.7, 22050), 22050, subtype="FLOAT")
    whole = samples(tmp_path / "a.wav", 16000)
    monkeypatch.setattr(sound_files, "BLOCK_SECONDS", 1)
    blocks = list(read_blocks(tmp_path / "a.wav", 16000))
    assert len(blocks) == 5 and np.array_equal(np.concatenate(blocks), whole)


@pytest.mark.parametrize(
    "content, message",
    [
        (b"", "a.wav: is empty; remove the file"),
        (b"RIFF", "a.wav: is not a .wav file that can be read"),
        (b"He went home.\n" * 9, "a.wav: is not a .wav file that can be read .*; convert it to 16-bit PCM"),
        (gzip.compress(b"x", mtime=0), "a.wav: is a compressed file .gzip or zip., not a .wav file; unpack it"),
    ],
)
def test_other_files_called_wav_are_rejected_in_one_line(write, content, message):
    path = write("a.wav", content)
    with pytest.raises(CorpusError, match=message) as caught:
        read_properties(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("options, message", [
    ({"format": "FLAC"}, "a.wav: holds FLAC instead of a .wav sound; convert it"),
    ({"format": "OGG"}, "a.wav: holds OGG instead of a .wav sound"),
    ({"format": "WAV", "subtype": "ULAW"}, r"a.wav: the sound is compressed \(ULAW\); convert it"),
    ({"format": "WAV", "subtype": "IMA_ADPCM"}, r"a.wav: the sound is compressed \(IMA_ADPCM\)"),
])  # fmt: skip
def test_compressed_sounds_are_rejected(tmp_path, options, message):
    soundfile.write(str(tmp_path / "a.wav"), tone(0.2, 16000), 16000, **options)
    with pytest.raises(CorpusError, match=message):
        read_properties(tmp_path / "a.wav")


def test_sounds_without_samples_or_of_impossible_rates_or_with_nan_are_rejected(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, np.zeros(0), 16000)
    with pytest.raises(CorpusError, match="a.wav: holds no samples"):
        read_properties(path)
    for rate in (100, 1000000):
        soundfile.write(path, np.zeros(10), rate)
        with pytest.raises(CorpusError, match=f"expected from 2,000 to 768,000 samples per second, got {rate:,}"):
            read_properties(path)
    sound = tone(0.5, 16000)
    sound[4000] = np.nan
    soundfile.write(path, sound, 16000, subtype="FLOAT")
    with pytest.raises(CorpusError, match=r"a.wav: the sample at 0\.250 s is not a finite number"):
        samples(path, 16000)


def test_missing_files_are_reported(tmp_path):
    with pytest.raises(CorpusError, match="a.wav: cannot be read: No such file"):
        read_properties(tmp_path / "a.wav")
