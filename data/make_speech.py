"""Write the sample of labelled recordings: speech-like sounds whose phones and boundaries are known exactly.

A chain of phones (`FOLLOWERS`) becomes sound by a formant synthesizer: a train of pulses through three resonators for
vowels, nasals and l; noise through one resonator for fricatives and bursts; closures and pauses. Each segment draws
its own formants or its own noise from the range of its phone, and the ranges overlap: some e sound like i. Speakers
differ in the length of their vocal tract, in pitch, breath and background noise, and each recording has its own speed.

The best possible accuracy is estimated for a listener who measures the formants, the noise and the duration of each
segment without error, and knows its boundaries, the speaker and the chain: it is the mean of the largest probability
of a phone by the forward-backward algorithm. Nobody who has only the sound can expect to surpass it.

Only `random` and `math` are used, so that the files are the same everywhere.

Command line::

    python data/make_speech.py                    # write the folder speech beside this file
    python data/make_speech.py --output FOLDER    # ... or elsewhere; also --seed, --speakers, --recordings, --seconds
    python data/make_speech.py --best             # the best possible accuracy on the recordings of these options

`--seed` draws other speakers and other recordings.
"""

import argparse
import math
import random
import wave
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).resolve().parent
DEFAULT_SEED = 20261126
SPEAKERS, RECORDINGS, SECONDS = 12, 3, 3.8  # recordings of each speaker, and their least duration
RATE = 8000  # samples per second, of 8 bits
BLOCK = 16  # samples between changes of the resonators
GLIDE, FADE = 0.012, 0.004  # seconds before and after a boundary in which formants and loudness change
FORMANT_SPREAD, NOISE_SPREAD, DURATION_SPREAD = 0.105, 0.13, 0.25  # standard deviations of the logarithm


class Phone(NamedTuple):
    """The mean properties of a phone.

    Attributes
    ----------
    seconds : float
    voice, noise : float
        Loudness of the pulses and of the noise.
    formants : tuple of float
        Frequencies in Hz of the three resonators of the pulses; empty without voice.
    place, width : float
        Frequency and bandwidth in Hz of the resonator of the noise.
    """

    seconds: float
    voice: float = 0.0
    noise: float = 0.0
    formants: tuple[float, ...] = ()
    place: float = 0.0
    width: float = 0.0


PHONES = {
    "sil": Phone(0.16),
    "cl": Phone(0.055),
    "p": Phone(0.03, noise=0.5, place=600, width=500),
    "t": Phone(0.035, noise=0.6, place=2900, width=900),
    "k": Phone(0.04, noise=0.55, place=1500, width=400),
    "f": Phone(0.09, noise=0.16, place=1300, width=3000),
    "sh": Phone(0.1, noise=0.45, place=1900, width=500),
    "s": Phone(0.1, noise=0.4, place=3300, width=700),
    "n": Phone(0.07, voice=0.6, formants=(250, 1650, 2600)),
    "l": Phone(0.07, voice=0.8, formants=(380, 1150, 2900)),
    "i": Phone(0.09, voice=0.9, formants=(290, 2250, 3000)),
    "e": Phone(0.1, voice=1.0, formants=(450, 1950, 2650)),
    "a": Phone(0.12, voice=1.0, formants=(760, 1300, 2500)),
    "o": Phone(0.11, voice=1.0, formants=(530, 900, 2450)),
    "u": Phone(0.09, voice=0.9, formants=(310, 720, 2300)),
}
STOPS = {"p": 3, "t": 4, "k": 3}
SOFT = {"f": 3, "sh": 3, "s": 4, "n": 5, "l": 4}
VOWELS = {"i": 3, "e": 4, "a": 5, "o": 3, "u": 2}


def shares(**parts: float) -> dict[str, float]:
    """P(phone): each part is a phone, or a group whose weights share it."""
    groups = {"stops": STOPS, "soft": SOFT, "vowels": VOWELS}
    found: dict[str, float] = {}
    for name, share in parts.items():
        group = groups.get(name, {name: 1})
        for phone, weight in group.items():
            found[phone] = found.get(phone, 0.0) + share * weight / sum(group.values())
    return found


# P(next phone | phone). A phone does not follow itself.
FOLLOWERS = {
    "sil": shares(cl=0.3, soft=0.5, vowels=0.2),
    "cl": shares(stops=1.0),
    **{phone: shares(vowels=0.85, l=0.08, sil=0.07) for phone in STOPS},
    **{phone: shares(vowels=0.8, cl=0.1, sil=0.1) for phone in SOFT},
    **{phone: shares(cl=0.33, soft=0.57, sil=0.1) for phone in VOWELS},
}


class Segment(NamedTuple):
    """A phone in a recording: what was drawn for it. Frequencies are those of a speaker of mean length."""

    phone: str
    seconds: float
    formants: tuple[float, ...]
    place: float


class Speaker(NamedTuple):
    """A speaker: a factor of all formants, the pitch in Hz, and the loudness of breath."""

    scale: float
    pitch: float
    breath: float


def spread(value: float, deviation: float, generator: random.Random) -> float:
    """A value whose logarithm is normally distributed."""
    return value * math.exp(generator.gauss(0.0, deviation))


def new_speaker(generator: random.Random) -> Speaker:
    """Draw a speaker: the shorter the vocal tract, the higher the voice, by and large."""
    scale = generator.uniform(0.92, 1.1)
    return Speaker(scale, spread(120 * scale**4, 0.12, generator), generator.uniform(0.01, 0.05))


def new_recording(seconds: float, generator: random.Random) -> tuple[float, list[Segment]]:
    """Draw the speed of a recording, and its segments: a pause, then phones until the first pause after so long."""
    speed = generator.uniform(0.75, 1.35)
    phone, total = "sil", 0.0
    segments: list[Segment] = []
    while True:
        mean = PHONES[phone]
        segments.append(
            Segment(
                phone,
                max(round(RATE * spread(mean.seconds / speed, DURATION_SPREAD, generator)), RATE // 80) / RATE,
                tuple(spread(one, FORMANT_SPREAD, generator) for one in mean.formants),
                spread(mean.place, NOISE_SPREAD, generator),
            )
        )
        total += segments[-1].seconds
        if phone == "sil" and total > seconds:
            return speed, segments
        phone = generator.choices(list(FOLLOWERS[phone]), list(FOLLOWERS[phone].values()))[0]


def resonator(frequency: float, width: float) -> tuple[float, float, float]:
    """The coefficients a, b, c of y_t = a x_t + b y_(t-1) + c y_(t-2), which has the gain 1 at frequency 0."""
    radius = math.exp(-math.pi * width / RATE)
    b = 2 * radius * math.cos(2 * math.pi * min(frequency, 0.48 * RATE) / RATE)
    c = -radius * radius
    return 1 - b - c, b, c


class Control(NamedTuple):
    """What the synthesizer does in a block."""

    voice: float
    noise: float
    formants: Sequence[float]
    place: float
    width: float


def controls(segments: Sequence[Segment], speaker: Speaker) -> Iterator[Control]:
    """Yield the settings of each block: those of its segment, mixed with those of its neighbor near a boundary."""
    targets = []
    formants: Sequence[float] = PHONES["a"].formants
    for segment in segments:
        phone = PHONES[segment.phone]
        formants = segment.formants or formants  # in silence the mouth keeps its shape
        scaled = [one * speaker.scale for one in formants]
        targets.append(Control(phone.voice, phone.noise, scaled, segment.place * speaker.scale, phone.width))
    at, number, end = 0.0, 0, segments[0].seconds
    total = sum(segment.seconds for segment in segments)
    start = 0.0
    while at < total - 1e-9:
        while at >= end - 1e-9 and number < len(segments) - 1:
            number, start, end = number + 1, end, end + segments[number + 1].seconds
        here = targets[number]
        loudness, shape = here, here
        if number and at - start < GLIDE:
            before = targets[number - 1]
            shape = mixed(before, here, 0.5 + (at - start) / (2 * GLIDE))
            loudness = mixed(before, here, min(0.5 + (at - start) / (2 * FADE), 1.0))
        elif number < len(targets) - 1 and end - at < GLIDE:
            after = targets[number + 1]
            shape = mixed(after, here, 0.5 + (end - at) / (2 * GLIDE))
            loudness = mixed(after, here, min(0.5 + (end - at) / (2 * FADE), 1.0))
        yield Control(loudness.voice, loudness.noise, shape.formants, here.place or 1000.0, here.width or 1000.0)
        at += BLOCK / RATE


def mixed(one: Control, other: Control, share: float) -> Control:
    """The settings between two, with this share of the second."""
    formants = [a + share * (b - a) for a, b in zip(one.formants, other.formants, strict=True)]
    voice, noise = (
        getattr(one, name) + share * (getattr(other, name) - getattr(one, name)) for name in Control._fields[:2]
    )
    return Control(voice, noise, formants, other.place, other.width)


WIDTHS = (70.0, 100.0, 160.0)  # Hz, of the three formants


def sound(segments: Sequence[Segment], speaker: Speaker, generator: random.Random) -> bytes:
    """The samples of a recording, 8 bits each, without sign."""
    noise_level = generator.uniform(0.003, 0.009)
    values: list[float] = []
    memory = [[0.0, 0.0] for _ in range(4)]
    phase, tilt, drift, was = 0.0, 0.0, generator.uniform(0, 6.28), 0.0
    draw = generator.random
    for number, control in enumerate(controls(segments, speaker)):
        pitch = speaker.pitch * (1 + 0.1 * math.sin(drift + number * BLOCK / RATE * 5.0))
        voiced = [resonator(*pair) for pair in zip(control.formants, WIDTHS, strict=True)]
        _, b, c = resonator(control.place, control.width)
        level = control.noise * gain(b, c)
        for _ in range(BLOCK):
            phase += pitch / RATE
            pulse = 0.0
            if phase >= 1.0:
                phase -= 1.0
                pulse = 1.0
            tilt = 0.85 * tilt + pulse  # the spectrum of the glottis falls
            x = control.voice * (tilt - 0.2 + speaker.breath * (draw() + draw() - 1.0))
            for (one, two, three), past in zip(voiced, memory, strict=False):
                x = one * x + two * past[0] + three * past[1]
                past[1], past[0] = past[0], x
            past = memory[3]
            y = b * past[0] + c * past[1] + (draw() + draw() - 1.0)
            past[1], past[0] = past[0], y
            lips = x - 0.9 * was  # sound leaves the mouth differentiated
            was = x
            values.append(lips + level * y + noise_level * (draw() + draw() - 1.0))
    loudest = max(map(abs, values))
    return bytes(128 + round(120 * value / loudest) for value in values)


def gain(b: float, c: float) -> float:
    """The factor that makes noise as loud after a resonator as before it."""
    return math.sqrt((1 + c) * ((1 - c) ** 2 - b * b) / (1 - c))


def log_density(value: float, mean: float, deviation: float) -> float:
    """ln of the density of `spread`, without what all phones share."""
    return -0.5 * ((math.log(value) - math.log(mean)) / deviation) ** 2


def fits(segment: Segment, phone: str, speed: float) -> float:
    """P(what was drawn for a segment | phone), except for a factor: 0 for a phone of another kind."""
    mean, own = PHONES[phone], PHONES[segment.phone]
    if (mean.voice > 0, mean.noise > 0) != (own.voice > 0, own.noise > 0) or (phone == "f") != (segment.phone == "f"):
        return 0.0
    total = log_density(segment.seconds, mean.seconds / speed, DURATION_SPREAD)
    for value, center in zip(segment.formants, mean.formants, strict=True):
        total += log_density(value, center, FORMANT_SPREAD)
    if mean.place:
        total += log_density(segment.place, mean.place, NOISE_SPREAD)
    return math.exp(total)


def phone_probabilities(segments: Sequence[Segment], speed: float) -> list[dict[str, float]]:
    """P(phone | all that was drawn for the recording) of each segment, by the forward-backward algorithm."""
    forward: list[dict[str, float]] = [{"sil": 1.0}]
    for segment in segments[1:]:
        reached: dict[str, float] = {}
        for before, p in forward[-1].items():
            for phone, share in FOLLOWERS[before].items():
                reached[phone] = reached.get(phone, 0.0) + p * share
        forward.append(normalized({phone: p * fits(segment, phone, speed) for phone, p in reached.items()}))
    backward = {"sil": 1.0}
    found = [{"sil": 1.0}]
    for place in range(len(segments) - 2, -1, -1):
        after = {phone: p * fits(segments[place + 1], phone, speed) for phone, p in backward.items()}
        backward = normalized(
            {
                phone: sum(share * after.get(one, 0.0) for one, share in FOLLOWERS[phone].items())
                for phone in forward[place]
            }
        )
        found.append(normalized({phone: p * backward.get(phone, 0.0) for phone, p in forward[place].items()}))
    return found[::-1]


def normalized(values: dict[str, float]) -> dict[str, float]:
    """The values that are not 0, divided by their sum."""
    whole = sum(values.values())
    return {name: value / whole for name, value in values.items() if value}


class Recording(NamedTuple):
    """A recording before it is sound."""

    name: str
    speaker: Speaker
    speed: float
    segments: list[Segment]
    seed: int


def recordings(seed: int, speakers: int, each: int, seconds: float) -> Iterator[Recording]:
    """Draw all recordings."""
    generator = random.Random(seed)
    for number in range(speakers):
        speaker = new_speaker(generator)
        for take in range(each):
            speed, segments = new_recording(seconds, generator)
            yield Recording(f"speaker{number + 1:02d}-{take + 1}", speaker, speed, segments, generator.getrandbits(32))


def best_possible(drawn: Iterable[Recording]) -> tuple[float, float]:
    """The share of the time, and of the segments, in which the listener described above names the phone."""
    time = right_time = right = count = 0.0
    for recording in drawn:
        for segment, found in zip(
            recording.segments, phone_probabilities(recording.segments, recording.speed), strict=True
        ):
            p = max(found.values())
            time, right_time, right, count = (
                time + segment.seconds,
                right_time + p * segment.seconds,
                right + p,
                count + 1,
            )
    return right_time / time, right / count


def write_wav(path: Path, samples: bytes) -> None:
    """Write a recording of 8 bits per sample."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(RATE)
        file.writeframes(samples)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description="Write speech/*.wav and speech/segments.tsv, a sample of labelled recordings."
    )
    parser.add_argument("--output", type=Path, default=FOLDER, metavar="FOLDER")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
    parser.add_argument("--speakers", type=int, default=SPEAKERS, metavar="N")
    parser.add_argument("--recordings", type=int, default=RECORDINGS, metavar="N", help="of each speaker")
    parser.add_argument("--seconds", type=float, default=SECONDS, metavar="X", help="least duration of a recording")
    parser.add_argument("--best", action="store_true", help="print the best possible accuracy on these recordings")
    arguments = parser.parse_args(argv)
    drawn = list(recordings(arguments.seed, arguments.speakers, arguments.recordings, arguments.seconds))
    if arguments.best:
        of_time, of_segments = best_possible(drawn)
        print(f"segments   {sum(len(one.segments) for one in drawn)}")
        print(f"frames     {100 * of_time:.2f} %\nphones     {100 * of_segments:.2f} %")
        return
    folder = arguments.output / "speech"
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "segments.tsv", "w", encoding="utf-8", newline="") as table:
        table.write("name\tstart\tend\tlabel\n")
        for one in drawn:
            samples = sound(one.segments, one.speaker, random.Random(one.seed))
            at = 0
            for segment in one.segments:
                end = at + round(segment.seconds * RATE)
                table.write(f"{one.name}\t{at / RATE:.6f}\t{end / RATE:.6f}\t{segment.phone}\n")
                at = end
            write_wav(folder / f"{one.name}.wav", samples[:at])


if __name__ == "__main__":
    main()
