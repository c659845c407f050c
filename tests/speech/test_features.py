"""Log-mel energies and MFCC: times of frames at any rate, blocks, settings."""

import json

import numpy as np
import pytest
from support.sounds import tone

from theano_rnn.errors import ArgumentTypeError, ArgumentValueError, OptionError
from theano_rnn.speech import features
from theano_rnn.speech.features import (
    FeatureSettings,
    amplified,
    compute_features,
    count_frames,
    loudness,
    settings_for_rates,
    spectrogram,
)

pytest.importorskip("kaldi_native_fbank")


def test_defaults_are_40_log_mel_energies_of_25_ms_every_10_ms():
    settings = FeatureSettings()
    assert (settings.kind, settings.number, settings.window_samples, settings.shift_samples) == (
        "log-mel",
        40,
        400,
        160,
    )
    found = compute_features([tone(1, 16000)], settings)
    assert found.shape == (100, 40) and found.dtype == np.float32 and np.isfinite(found).all()
    assert np.array_equal(found, compute_features([tone(1, 16000)], settings))


def speech_like(generator, seconds=1.0, rate=16000):
    """Noise whose loudness goes up and down, with digital silence at the end."""
    times = np.arange(round(seconds * rate)) / rate
    sound = generator.normal(size=len(times)) * 0.1 * np.sin(6 * np.pi * times) ** 4 * (times < 0.9 * seconds)
    return sound.astype(np.float32)


@pytest.mark.parametrize("kind", ["log-mel", "mfcc"])
@pytest.mark.parametrize("factor", [4, 0.1])
def test_the_features_of_an_amplified_sound_are_known(kind, factor):
    sound, settings = speech_like(np.random.default_rng(0)), FeatureSettings(kind)
    expected, found = (compute_features([one], settings) for one in (sound, sound * np.float32(factor)))
    nats = 2 * np.log(factor)
    assert loudness(found, settings) == pytest.approx(loudness(expected, settings) + nats, abs=1e-3)
    loud = expected[:, 0] > np.percentile(expected[:, 0], 50)  # quiet frames have the lowest energy
    np.testing.assert_allclose(amplified(expected, nats, settings)[loud], found[loud], atol=0.02)


@pytest.mark.parametrize("seconds", [1, 20])
def test_added_silence_hardly_changes_the_loudness(seconds):
    generator, settings = np.random.default_rng(0), FeatureSettings()
    sound, silence = speech_like(generator), generator.normal(size=16000 * seconds).astype(np.float32) * 1e-4
    expected, found = (loudness(compute_features(one, settings), settings) for one in ([sound], [sound, silence]))
    assert found == pytest.approx(expected, abs=0.7)  # 3 dB


def test_silence_has_a_lowest_energy_whatever_its_samples_are():
    silence, settings = np.zeros(1600, np.float32), FeatureSettings()
    assert (compute_features([silence], settings) == features.LOWEST_ENERGY).all()
    assert (compute_features([silence], FeatureSettings("mfcc"))[:, 0] == features.LOWEST_ENERGY).all()


def test_energies_follow_the_loudness():
    settings = FeatureSettings()
    loud, soft = (compute_features([tone(0.5, 16000) * factor], settings) for factor in (1, 0.5))
    assert np.abs(loud - soft - 2 * np.log(2)).max() < 1e-3


@pytest.mark.parametrize("rate", [8000, 11000, 16000])
@pytest.mark.parametrize("frequency", [300, 1000, 3000])
def test_a_pure_tone_is_in_the_band_of_its_frequency(rate, frequency):
    sound = 0.5 * np.sin(2 * np.pi * frequency * np.arange(rate) / rate).astype(np.float32)
    found = compute_features([sound], FeatureSettings(rate=rate)).mean(axis=0)
    # Centers of 40 bands from 20 Hz to half the rate, equally spaced in mel.
    lowest, highest, wanted = (1127 * np.log(1 + f / 700) for f in (20, rate / 2, frequency))
    centers = lowest + (highest - lowest) * np.arange(1, 41) / 41
    assert abs(np.argmax(found) - np.argmin(np.abs(centers - wanted))) <= 1


def test_mfcc_are_computed_on_request():
    assert compute_features([tone(0.5, 16000)], FeatureSettings("mfcc")).shape == (50, 13)
    assert compute_features([tone(0.5, 16000)], FeatureSettings("mfcc", 30)).shape == (50, 30)


@pytest.mark.parametrize(
    "settings", [FeatureSettings(), FeatureSettings("mfcc", rate=8000), FeatureSettings(rate=11000)]
)
def test_blocks_do_not_change_the_features(settings):
    sound = tone(2.345, settings.rate)
    whole = compute_features([sound], settings)
    for size in (1000, 7919):
        blocks = [sound[start : start + size] for start in range(0, len(sound), size)]
        assert np.array_equal(compute_features([*blocks, sound[:0]], settings), whole)


@pytest.mark.parametrize("rate", [8000, 11000, 16000, 22000, 44000, 47800])
def test_frames_do_not_drift_over_100_seconds(rate):
    settings = FeatureSettings(rate=rate, number=20)
    sound = np.zeros(100 * rate, np.float32)
    sound[round(99.004 * rate)] = 1  # a click within the frame from 99.00 to 99.01 s, close to its middle
    found = compute_features([sound], settings)
    assert len(found) == 10000
    assert np.argmax(found.mean(axis=1)) == 9900


@pytest.mark.parametrize("samples", [0, 1, 79, 80, 100, 239, 240, 401, 16000])
def test_the_last_frame_ends_within_half_a_frame_of_the_end(samples):
    settings = FeatureSettings()
    found = compute_features([tone(1, 16000)[:samples]], settings)
    assert found.shape == (count_frames(samples, settings), 40)
    assert abs(len(found) * 0.01 - samples / 16000) <= 0.005 + 1e-9


@pytest.mark.parametrize(
    "rates, rate",
    [([16000], 16000), ([48000, 44100], 16000), ([8000, 16000], 8000), ([11025], 11000), ([22050], 16000)],
)
def test_the_rate_for_training_is_the_lowest_up_to_16_khz_and_divides_into_frames(rates, rate):
    settings = settings_for_rates(rates)
    assert settings.rate == rate
    assert settings.shift_samples / rate == 0.01 and settings.window_samples / rate == 0.025


def test_settings_survive_json():
    settings = FeatureSettings("mfcc", 20, 8000)
    assert FeatureSettings.from_dict(json.loads(json.dumps(settings.to_dict()))) == settings
    with pytest.raises(ArgumentTypeError, match="values: expected the settings kind, number, rate, shift, window"):
        FeatureSettings.from_dict({"kind": "mfcc"})


@pytest.mark.parametrize("values, error, message", [
    ({"kind": "plp"}, ArgumentValueError, "^kind: expected one of log-mel, mfcc, got 'plp'"),
    ({"number": -1}, ArgumentValueError, "^number: expected at least 1"),
    ({"number": 500}, OptionError, "^number: expected at most 128"),
    ({"rate": 100}, ArgumentValueError, "^rate: expected at least 2000"),
    ({"rate": 11025}, OptionError, "^rate: expected a multiple of 200 Hz, .* got 11025"),
    ({"shift": 0}, ArgumentValueError, "^shift: expected a number above 0"),
    ({"window": "long"}, ArgumentTypeError, "^window: expected a number"),
])  # fmt: skip
def test_wrong_settings_are_rejected(values, error, message):
    with pytest.raises(error, match=message):
        FeatureSettings(**values)


def test_more_bands_than_the_spectrum_has_are_rejected():
    with pytest.raises(OptionError, match="^number: 128 features cannot be computed: "):
        compute_features([tone(0.1, 2000)], FeatureSettings(rate=2000, number=128))


def test_a_missing_library_is_reported(monkeypatch):
    def missing(module):
        raise OptionError(f"{module} is missing")

    monkeypatch.setattr(features, "library", missing)
    with pytest.raises(OptionError, match="kaldi_native_fbank is missing"):
        compute_features([], FeatureSettings())


@pytest.mark.parametrize("rate", [8000, 16000, 22050])
def test_a_spectrogram_shows_a_tone_at_its_frequency_and_time(rate):
    samples = np.zeros(rate, np.float32)
    times = np.arange(rate // 4, rate // 2) / rate
    samples[rate // 4 : rate // 2] = 0.3 * np.sin(2 * np.pi * 1000 * times)
    found = spectrogram(samples, rate)
    assert found.shape[0] == 200 and found.min() == 0 and found.max() == 1
    column, frequency = np.unravel_index(found.argmax(), found.shape)
    assert 50 <= column < 100 and abs(frequency / (found.shape[1] - 1) * rate / 2 - 1000) < 150
    assert not found[:48].any() and not found[102:].any()


def test_spectrograms_of_silence_and_of_few_samples_are_possible():
    assert not spectrogram(np.zeros(8000, np.float32), 8000).any()
    assert len(spectrogram(np.ones(1, np.float32), 8000)) == 1


def test_a_spectrogram_does_not_depend_on_how_many_columns_are_computed_at_once(monkeypatch):
    sound = tone(1, 8000)
    expected = spectrogram(sound, 8000)
    monkeypatch.setattr(features, "COLUMNS_AT_ONCE", 7)
    np.testing.assert_allclose(spectrogram(sound, 8000), expected, atol=1e-5)
