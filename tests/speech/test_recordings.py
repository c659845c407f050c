"""Recordings from .npz and .wav files: names, times, mistakes, memory."""

import logging
import tracemalloc

import numpy as np
import pytest
from support.sounds import tone

from theano_rnn.errors import CorpusError, OptionError
from theano_rnn.speech import recordings, sound_files
from theano_rnn.speech.features import FeatureSettings
from theano_rnn.speech.input_files import SpeechFile, find_speech_files
from theano_rnn.speech.recordings import Recordings

soundfile = pytest.importorskip("soundfile")
pytest.importorskip("soxr")
pytest.importorskip("kaldi_native_fbank")

FEATURES = np.arange(14, dtype=np.float32).reshape(7, 2)
GOOD = {"features": FEATURES, "lengths": np.array([3, 4]), "names": np.array(["a", "dr1/b"])}


@pytest.fixture
def npz(tmp_path):
    """Returns a function that writes an .npz of two recordings, with some arrays replaced, or left out if None."""

    def write(name="x.npz", **arrays):
        path = tmp_path / name
        np.savez(path, **{key: value for key, value in {**GOOD, **arrays}.items() if value is not None})
        return path

    return write


@pytest.fixture
def wav(tmp_path):
    """Returns a function that writes a .wav."""

    def write(name="a.wav", seconds=0.5, rate=16000, **options):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        soundfile.write(path, tone(seconds, rate, channels=options.pop("channels", 1)), rate, **options)
        return path

    return write


@pytest.mark.parametrize(
    "arrays",
    [
        {},
        {"features": FEATURES.astype(np.float16)},
        {"features": FEATURES.astype(np.float64), "names": np.array([b"a", b"dr1/b"])},
        {"features": np.asfortranarray(FEATURES.astype(np.int16)), "lengths": np.array([3, 4], np.uint8)},
        {"shift": np.float32(0.01), "phones": np.array(["x"])},
    ],
)
def test_an_npz_holds_recordings_one_after_the_other(npz, arrays):
    found = Recordings([npz(**arrays)])
    assert (found.names, found.dim, found.shift, found.settings) == (["a", "dr1/b"], 2, 0.01, None)
    for _ in range(2):
        first, second = found
        assert np.array_equal(first.frames, FEATURES[:3]) and np.array_equal(second.frames, FEATURES[3:])
        assert first.frames.dtype == np.float32 and first.frames.flags.c_contiguous
        assert (second.name, second.shift, second.duration) == ("dr1/b", 0.01, 0.04)


@pytest.mark.parametrize("arrays, message", [
    ({"lengths": None}, "x.npz: has no array lengths; expected features, lengths, names, and it holds features, names"),
    ({"lengths": np.array([3, 5])}, "x.npz: the lengths add up to 8 frames, but features has 7 of them"),
    ({"lengths": np.array([7, 0])}, "x.npz: lengths: recording 1 has 0 frames; remove it"),
    ({"lengths": np.array([3.0, 4.0])}, r"x.npz: lengths: expected whole numbers \(recordings,\), got float64"),
    ({"lengths": np.zeros(0, int)}, r"x.npz: lengths: expected whole numbers .* of shape \(0,\)"),
    ({"names": np.array(["a"])}, "x.npz: names: expected one for each of the 2 lengths, got the shape"),
    ({"names": np.array(["a", "a"])}, "x.npz: names: recording 1 is called a like another"),
    ({"names": np.array(["", "a"])}, "x.npz: names: recording 0 has no name"),
    ({"names": np.array(["a", 1], object)}, "x.npz: is not a readable .npz file: .* names holds object"),
    ({"features": FEATURES.ravel()}, r"x.npz: features: expected numbers \(frames, n\), got float32 of shape \(14,\)"),
    ({"features": FEATURES[:, :0]}, r"x.npz: features: expected numbers \(frames, n\)"),
    ({"features": FEATURES > 1}, r"x.npz: features: expected numbers \(frames, n\), got bool"),
    ({"shift": np.array(10)}, "x.npz: shift: expected the seconds between frames, such as 0.01, got 10"),
    ({"shift": np.array(np.nan)}, "x.npz: shift: expected the seconds between frames"),
])  # fmt: skip
def test_an_npz_of_something_else_is_rejected(npz, arrays, message):
    with pytest.raises(CorpusError, match=message) as caught:
        Recordings([npz(**arrays)])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value, shown", [(np.nan, "nan"), (np.inf, "inf"), (1e300, r"1e\+300")])
def test_features_that_are_not_finite_are_reported_with_recording_and_frame(npz, value, shown):
    features = FEATURES.astype(np.float64)
    features[5, 1] = value
    with pytest.raises(CorpusError, match=f"x.npz: recording dr1/b, frame 2: feature 1 is {shown}; expected finite"):
        list(Recordings([npz(features=features)]))


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 truncated"])
def test_damaged_archives_are_rejected_in_one_line(write, content):
    with pytest.raises(CorpusError, match="x.npz: is not a readable .npz file"):
        Recordings([write("x.npz", content)])


def test_an_npz_that_cannot_be_opened_is_reported(tmp_path):
    with pytest.raises(CorpusError, match="x.npz: cannot be read: No such file or directory; check the path"):
        Recordings([SpeechFile("x", tmp_path / "x.npz")])


def test_an_npz_with_a_damaged_array_is_reported(npz):
    path = npz()
    data = bytearray(path.read_bytes())
    start = data.index(FEATURES.tobytes())
    data[start] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(CorpusError, match="x.npz: is .*CRC"):
        list(Recordings([path]))


def test_every_truncation_and_many_changes_of_an_npz_are_errors_of_one_line(npz, write):
    whole = npz().read_bytes()
    random = np.random.default_rng(0)
    for number in range(200):
        data = bytearray(whole[: random.integers(len(whole))] if number % 2 else whole)
        if number % 2 == 0:
            data[random.integers(len(data))] ^= 1 << random.integers(8)
        try:
            list(Recordings([write("y.npz", bytes(data))]))
        except CorpusError as error:
            assert "\n" not in str(error)


def test_all_frames_have_the_width_and_the_shift_of_the_model(npz):
    paths = [npz(), npz("y.npz", features=np.zeros((7, 3)), names=np.array(["c", "d"]))]
    with pytest.raises(CorpusError, match="y.npz: the frames have 3 features, and those in .*x.npz have 2"):
        Recordings(paths)
    with pytest.raises(CorpusError, match="x.npz: the frames have 2 features, and the model reads 40"):
        Recordings(paths[:1], dim=40)
    with pytest.raises(CorpusError, match="y.npz: the frames are 0.02 s apart, and those in .*x.npz 0.01 s"):
        Recordings([npz(), npz("y.npz", shift=np.array(0.02), names=np.array(["c", "d"]))])
    with pytest.raises(CorpusError, match="y.npz: the frames are 0.02 s apart, and the model's 0.01 s"):
        Recordings([paths[1].parent / "y.npz"], FeatureSettings())


def test_names_are_distinct_among_all_files(npz):
    with pytest.raises(CorpusError, match="y.npz: recording a is also in .*x.npz; give each a name of its own"):
        Recordings([npz(), npz("y.npz")])


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 44100])
@pytest.mark.parametrize("settings", [None, FeatureSettings()])
def test_frames_of_sounds_end_within_a_frame_of_the_recording(wav, rate, settings, caplog):
    found = Recordings([wav("a.wav", 1.2345, rate), wav("b.wav", 0.3, rate, channels=2)], settings)
    for one in found:
        assert one.frames.shape == (round(one.duration / 0.01), 40)
        assert abs(len(one.frames) * one.shift - one.duration) < 0.01
    assert found.durations == {"a": round(1.2345 * rate) / rate, "b": round(0.3 * rate) / rate}
    assert found.rates == {"a": rate, "b": rate}


@pytest.mark.parametrize("rate", [11025, 22050, 44100])
def test_the_end_of_a_sound_of_100_seconds_has_not_drifted(wav, rate, tmp_path):
    sound = np.zeros(100 * rate, np.float32)
    sound[round(99.005 * rate)] = 1
    soundfile.write(tmp_path / "a.wav", sound, rate)
    (one,) = Recordings([tmp_path / "a.wav"])
    assert len(one.frames) == 10000 and np.argmax(one.frames.mean(axis=1)) == 9900


def test_different_rates_are_resampled_and_lower_ones_are_noted(wav, caplog):
    with caplog.at_level(logging.WARNING):
        Recordings([wav("low.wav", rate=8000), wav("high.wav")], FeatureSettings())
    assert "low.wav: 8000 samples per second, fewer than the model's 16000 (1 such files)" in caplog.text
    assert Recordings([wav("low.wav", rate=8000), wav("high.wav")]).settings.rate == 8000


def test_folders_and_files_found_before_give_the_same_recordings(wav, tmp_path):
    wav("d/a.wav")
    wav("d/b.wav")
    assert Recordings([tmp_path]).names == Recordings(find_speech_files([tmp_path]).recordings).names == ["d/a", "d/b"]


def test_sounds_that_the_model_cannot_read_are_rejected(wav):
    with pytest.raises(CorpusError, match="a.wav: the model reads frames of 26 features from .npz files, not sounds"):
        Recordings([wav()], dim=26)
    with pytest.raises(CorpusError, match=r"a.wav: is shorter than half a frame \(0.005 s\); remove it"):
        list(Recordings([wav(seconds=0.004)]))
    with pytest.raises(CorpusError, match="a.wav: recording .*a is also in"):
        Recordings([wav(), wav()])
    with pytest.raises(OptionError, match="^files: expected recordings .*, got none"):
        Recordings([])


def test_a_missing_library_shows_before_sounds_are_read_and_frames_need_none(wav, npz, monkeypatch):
    def missing(module):
        if module == "soxr":
            raise OptionError(f"{module} is missing")

    monkeypatch.setattr(recordings, "library", missing)
    with pytest.raises(OptionError, match="soxr is missing"):
        Recordings([wav()])
    assert len(Recordings([npz()])) == 2


def test_memory_does_not_grow_with_the_sound(tmp_path, monkeypatch):
    # A minute at 48 kHz is 11.5 MB of float32 samples, and its frames 1 MB.
    monkeypatch.setattr(sound_files, "BLOCK_SECONDS", 1)
    path = tmp_path / "long.wav"
    soundfile.write(path, np.tile(tone(1, 48000), 60), 48000)
    tracemalloc.start()
    (one,) = Recordings([path])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert one.frames.shape == (6000, 40)
    assert peak < 5e6
