"""Write the sample of described images: simulated scenes, so that the best possible descriptions are known.

A scene shows two or three flat shapes before a background: the first two side by side, one above the other, or one
inside the other, and the third in a corner below. People describe it in different words, from either side, and leave
things out; the grammar `descriptions` gives P(sentence | scene). A picture of a scene has 80 by 80 pixels. The
features of an image stand for those of a network that classifies images: a random projection of what is there, with
noise, and tanh of it. Only the standard library is used, and the files are the same everywhere.

The best possible BLEU is that of a writer who knows the scene, and writes for each the sentence that has the largest
expected share of words, pairs, triples and quadruples in common with its references (`best_description`).

Command line::

    python data/make_scenes.py                    # write the folder scenes beside this file
    python data/make_scenes.py --output FOLDER    # ... or elsewhere; also --seed, --scenes, --sentences, --pictures
    python data/make_scenes.py --best             # the best possible BLEU on the sentences of these options

For import, with this folder on `sys.path`: `scenes`, which draws them, `descriptions`, and `best_description`. `--seed`
draws other scenes, whose features come from the same projection.
"""

import argparse
import functools
import math
import random
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from choices import Choices, Words, bleu, fixed, joined, mixture, ngrams, one_of

FOLDER = Path(__file__).resolve().parent
DEFAULT_SEED = 20261127
SCENES, SENTENCES, PICTURES = 1200, 4, 50  # images, sentences about each, and how many have a picture
WIDTH = 128  # features
SIDE = 80  # pixels
NOISE = 0.1  # standard deviation of the noise in front of the tanh
GAIN = 0.6  # standard deviation of the weights of the projection

Color = tuple[int, int, int]
SHAPES = {"circle": 0.3, "square": 0.3, "triangle": 0.2, "star": 0.2}
COLORS: dict[str, Color] = {
    "red": (214, 48, 49),
    "blue": (41, 98, 200),
    "green": (46, 139, 87),
    "yellow": (247, 202, 24),
    "orange": (243, 126, 33),
    "black": (45, 52, 54),
}
GROUNDS: dict[str, Color] = {"gray": (176, 184, 190), "pink": (250, 196, 206), "brown": (150, 112, 84)}
LAYOUTS = ("beside", "above", "inside")
SIZES = ("small", "big")
SYNONYMS = {"small": {"small": 0.7, "little": 0.3}, "big": {"big": 0.75, "large": 0.25}}
SIZE_NAMED, GROUND_NAMED, THIRD_NAMED = 0.25, 0.15, 0.8  # P(a sentence mentions it)


class Thing(NamedTuple):
    """A shape in a scene."""

    shape: str
    color: str
    size: str


class Scene(NamedTuple):
    """What is where.

    Attributes
    ----------
    layout : str
        One of `LAYOUTS`: the first thing is left of the second, above it, or inside it.
    first, second : Thing
    third : Thing or None
        In a corner below.
    is_left : bool
        Whether that is the left one.
    ground : str
        The color of the background.
    """

    layout: str
    first: Thing
    second: Thing
    third: Thing | None
    is_left: bool
    ground: str


def new_scene(generator: random.Random) -> Scene:
    """Draw a scene: all colors differ."""
    layout = generator.choices(LAYOUTS, (40, 35, 25))[0]
    colors = list(COLORS)
    generator.shuffle(colors)
    shapes = generator.choices(list(SHAPES), list(SHAPES.values()), k=3)
    sizes = [generator.choice(SIZES) for _ in range(3)]
    if layout == "inside":  # what is inside is small
        sizes[:2] = "small", "big"
        shapes[1] = generator.choice(("circle", "square"))
    first, second, third = map(Thing, shapes, colors, sizes)
    has_third = generator.random() < 0.6
    is_left = generator.random() < 0.5
    return Scene(layout, first, second, third if has_third else None, is_left, generator.choice(list(GROUNDS)))


# Sentences


def named(thing: Thing) -> Choices:
    """A thing with its color, and perhaps its size."""
    sized = joined(fixed("a"), one_of(SYNONYMS[thing.size]), fixed(thing.color))
    article = "an" if thing.color == "orange" else "a"
    adjectives = mixture([(SIZE_NAMED, sized), (1 - SIZE_NAMED, fixed(article, thing.color))])
    return joined(adjectives, fixed(thing.shape))


# The ways to put two things, with weights. 1 and 2 are the things.
SENTENCES_OF = {
    "beside": {"1 is to the left of 2": 0.5, "2 is to the right of 1": 0.25, "there is 1 next to 2": 0.25},
    "above": {"1 is above 2": 0.5, "2 is below 1": 0.25, "there is 1 over 2": 0.25},
    "inside": {"1 is inside 2": 0.5, "2 contains 1": 0.25, "there is 1 in the middle of 2": 0.25},
}


def with_things(pattern: str, first: Choices, second: Choices) -> Choices:
    """A sentence with two things in it."""
    return joined(*({"1": first, "2": second}.get(word) or fixed(word) for word in pattern.split()))


@functools.cache
def descriptions(scene: Scene) -> Choices:
    """P(sentence | scene)."""
    first, second = named(scene.first), named(scene.second)
    whole = mixture((p, with_things(one, first, second)) for one, p in SENTENCES_OF[scene.layout].items())
    if scene.third:
        side = "left" if scene.is_left else "right"
        corner = one_of({f"at the bottom {side}": 0.75, f"in the lower {side} corner": 0.25})
        third = joined(fixed("and"), named(scene.third), corner)
        whole = joined(whole, mixture([(THIRD_NAMED, third), (1 - THIRD_NAMED, fixed())]))
    ground = fixed("on", "a", scene.ground, "background")
    return joined(whole, mixture([(GROUND_NAMED, ground), (1 - GROUND_NAMED, fixed())]), fixed("."))


def best_description(scene: Scene, references: int = SENTENCES) -> Words:
    """The sentence with the largest expected BLEU against so many references, by and large.

    That is the geometric mean, over 1 to 4 words, of the expected share of its sequences of words that occur in at
    least one reference, times the penalty for being shorter than the mean reference that is nearest in length.
    """
    choices = descriptions(scene)
    occurs: dict[Words, float] = {}  # P(a sentence contains these words)
    lengths: dict[int, float] = {}
    for words, p in choices.items():
        lengths[len(words)] = lengths.get(len(words), 0.0) + p
        for n in range(1, 5):
            for gram in ngrams(words, n):
                occurs[gram] = occurs.get(gram, 0.0) + p
    found = {gram: 1 - (1 - min(p, 1.0)) ** references for gram, p in occurs.items()}
    nearest = {length: nearest_length(length, lengths, references) for length in lengths}

    def value(words: Words) -> float:
        shares = []
        for n in range(1, 5):
            counts = ngrams(words, n)
            shares.append(sum(found[gram] for gram in counts) / counts.total())
        return sum(map(math.log, shares)) / 4 + min(0.0, 1 - nearest[len(words)] / len(words))

    return max(choices, key=value)


def nearest_length(length: int, lengths: dict[int, float], references: int) -> float:
    """The expected length of the reference whose length is nearest, the shorter of two."""
    order = sorted(lengths, key=lambda one: (abs(one - length), one))
    expected, rest = 0.0, 1.0  # P(no reference has one of the lengths before)
    left = 1.0
    for one in order:
        left = max(left - lengths[one], 0.0)
        expected, rest = expected + one * (rest - left**references), left**references
    return expected


# Pictures


def outline(shape: str, x: float, y: float) -> float:
    """Less than 1 inside a shape of radius 1, more outside; y points down."""
    if shape == "circle":
        return math.hypot(x, y)
    if shape == "square":
        return max(abs(x), abs(y)) / 0.84
    if shape == "triangle":
        return max(y / 0.72, (abs(x) * 1.8 - y) / 0.98)
    angle = (math.atan2(x, -y) * 5 / math.tau + 0.5) % 1 - 0.5  # star: from the tip of the nearest ray
    turn = abs(angle) * math.tau / 5
    return math.hypot(x, y) * (math.cos(turn) + 1.376 * math.sin(turn)) / 1.06


def placed(scene: Scene) -> list[tuple[Thing, float, float, float]]:
    """The things with the pixels of their centers and their radii, in the order in which they are drawn."""
    radius = {"small": 9.0, "big": 14.0}
    height = 40 if scene.third is None else 30
    places = {
        "beside": [(22, height), (58, height)],
        "above": [(40, 22), (40, 58)] if scene.third is None else [(40, 18), (40, 48)],
        "inside": [(40, height), (40, height)],
    }[scene.layout]
    found = [(thing, *place, radius[thing.size]) for thing, place in zip(scene[1:3], places, strict=True)]
    if scene.layout == "inside":
        found = [(scene.second, *places[1], 25.0), (scene.first, *places[0], 8.0)]
    if scene.third:
        size = radius[scene.third.size] * 0.9
        found.append((scene.third, 13.5 if scene.is_left else 66.5, 66.0, size))
    return found


def shade(color: Color, factor: float) -> Color:
    """A darker color, or with a factor above 1 a lighter one."""
    r, g, b = (round(one * factor if factor <= 1 else one + (255 - one) * (factor - 1)) for one in color)
    return r, g, b


def picture(scene: Scene) -> bytes:
    """The bytes of a PNG file: colors of a palette of 16, four bits each, without compression."""
    ground = GROUNDS[scene.ground]
    palette = [shade(ground, 1.25), shade(ground, 1.1), ground, shade(ground, 0.8)]
    rows = [[min(3 * y // SIDE, 2)] * SIDE for y in range(SIDE)]
    things = placed(scene)
    for thing, at_x, at_y, radius in things:
        color = COLORS[thing.color]
        index = len(palette)
        palette += [color, shade(color, 0.65), shade(color, 1.35)]
        for y in range(SIDE):
            for x in range(SIDE):
                dx, dy = (x + 0.5 - at_x) / radius, (y + 0.5 - at_y) / radius
                inside = outline(thing.shape, dx, dy)
                if inside < 1:
                    edge = 1 - 1.6 / radius
                    light = math.hypot(dx + 0.3, dy + 0.35) < 0.3
                    rows[y][x] = index + (1 if inside > edge else 2 if light else 0)
                elif outline(thing.shape, dx - 2 / radius, dy - 2 / radius) < 1 and rows[y][x] < 4:
                    rows[y][x] = 3  # the shadow
    return png(rows, palette)


def png(rows: Sequence[Sequence[int]], palette: Sequence[Color]) -> bytes:
    """A PNG file, the same with every version of zlib."""
    data = b"".join(bytes([0, *(a * 16 + b for a, b in zip(row[::2], row[1::2], strict=True))]) for row in rows)
    stored = b"\x78\x01\x01" + struct.pack("<HH", len(data), len(data) ^ 0xFFFF) + data
    parts = {
        b"IHDR": struct.pack(">IIBBBBB", len(rows[0]), len(rows), 4, 3, 0, 0, 0),
        b"PLTE": bytes(value for color in palette for value in color),
        b"IDAT": stored + struct.pack(">I", zlib.adler32(data)),
        b"IEND": b"",
    }
    chunks = (struct.pack(">I", len(body)) + name + body + crc(name + body) for name, body in parts.items())
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def crc(data: bytes) -> bytes:
    """The checksum of a chunk."""
    return struct.pack(">I", zlib.crc32(data))


# Features


def attributes(scene: Scene) -> list[str]:
    """What is there, as the names of inputs of the projection."""
    found = [scene.layout, scene.ground]
    for place, thing in (("first", scene.first), ("second", scene.second), ("third", scene.third)):
        found += [f"{place} {value}" for value in thing] if thing else [f"no {place}"]
    side = "left" if scene.is_left else "right"
    return [*found, f"third {side}", f"corner {side}"] if scene.third else found


@functools.cache
def weights(attribute: str) -> list[float]:
    """The weights of an input of the projection."""
    generator = random.Random(f"projection of {attribute}")
    return [generator.gauss(0.0, GAIN) for _ in range(WIDTH)]


def features(scene: Scene, generator: random.Random) -> list[float]:
    """The features of an image of a scene."""
    sums = map(sum, zip(*map(weights, attributes(scene)), strict=True))
    return [math.tanh(0.5 * one + generator.gauss(0.0, NOISE)) for one in sums]


def npy(kind: str, shape: tuple[int, ...], data: bytes) -> bytes:
    """An array in NumPy's format, the same with every version of NumPy."""
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data


def write_features(path: Path, names: Sequence[str], rows: Sequence[Sequence[float]]) -> None:
    """Write an .npz file with the names of images and their features in float16."""
    longest = max(map(len, names))
    text = "".join(name.ljust(longest, "\0") for name in names).encode("utf-32-le")
    values = struct.pack(f"<{len(rows) * WIDTH}e", *(value for row in rows for value in row))
    with zipfile.ZipFile(path, "w") as file:
        for name, data in (
            ("names", npy(f"<U{longest}", (len(names),), text)),
            ("features", npy("<f2", (len(rows), WIDTH), values)),
        ):
            entry = zipfile.ZipInfo(f"{name}.npy")
            entry.create_system = 3  # as on Linux
            file.writestr(entry, data)


# The sample


class Image(NamedTuple):
    """An image: its name, its scene, its features, and sentences about it."""

    name: str
    scene: Scene
    features: list[float]
    sentences: list[Words]


def scenes(seed: int = DEFAULT_SEED, count: int = SCENES, sentences: int = SENTENCES) -> Iterator[Image]:
    """Draw images with sentences about them."""
    generator = random.Random(seed)
    for number in range(count):
        scene = new_scene(generator)
        choices = descriptions(scene)
        texts, p = list(choices), list(choices.values())
        drawn = generator.choices(texts, p, k=sentences)
        yield Image(f"scene{number + 1:04d}.png", scene, features(scene, generator), drawn)


def best_possible(images: Sequence[Image]) -> list[float]:
    """BLEU-1 to BLEU-4 of `best_description` on these images."""
    outputs = [best_description(image.scene, len(image.sentences)) for image in images]
    return bleu(outputs, [image.sentences for image in images])


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Write the folder scenes, a sample of described images.")
    parser.add_argument("--output", type=Path, default=FOLDER, metavar="FOLDER")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
    parser.add_argument("--scenes", type=int, default=SCENES, metavar="N")
    parser.add_argument("--sentences", type=int, default=SENTENCES, metavar="N", help="about each image")
    parser.add_argument("--pictures", type=int, default=PICTURES, metavar="N", help="of the first N images")
    parser.add_argument("--best", action="store_true", help="print the best possible BLEU on these sentences")
    arguments = parser.parse_args(argv)
    images = list(scenes(arguments.seed, arguments.scenes, arguments.sentences))
    if arguments.best:
        print(f"images     {len(images)}\nsentences  {sum(len(image.sentences) for image in images)}")
        print("\n".join(f"BLEU-{n}     {value:.2f}" for n, value in enumerate(best_possible(images), 1)))
        return
    folder = arguments.output / "scenes"
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "captions.tsv", "w", encoding="utf-8", newline="") as file:
        for image in images:
            file.writelines(f"{image.name}\t{' '.join(words)}\n" for words in image.sentences)
    write_features(folder / "features.npz", [image.name for image in images], [image.features for image in images])
    for image in images[: arguments.pictures]:
        (folder / image.name).write_bytes(picture(image.scene))


if __name__ == "__main__":
    main()
