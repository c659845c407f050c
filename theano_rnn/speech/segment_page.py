"""An HTML page that shows recordings with their segments and probabilities, and plays their sound."""

import base64
import html
import io
import json
import os
import struct
import wave
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from theano_rnn.results.pages import escaped, write_page
from theano_rnn.results.pictures import BLUE, RED
from theano_rnn.speech.segment_plot import (
    AGREES,
    DIFFERS,
    GIVEN,
    LONGEST_LABEL,
    RecordingView,
    clipped,
    place_label,
    stretches,
)
from theano_rnn.speech.segments import Segment
from theano_rnn.speech.sound_files import Samples

MOST_SHOWN, LONGEST_SHOWN = 200, 600.0  # recordings, and seconds of all of them, on a page
DOTS_PER_SECOND, LEAST_WIDTH = 300, 60  # the second for recordings of a few frames
TOP, SOUND, SEGMENT, ROW = 18, 120, 30, 14  # heights: of the time axis, spectrogram, segments, one label
NAMES_WIDTH = 84
CHARACTER, LINE = 7.0, 11.0  # dots of the labels
IMAGE_WIDTH = 3000  # dots; browsers do not show very wide images
MOST_PER_FRAME = 3  # labels that a frame names
WHITE, BLACK = (255, 255, 255), (0, 0, 0)

Shades = npt.NDArray[np.floating]

STYLE = f"""
body {{ max-width: 80rem; }}
h2 {{ font-size: 1rem; margin: 1.5rem 0 0.3rem; }}
.r {{ content-visibility: auto; contain-intrinsic-size: auto 30rem; }}
.p {{ display: flex; }}
.p > svg {{ flex: none; }}
.x {{ overflow-x: auto; min-width: 0; }}
svg {{ display: block; font: {LINE}px system-ui, sans-serif; }}
image {{ image-rendering: pixelated; }}
.g rect, .f rect {{ stroke: #666; stroke-width: 0.5; }}
.g rect, .k0 {{ fill: {GIVEN}; background: {GIVEN}; }}
.f rect, .k1 {{ fill: {AGREES}; background: {AGREES}; }}
.f .d rect, .k2 {{ fill: {DIFFERS}; background: {DIFFERS}; }}
.k0, .k1, .k2 {{ padding: 0 0.3em; border-radius: 0.2em; }}
.g g, .f g {{ cursor: pointer; }}
.c {{ stroke: {RED}; stroke-width: 1.5; visibility: hidden; pointer-events: none; }}
audio {{ display: block; height: 2rem; margin-bottom: 0.3rem; }}
output {{ display: block; min-height: 1.7em; font-size: 0.85rem; font-variant-numeric: tabular-nums; }}
"""

SCRIPT = """<script>
const names = JSON.parse(document.querySelector("main").dataset.labels);
for (const box of document.querySelectorAll(".r")) {
  const {shift, scale, top: best, given, found} = JSON.parse(box.dataset.view), frames = best.length;
  const audio = box.querySelector("audio"), pane = box.querySelector(".x"), svg = pane.querySelector("svg");
  const cursor = svg.querySelector(".c"), out = box.querySelector("output");
  let until = Infinity;
  const at = (segments, time) => segments.find(one => one[0] <= time && time < one[1]);
  const said = one => one ? (one[2] || "–") + (one[3] === null ? "" : " " + one[3].toFixed(3)) : "–";
  function show(time) {
    time = Math.min(Math.max(time, 0), frames * shift);
    cursor.setAttribute("transform", `translate(${time * scale})`);
    cursor.style.visibility = "visible";
    const frame = Math.min(Math.floor(time / shift + 1e-6), frames - 1), middle = (frame + 0.5) * shift;
    const segment = at(found, middle), parts = [time.toFixed(3) + " s"];
    if (given) parts.push("given: " + said(at(given, middle)));
    parts.push("found: " + said(segment) +
      (segment ? ` (${segment[0].toFixed(3)} to ${segment[1].toFixed(3)} s)` : ""));
    parts.push("this frame: " + best[frame].map(([label, p]) => `${names[label]} ${(p / 1000).toFixed(3)}`).join(", "));
    out.textContent = parts.join(" · ");
  }
  const timeOf = event => (event.clientX - svg.getBoundingClientRect().left) / scale;
  svg.addEventListener("pointermove", event => { if (!audio || audio.paused) show(timeOf(event)); });
  svg.addEventListener("click", event => {
    const time = timeOf(event), group = event.target.closest(".g g, .f g");
    if (!audio) return show(time);
    const segment = group && at(group.parentNode.matches(".g") ? given : found, time);
    until = segment ? segment[1] : Infinity;
    audio.currentTime = segment ? segment[0] : time;
    show(audio.currentTime);
    if (segment) audio.play();
  });
  if (!audio) continue;
  function follow() {
    show(audio.currentTime);
    const x = audio.currentTime * scale - pane.scrollLeft;
    if (x > pane.clientWidth || x < 0) pane.scrollLeft += x - 20;
    if (audio.currentTime >= until) { audio.pause(); until = Infinity; }
    if (!audio.paused) requestAnimationFrame(follow);
  }
  audio.addEventListener("play", () => {
    for (const other of document.querySelectorAll("audio")) if (other !== audio) other.pause();
    follow();
  });
  audio.addEventListener("seeking", () => show(audio.currentTime));
}
</script>
"""


def page_stretches(durations: Sequence[float]) -> list[float]:
    """Choose how many seconds of which recordings a page shows, so that it does not become too large."""
    return stretches(durations, MOST_SHOWN, LONGEST_SHOWN, LONGEST_SHOWN)


def write_segment_page(
    path: str | os.PathLike[str],
    about: Mapping[str, str],
    views: Iterable[RecordingView],
    durations: Sequence[float],
) -> None:
    """Write the page. It holds all sounds and pictures, and needs no other file and no network.

    Parameters
    ----------
    path : path
    about : dict of str to str
        Rows of the table at the top, such as the names of model and files.
    views : iterable of RecordingView
        Of the recordings that `page_stretches` chooses, all with the same labels.
    durations : sequence of float
        Of all recordings.

    Raises
    ------
    OutputFileError
        If the page cannot be written.
    CorpusError, OptionError
        If a sound cannot be read again.
    """
    write_page(path, "Segments of recordings", _parts(about, views, durations), STYLE)


def _parts(about: Mapping[str, str], views: Iterable[RecordingView], durations: Sequence[float]) -> Iterator[str]:
    cells = "".join(f"<tr><th>{escaped(name)}</th><td>{escaped(value)}</td></tr>\n" for name, value in about.items())
    yield f"<table>\n{cells}</table>\n{_what_is_left_out(durations)}"
    yield (
        "<p>Point at a time to see its labels and their probabilities; click on a segment to hear it. "
        '<span class="k0">given</span> <span class="k1">found, as given or nothing given</span> '
        '<span class="k2">found, but another label is given for its middle</span> The rows below show the probability '
        "of each label in each frame: white 0, blue 1.</p>\n"
    )
    is_first = True
    for view in views:
        if is_first:
            yield f'<main data-labels="{_data([_visible(label) for label in view.labels])}">\n'
        is_first = False
        yield from _section(view)
    yield "</main>\n" + SCRIPT


def _what_is_left_out(durations: Sequence[float]) -> str:
    """Say which part of the recordings the page shows, if it is not all."""
    shown = page_stretches(durations)
    if len(shown) == len(durations) and sum(shown) >= sum(durations) - 1e-6:
        return ""
    return (
        f"<p>This page shows the first {sum(shown):,.0f} s of {sum(durations):,.0f} s, {len(shown)} of "
        f"{len(durations):,} recordings: at most {MOST_SHOWN} recordings and {LONGEST_SHOWN:g} s. To see others, name "
        "only these.</p>\n"
    )


def _section(view: RecordingView) -> Iterator[str]:
    samples = view.samples()
    rows = view.rows()
    height = TOP + SOUND + SEGMENT * (1 if view.given is None else 2) + ROW * len(rows) + 4
    yield f'<section class="r" data-view="{_data(_script_data(view))}">\n<h2>{escaped(view.title)}</h2>\n'
    if len(samples):
        yield '<audio controls preload="metadata" src="data:audio/wav;base64,'
        yield base64.b64encode(wave_bytes(samples, view.rate)).decode("ascii")
        yield '"></audio>\n'
    else:
        yield "<p>There is no sound to play: the file holds only frames.</p>\n"
    yield f'<div class="p"><svg width="{NAMES_WIDTH}" height="{height}">{"".join(_names(view, rows))}</svg>\n'
    scale = _scale(view)
    yield f'<div class="x"><svg width="{view.seconds * scale:.1f}" height="{height}">\n'
    yield from _axis(view.seconds, scale)
    levels, columns_per_second = view.picture(samples)
    yield from _images(levels, columns_per_second / scale, TOP, SOUND, (WHITE, BLACK))
    y = TOP + SOUND
    if view.given is not None:
        yield from _segments("g", view.given, view, y)
        y += SEGMENT
    yield from _segments("f", view.found, view, y)
    y += SEGMENT
    # The first label is on top; images are upside down.
    shares = view.probabilities[:, rows[::-1]]
    yield from _images(shares, 1 / view.shift / scale, y, ROW * len(rows), (WHITE, _color(BLUE)))
    yield f'<line class="c" y2="{height}"/>\n</svg></div></div>\n<output></output>\n</section>\n'


def _script_data(view: RecordingView) -> dict[str, object]:
    """What the script needs: per frame the best labels with their probabilities in thousandths, and all segments."""
    best = np.argsort(-view.probabilities, axis=1, kind="stable")[:, :MOST_PER_FRAME]
    shares = np.rint(1000 * np.take_along_axis(view.probabilities, best, axis=1)).astype(int)
    return {
        "shift": view.shift,
        "scale": _scale(view),
        "top": np.stack([best, shares], axis=2).tolist(),
        "given": None if view.given is None else [_values(segment) for segment in view.given],
        "found": [_values(segment) for segment in view.found],
    }


def _values(segment: Segment) -> list[object]:
    probability = None if segment.probability is None else round(segment.probability, 4)
    return [round(segment.start, 6), round(segment.end, 6), _visible(segment.label), probability]


def _names(view: RecordingView, rows: Sequence[int]) -> Iterator[str]:
    """Yield what stands to the left of the rows."""
    right = NAMES_WIDTH - 6
    top, unit = (view.rate / 2000, " kHz") if view.sound is not None else (view.frames.shape[1], "")
    names = [(TOP + 9.0, f"{top:g}{unit}"), (TOP + SOUND - 2.0, "0")]
    y = TOP + SOUND
    for name in ("given", "found")[view.given is None :]:
        names.append((y + SEGMENT / 2 + 4, name))
        y += SEGMENT
    for number, row in enumerate(rows):
        label = _visible(view.labels[row])
        short = label if len(label) <= LONGEST_LABEL else label[: LONGEST_LABEL - 1] + "…"
        names.append((y + ROW * (number + 1) - 3, short))
    for height, name in names:
        yield f'<text x="{right}" y="{height:g}" text-anchor="end">{html.escape(name)}</text>'


def _scale(view: RecordingView) -> float:
    """Dots per second."""
    return max(DOTS_PER_SECOND, LEAST_WIDTH / view.seconds)


def _axis(seconds: float, scale: float) -> Iterator[str]:
    """Yield a tick for each tenth of a second, and each half second as a number."""
    for tenth in range(int(seconds * 10 + 1e-6) + 1):
        x = tenth * scale / 10
        is_numbered = tenth % 5 == 0
        yield f'<path d="M{x:g} {TOP - (6 if is_numbered else 3)}V{TOP}" stroke="#666"/>'
        if is_numbered:
            yield f'<text x="{x + 3:g}" y="{TOP - 6}">{tenth / 10:g} s</text>'
    yield "\n"


def _segments(name: str, segments: Sequence[Segment], view: RecordingView, y: int) -> Iterator[str]:
    yield f'<g class="{name}">\n'
    scale = _scale(view)
    for segment, begin, end in clipped(segments, view.seconds):
        x, width = begin * scale, (end - begin) * scale
        share = "" if segment.probability is None else f", probability {segment.probability:.3f}"
        title = f"{segment.label or '(no label)'}, {segment.start:.3f} to {segment.end:.3f} s{share}"
        differs = "" if name == "g" or view.agrees(segment) else ' class="d"'
        yield f"<g{differs}><title>{escaped(title)}</title>"
        yield f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{SEGMENT}"/>'
        placed = place_label(_visible(segment.label), width, SEGMENT, CHARACTER, LINE)
        if placed is not None:
            text, is_turned = placed
            center, middle = x + width / 2, y + SEGMENT / 2
            turned = f' transform="rotate(-90 {center:.1f} {middle:g})"' if is_turned else ""
            yield f'<text x="{center:.1f}" y="{middle + 4:g}" text-anchor="middle"{turned}>{html.escape(text)}</text>'
        yield "</g>\n"
    yield "</g>\n"


def _images(
    shades: Shades, columns_per_dot: float, y: int, height: int, colors: tuple[tuple[int, ...], tuple[int, ...]]
) -> Iterator[str]:
    """Yield a picture of numbers from 0 to 1 (columns, rows), whose first row is at the bottom, in pieces."""
    step = max(round(IMAGE_WIDTH * columns_per_dot), 1)
    for first in range(0, len(shades), step):
        piece = shades[first : first + step]
        x, width = (n / columns_per_dot for n in (first, len(piece)))
        data = base64.b64encode(png_bytes(piece.T[::-1], *colors)).decode("ascii")
        yield (
            f'<image x="{x:.2f}" y="{y}" width="{width:.2f}" height="{height}" preserveAspectRatio="none" '
            f'href="data:image/png;base64,{data}"/>\n'
        )


def png_bytes(shades: Shades, lightest: Sequence[int], darkest: Sequence[int], levels: int = 32) -> bytes:
    """Encode a picture as PNG.

    Parameters
    ----------
    shades : array (rows, columns)
        From 0 to 1.
    lightest, darkest : (int, int, int)
        The colors of 0 and of 1.
    levels : int
        Colors; few of them make small files.

    Returns
    -------
    bytes
    """
    rows, columns = shades.shape
    steps = np.linspace(0, 1, levels)[:, None]
    palette = np.rint((1 - steps) * np.array(lightest) + steps * np.array(darkest)).astype(np.uint8)
    pixels = np.rint(np.asarray(shades) * (levels - 1)).astype(np.uint8)
    lines = np.concatenate([np.zeros((rows, 1), np.uint8), pixels], axis=1)  # each line begins with its filter, 0
    header = struct.pack(">IIBBBBB", columns, rows, 8, 3, 0, 0, 0)
    chunks = [
        (b"IHDR", header),
        (b"PLTE", palette.tobytes()),
        (b"IDAT", zlib.compress(lines.tobytes(), 9)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )


def wave_bytes(samples: Samples, rate: int) -> bytes:
    """Encode samples from -1 to 1 as a .wav of 16 bits, which all browsers can play."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(np.rint(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return file.getvalue()


def _color(text: str) -> tuple[int, ...]:
    """The numbers of a color that is written like ``#0072b2``."""
    return tuple(bytes.fromhex(text[1:]))


def _visible(text: str) -> str:
    """A text with escapes in place of characters that cannot be seen."""
    return html.unescape(escaped(text))


def _data(value: object) -> str:
    """JSON as the value of an attribute; the script reads it."""
    return html.escape(json.dumps(value, separators=(",", ":")))
