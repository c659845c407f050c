"""The sample of recordings: made again byte for byte, exact boundaries, and the best possible result by enumeration."""

import itertools
import random
import runpy
import wave
from pathlib import Path

import numpy as np
import pytest

DATA = Path(__file__).resolve().parents[2] / "data"
MAKER = runpy.run_path(str(DATA / "make_speech.py"))
FOLLOWERS, PHONES = MAKER["FOLLOWERS"], MAKER["PHONES"]


def segments_in(folder):
    rows = (folder / "segments.tsv").read_text(encoding="utf-8").splitlines()
    assert rows[0] == "name\tstart\tend\tlabel"
    found = {}
    for row in rows[1:]:
        name, start, end, label = row.split("\t")
        found.setdefault(name, []).append((float(start), float(end), label))
    return found


@pytest.mark.slow
def test_the_script_writes_the_shipped_files_again(tmp_path):
    MAKER["main"](["--output", str(tmp_path)])
    written = sorted(path.name for path in (tmp_path / "speech").iterdir())
    assert written == sorted(path.name for path in (DATA / "speech").iterdir())
    for name in written:
        assert (tmp_path / "speech" / name).read_bytes() == (DATA / "speech" / name).read_bytes(), name


def test_the_script_writes_a_shipped_recording_again():
    first = next(MAKER["recordings"](MAKER["DEFAULT_SEED"], 1, 1, MAKER["SECONDS"]))
    samples = MAKER["sound"](first.segments, first.speaker, random.Random(first.seed))
    with wave.open(str(DATA / "speech" / f"{first.name}.wav")) as file:
        shipped = file.readframes(file.getnframes())
    assert samples[: len(shipped)] == shipped


def test_another_seed_gives_other_recordings(tmp_path):
    MAKER["main"](
        ["--output", str(tmp_path), "--seed", "2", "--speakers", "2", "--recordings", "1", "--seconds", "0.5"]
    )
    assert sorted(path.name for path in (tmp_path / "speech").glob("*.wav")) == ["speaker01-1.wav", "speaker02-1.wav"]
    assert segments_in(tmp_path / "speech")["speaker01-1"] != segments_in(DATA / "speech")["speaker01-1"]


def test_segments_touch_and_cover_each_recording():
    found = segments_in(DATA / "speech")
    assert len(found) == len(list((DATA / "speech").glob("*.wav"))) == 36
    for name, segments in found.items():
        with wave.open(str(DATA / "speech" / f"{name}.wav")) as file:
            assert (file.getframerate(), file.getsampwidth(), file.getnchannels()) == (8000, 1, 1)
            assert segments[-1][1] == file.getnframes() / 8000
        assert segments[0][0] == 0
        assert all(one[1] == other[0] for one, other in itertools.pairwise(segments))
        assert all(other[2] in FOLLOWERS[one[2]] for one, other in itertools.pairwise(segments))
        assert {segments[0][2], segments[-1][2]} == {"sil"}


def test_the_sample_is_small():
    assert sum(path.stat().st_size for path in (DATA / "speech").iterdir()) < 1.5e6


def test_vowels_are_louder_than_silence():
    name, segments = next(iter(segments_in(DATA / "speech").items()))
    with wave.open(str(DATA / "speech" / f"{name}.wav")) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), np.uint8).astype(float) - 128
    loudness = {"a": [], "sil": []}
    for start, end, label in segments:
        if label in loudness:
            loudness[label].append(samples[round(start * 8000) : round(end * 8000)].std())
    assert min(loudness["a"]) > 5 * max(loudness["sil"])


def test_probabilities_of_the_followers_of_each_phone_sum_to_1():
    assert FOLLOWERS.keys() == PHONES.keys()
    for phone, choices in FOLLOWERS.items():
        assert sum(choices.values()) == pytest.approx(1) and phone not in choices


def test_probabilities_of_phones_are_sums_over_all_sequences():
    generator = random.Random(3)
    drawn = [MAKER["new_recording"](0.4, generator) for _ in range(100)]
    short = [(speed, segments) for speed, segments in drawn if 4 <= len(segments) <= 7]
    assert len(short) > 3
    for speed, segments in short[:5]:
        kinds = [[phone for phone in PHONES if MAKER["fits"](one, phone, speed)] for one in segments]
        kinds[0] = kinds[-1] = ["sil"]
        totals = [dict.fromkeys(PHONES, 0.0) for _ in segments]
        for phones in itertools.product(*kinds):
            p = 1.0
            for one, other, segment in zip(phones, phones[1:], segments[1:], strict=False):
                p *= FOLLOWERS[one].get(other, 0.0) * MAKER["fits"](segment, other, speed)
            for phone, total in zip(phones, totals, strict=True):
                total[phone] += p
        found = MAKER["phone_probabilities"](segments, speed)
        for one, total in zip(found, totals, strict=True):
            whole = sum(total.values())
            assert one == pytest.approx({phone: p / whole for phone, p in total.items() if p})


def test_the_best_possible_accuracy_is_that_of_the_data_readme(capsys):
    MAKER["main"](["--best"])
    shown = capsys.readouterr().out
    figure = next(line for line in shown.splitlines() if line.startswith("frames")).split()[1]
    assert f"{figure} %" in (DATA / "README.md").read_text(encoding="utf-8")
    assert 98 < float(figure) < 99.9
