"""Pictures of recordings: the spectrogram, the given and the found segments, and probabilities of labels over time."""

import bisect
import math
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from theano_rnn.results.pictures import BLUE, TEXT, drawable, new_figure, write_picture
from theano_rnn.speech.features import Frames, spectrogram
from theano_rnn.speech.recordings import Recording
from theano_rnn.speech.segments import Segment
from theano_rnn.speech.sound_files import Samples, read_blocks

MOST_DRAWN, LONGEST_DRAWN = 4, 5.0  # recordings, and seconds of each, in a picture
MOST_ROWS = 40  # labels whose probabilities are shown
LONGEST_LABEL = 10
AGREES, DIFFERS, GIVEN = "#d5e8f5", "#fdc48a", "#eeeeee"  # fills of segments
DEVIATIONS = 2.0  # of features from their mean, that pictures show
WIDTH, DOTS_PER_SECOND = 12, 240  # inches; the latter for labels that must fit in segments
CHARACTER, LINE = 8.5, 11  # dots: the width of a character, and the height of a line


@dataclass(frozen=True, eq=False)
class RecordingView:
    """What pictures show of a recording: a stretch from its start.

    Attributes
    ----------
    name : str
    duration : float
        Of the whole recording, in seconds.
    shift : float
        Seconds between frames.
    frames : float32 array (frames, features)
        Of the stretch.
    labels : sequence of str
        All labels of the model.
    probabilities : array (frames, labels)
        Of the stretch.
    found : list of Segment
        Those that begin in the stretch. The last may end after it.
    given : list of Segment or None
        The right ones in the same way, sorted by time. None if they are not known.
    sound : pathlib.Path or None
        The .wav file. None if there are only frames.
    rate : int
        Samples per second (Hz) at which the sound is shown.
    """

    name: str
    duration: float
    shift: float
    frames: Frames
    labels: Sequence[str]
    probabilities: npt.NDArray[np.floating]
    found: list[Segment]
    given: list[Segment] | None = None
    sound: Path | None = None
    rate: int = 0

    @classmethod
    def of(
        cls,
        one: Recording,
        seconds: float,
        labels: Sequence[str],
        probabilities: npt.NDArray[np.floating],
        found: Iterable[Segment],
        given: Iterable[Segment] | None = None,
        rate: int | None = None,
    ) -> "RecordingView":
        """Take the first seconds of a recording, at least one frame. `rate` is None if it has no sound."""
        count = min(max(round(seconds / one.shift), 1), len(one.frames))
        end = count * one.shift - one.shift / 2
        return cls(
            one.name,
            one.duration,
            one.shift,
            one.frames[:count].copy(),  # not a view, which would keep an hour in memory
            labels,
            probabilities[:count].copy(),
            [segment for segment in found if segment.start < end],
            None if given is None else [segment for segment in given if segment.start < end],
            one.path if rate else None,
            rate or 0,
        )

    @property
    def seconds(self) -> float:
        """The length of the stretch."""
        return len(self.frames) * self.shift

    @property
    def title(self) -> str:
        """The name, and how much of the recording is shown."""
        if self.duration > self.seconds + self.shift:
            return f"{self.name}: the first {self.seconds:g} s of {self.duration:,.1f} s"
        return f"{self.name}: {self.duration:.2f} s"

    def samples(self) -> Samples:
        """Read the sound of the stretch.

        Raises
        ------
        CorpusError, OptionError
            As `theano_rnn.speech.sound_files.read_blocks`.
        """
        wanted = round(self.seconds * self.rate)
        parts: list[Samples] = []
        for block in read_blocks(self.sound, self.rate) if self.sound is not None else ():
            parts.append(block)
            if sum(map(len, parts)) >= wanted:
                break
        return np.concatenate([np.zeros(0, np.float32), *parts])[:wanted]

    def picture(self, samples: Samples) -> tuple[Frames, float]:
        """The spectrogram of the sound, or else the features, from 0 to 1: (columns, n), and the columns per second."""
        if len(samples):
            return spectrogram(samples, self.rate), 200.0
        frames = self.frames.astype(np.float64)
        deviation = frames.std(axis=0)
        normalized = (frames - frames.mean(axis=0)) / np.where(deviation > 0, deviation, 1)
        return np.clip(normalized / DEVIATIONS / 2 + 0.5, 0, 1).astype(np.float32), 1 / self.shift

    def rows(self) -> list[int]:
        """The labels whose probabilities are shown: those that are the most probable ones of some frame."""
        best = np.bincount(self.probabilities.argmax(axis=1), minlength=len(self.labels))
        chosen = [int(label) for label in np.argsort(-best, kind="stable")[:MOST_ROWS] if best[label]]
        return sorted(chosen)

    def agrees(self, segment: Segment) -> bool:
        """Whether a found segment has the label that is given for its middle; also if none is given there."""
        middle = (segment.start + segment.end) / 2
        place = bisect.bisect_right(self.given or [], middle, key=lambda one: one.start) - 1
        if self.given is None or place < 0 or middle >= self.given[place].end:
            return True
        return segment.label == self.given[place].label


def stretches(durations: Iterable[float], most: int, each: float, together: float = math.inf) -> list[float]:
    """Choose how many seconds of the first recordings are shown; the others are left out.

    Parameters
    ----------
    durations : iterable of float
        Of all recordings.
    most : int
        Recordings.
    each, together : float
        The most seconds of a recording, and of all.

    Examples
    --------
    >>> stretches([3, 9, 2, 2], most=4, each=5, together=9)
    [3, 5, 1]
    """
    found: list[float] = []
    for duration in durations:
        left = together - sum(found)
        if len(found) == most or left <= 0:
            break
        found.append(min(duration, each, left))
    return found


def place_label(label: str, width: float, height: float, character: float, line: float) -> tuple[str, bool] | None:
    """Choose how a label is written in a segment.

    Parameters
    ----------
    label : str
    width, height : float
        Of the segment.
    character, line : float
        The width of a character and the height of a line, in the same unit.

    Returns
    -------
    (str, bool) or None
        The label, perhaps shortened, and whether it is turned by 90 degrees. None if it has no place.

    Examples
    --------
    >>> place_label("sil", 40, 30, 8, 11), place_label("sil", 12, 30, 8, 11), place_label("sil", 5, 30, 8, 11)
    (('sil', False), ('sil', True), None)
    """
    needed = character * len(label)
    if not label or width < min(character, line):
        return None
    if needed <= width:
        return label, False
    if width >= line:
        places = int(max(width, height) // character)
        text = label if len(label) <= places else label[: max(places - 1, 0)] + "…"
        return text, height > width
    return None


def write_segment_plot(path: str | os.PathLike[str], views: Sequence[RecordingView], recordings: int) -> None:
    """Draw recordings one below the other as PNG.

    Parameters
    ----------
    path : path
    views : sequence of RecordingView
        At least one.
    recordings : int
        How many there are; the picture says so if it shows fewer.

    Raises
    ------
    OutputFileError
        If the picture cannot be written.
    CorpusError, OptionError
        If a sound cannot be read again.
    """
    figure = new_figure(WIDTH, plot_height(views))
    draw_views(figure, views, recordings)
    write_picture(path, figure)


def plot_height(views: Sequence[RecordingView]) -> float:
    """The height of the picture of recordings in inches."""
    return 0.6 + sum(sum(_heights(view)) + 0.8 for view in views)


def draw_views(figure: Any, views: Sequence[RecordingView], recordings: int) -> None:
    """Draw recordings into a figure, or a part of one; see `write_segment_plot`."""
    if len(views) < recordings:
        figure.suptitle(f"the first {len(views)} of {recordings:,} recordings", fontsize="medium", color=TEXT)
    heights = [_heights(view) for view in views]
    panels = iter(figure.subplots(3 * len(views), 1, height_ratios=[h for three in heights for h in three]))
    for view in views:
        for draw in (_draw_sound, _draw_segments, _draw_probabilities):
            panel = next(panels)
            draw(panel, view)
            panel.tick_params(labelbottom=draw is _draw_probabilities)
        panel.set_xlabel("seconds", fontsize="small")


def _heights(view: RecordingView) -> tuple[float, float, float]:
    """The heights of the three panels of a recording, in inches."""
    return 1.6, 0.35 * (1 if view.given is None else 2), max(0.15 * len(view.rows()), 0.3)


def _draw_sound(panel: Any, view: RecordingView) -> None:
    levels, columns_per_second = view.picture(view.samples())
    is_sound = view.sound is not None
    top = view.rate / 2000 if is_sound else levels.shape[1]
    extent = (0, len(levels) / columns_per_second, 0, top)
    panel.imshow(levels.T, cmap="Greys", vmin=0, vmax=1, origin="lower", aspect="auto", extent=extent)
    panel.set_title(drawable(view.title, 120), parse_math=False, loc="left", fontsize="medium")
    _finish(panel, view)
    panel.set_ylabel("kHz" if is_sound else "feature", fontsize="small")
    panel.yaxis.get_major_locator().set_params(integer=not is_sound)


def _draw_segments(panel: Any, view: RecordingView) -> None:
    rows = [("given", view.given), ("found", view.found)][view.given is None :]
    dots = DOTS_PER_SECOND * LONGEST_DRAWN / max(view.seconds, view.shift)  # per second, in this panel
    for y, (name, segments) in enumerate(rows):
        for segment, begin, end in clipped(segments or (), view.seconds):
            fill = GIVEN if name == "given" else AGREES if view.agrees(segment) else DIFFERS
            panel.add_patch(_rectangle(begin, y, end - begin, facecolor=fill, edgecolor=TEXT, linewidth=0.6))
            label = drawable(segment.label, 40)
            placed = place_label(label, (end - begin) * dots, 38, CHARACTER, LINE)
            if placed is not None:
                text, is_turned = placed
                style: dict[str, Any] = {"rotation": 90, "va": "center"} if is_turned else {"va": "center_baseline"}
                style |= {"ha": "center", "fontsize": 8, "parse_math": False, "clip_on": True}
                panel.text((begin + end) / 2, y + 0.5, text, **style)
    panel.set_ylim(len(rows), 0)
    panel.set_yticks([y + 0.5 for y in range(len(rows))], [name for name, _ in rows])
    _finish(panel, view)


def _draw_probabilities(panel: Any, view: RecordingView) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    rows = view.rows()
    shades = LinearSegmentedColormap.from_list("probabilities", ["#ffffff", BLUE])
    extent = (0, view.seconds, len(rows), 0)
    panel.imshow(
        view.probabilities[:, rows].T, cmap=shades, vmin=0, vmax=1, aspect="auto", extent=extent, interpolation="none"
    )
    names = [drawable(view.labels[row], LONGEST_LABEL) for row in rows]
    panel.set_yticks(np.arange(len(rows)) + 0.5, names)
    _finish(panel, view)
    for text in panel.get_yticklabels():
        text.set_parse_math(False)
    panel.set_ylabel("P(label)" if len(rows) > 3 else "P", fontsize="small")


def _rectangle(x: float, y: float, width: float, **style: Any) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((x, y), width, 1, **style)


def _finish(panel: Any, view: RecordingView) -> None:
    panel.set_xlim(0, view.seconds)
    panel.tick_params(labelsize="small", length=2)


def clipped(segments: Iterable[Segment], seconds: float) -> Iterator[tuple[Segment, float, float]]:
    """Yield each segment with the times from which to which a stretch shows it."""
    for segment in segments:
        yield segment, segment.start, min(segment.end, seconds)
