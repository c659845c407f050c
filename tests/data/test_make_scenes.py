"""The sample of described images: made again byte for byte, with probabilities that are right."""

import itertools
import math
import random
import struct
import sys
import zlib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

DATA = Path(__file__).resolve().parents[2] / "data"
sys.path.insert(0, str(DATA))
import choices  # noqa: E402
import make_scenes as maker  # noqa: E402

sys.path.remove(str(DATA))
FOLDER = DATA / "scenes"


@pytest.fixture(scope="module")
def images():
    return list(itertools.islice(maker.scenes(), 100))


def test_the_script_writes_the_shipped_files_again(tmp_path):
    maker.main(["--output", str(tmp_path)])
    written = sorted(path.name for path in (tmp_path / "scenes").iterdir())
    assert written == sorted(path.name for path in FOLDER.iterdir())
    for name in written:
        assert (tmp_path / "scenes" / name).read_bytes() == (FOLDER / name).read_bytes(), name


def test_another_seed_gives_other_scenes(tmp_path):
    maker.main(["--output", str(tmp_path), "--seed", "2", "--scenes", "5", "--sentences", "3", "--pictures", "2"])
    lines = (tmp_path / "scenes" / "captions.tsv").read_text(encoding="utf-8").splitlines()
    shipped = (FOLDER / "captions.tsv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 15 and lines[:5] != shipped[:5]
    assert len(list((tmp_path / "scenes").glob("*.png"))) == 2


def test_the_formats():
    with np.load(FOLDER / "features.npz", allow_pickle=False) as file:
        names, features = file["names"], file["features"]
    assert names.dtype.kind == "U" and features.dtype == np.float16
    assert features.shape == (len(names), maker.WIDTH) == (maker.SCENES, 128)
    assert np.isfinite(features).all() and 0.4 < features.std() < 0.9
    lines = (FOLDER / "captions.tsv").read_text(encoding="utf-8").splitlines()
    pairs = [line.split("\t") for line in lines]
    assert Counter(name for name, _ in pairs) == dict.fromkeys(names.tolist(), maker.SENTENCES)
    assert all(sentence.endswith(" .") and 5 <= len(sentence.split()) <= 30 for _, sentence in pairs)
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 1e6


def pixels(data):
    """The colors (height, width, 3) of a picture of this script."""
    at, parts = 8, {}
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        name, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        assert struct.unpack(">I", data[at + 8 + length : at + 12 + length]) == (zlib.crc32(name + body),)
        parts[name], at = body, at + 12 + length
    width, height = struct.unpack(">II", parts[b"IHDR"][:8])
    rows = np.frombuffer(zlib.decompress(parts[b"IDAT"]), np.uint8).reshape(height, -1)
    assert not rows[:, 0].any()
    ids = np.stack([rows[:, 1:] >> 4, rows[:, 1:] & 15], axis=2).reshape(height, width)
    return np.frombuffer(parts[b"PLTE"], np.uint8).reshape(-1, 3)[ids]


def test_pictures_show_what_is_there(images):
    for image in images[: maker.PICTURES]:
        found = pixels((FOLDER / image.name).read_bytes())
        assert found.shape == (maker.SIDE, maker.SIDE, 3)
        places = {}
        for thing in filter(None, image.scene[1:4]):
            places[thing] = np.argwhere((found == maker.COLORS[thing.color]).all(axis=2))
            assert len(places[thing]) > 25, image.name
        (y1, x1), (y2, x2) = (places[thing].mean(axis=0) for thing in image.scene[1:3])
        if image.scene.layout == "beside":
            assert x1 + 25 < x2
        elif image.scene.layout == "above":
            assert y1 + 25 < y2
        else:
            assert abs(y1 - y2) < 5 and abs(x1 - x2) < 5
        if image.scene.third:
            y3, x3 = places[image.scene.third].mean(axis=0)
            assert y3 > 60 and (x3 < 30 if image.scene.is_left else x3 > 50)


def test_pillow_reads_the_pictures():
    Image = pytest.importorskip("PIL.Image")
    with Image.open(FOLDER / "scene0001.png") as file:
        np.testing.assert_array_equal(np.asarray(file.convert("RGB")), pixels((FOLDER / "scene0001.png").read_bytes()))


def test_probabilities_of_the_sentences_of_a_scene_sum_to_1(images):
    for image in images:
        found = maker.descriptions(image.scene)
        assert sum(found.values()) == pytest.approx(1) and len(found) > 50
        assert all(words in found for words in image.sentences)


def test_sentences_are_as_probable_as_the_grammar_says(images):
    difference = variance = 0.0
    for image in images:
        p = list(maker.descriptions(image.scene).values())
        entropy = -sum(one * math.log(one) for one in p)
        for words in image.sentences:
            difference += -math.log(maker.descriptions(image.scene)[words]) - entropy
            variance += sum(one * math.log(one) ** 2 for one in p) - entropy**2
    assert abs(difference) < 4 * math.sqrt(variance)


def test_the_features_of_scenes_with_the_same_things_are_nearest(images):
    scene = images[0].scene
    others = [image.features for image in images[1:]]
    own, again = (np.array(maker.features(scene, random.Random(seed))) for seed in (1, 2))
    assert np.linalg.norm(own - again) < 0.5 * min(np.linalg.norm(own - np.array(one)) for one in others)


def test_the_best_description_is_the_best_of_a_simulation(images):
    # with many drawn references, it surpasses the most probable and the commonest sentences
    generator = random.Random(3)
    scenes = [image.scene for image in images[:60]]
    drawn = [
        [generator.choices(list(found), list(found.values()), k=4) for _ in range(20)]
        for found in map(maker.descriptions, scenes)
    ]

    def value(outputs):
        repeated = [words for words in outputs for _ in range(20)]
        return choices.bleu(repeated, [references for one in drawn for references in one])[-1]

    best = value([maker.best_description(scene) for scene in scenes])
    probable = value([choices.most_probable(maker.descriptions(scene)) for scene in scenes])
    sampled = value([one[0][0] for one in drawn])
    assert best > probable - 0.5 and best > sampled + 5


def test_nearest_length_is_an_expectation():
    lengths, generator = {5: 0.2, 6: 0.5, 9: 0.3}, random.Random(1)
    draws = [generator.choices(list(lengths), list(lengths.values()), k=3) for _ in range(20_000)]
    for length in (5, 6, 8, 9):
        mean = sum(min((abs(one - length), one) for one in draw)[1] for draw in draws) / len(draws)
        assert maker.nearest_length(length, lengths, 3) == pytest.approx(mean, abs=0.05)


@pytest.mark.slow
def test_the_best_possible_figures_are_those_of_the_data_readme(capsys):
    maker.main(["--best"])
    shown = [line.split()[1] for line in capsys.readouterr().out.splitlines() if line.startswith("BLEU")]
    assert len(shown) == 4 and " ".join(shown) in (DATA / "README.md").read_text(encoding="utf-8")
