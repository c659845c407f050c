"""Shows a training run on a stream: progress at a terminal, one line per evaluation, sampled texts."""

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from theano_rnn.files.printable import printable
from theano_rnn.language_models.language_model import LanguageModel
from theano_rnn.language_models.text_model import WHOLE_LOSS, best_evaluation
from theano_rnn.ngrams.baselines import Baselines
from theano_rnn.ngrams.comparison import comparison, shortfall
from theano_rnn.training.evaluation import losses, perplexity, quality, speed
from theano_rnn.training.reporter import Reporter
from theano_rnn.training.training_state import TrainingState

USUAL_WIDTH, USUAL_HEIGHT = 80, 24  # if the terminal does not report its size
INDENT = " " * 11  # of sampled texts: below the text after "epoch   1"
SECONDS_BETWEEN_TICKS = 1.0
LARGE_TEXT = 5_000_000  # bytes; a smaller one is read in a second or two
ENCODING = "encoding"


class ProgressReporter(Reporter):
    """Shows a training run.

    At a terminal, and in a notebook, there is one line of progress, at most as wide as the terminal. Each evaluation
    gets a line of its own, and each sampled text. Elsewhere there are only these lines, without control characters.

    Parameters
    ----------
    stream : text file, optional
        Default: standard error.
    option_name : callable, optional
        Returns the name by which the user knows an option; default: the name of the Python argument.
    to_continue : str
        How to continue the run if the time limit ends it.
    wants_baselines : bool
        Whether to compare the model with simple models at the end of the run.
    next_command : callable, optional
        Takes the model, its path, and options of a run that should be better, by name, or none of them; returns a
        command line to try next, or None.
    """

    def __init__(
        self,
        stream: TextIO | None = None,
        option_name: Callable[[str], str] = str,
        to_continue: str = "To continue, train with resume=True.",
        wants_baselines: bool = True,
        next_command: Callable[[Any, Path, Mapping[str, Any]], str | None] | None = None,
    ) -> None:
        self.wants_baselines = wants_baselines
        self._stream: TextIO = sys.stderr if stream is None else stream
        self._option_name = option_name
        self._to_continue = to_continue
        can_rewrite = self._stream.isatty() or _is_notebook(self._stream)
        self._line = _ProgressLine(self._stream) if can_rewrite else None
        self._next_command = next_command

    def option_name(self, name: str) -> str:
        return self._option_name(name)

    # What happens

    def note(self, text: str) -> None:
        if self._line is not None:
            self._line.write_above(text)
        else:
            self._stream.write(f"{text}\n")
            self._stream.flush()

    def warn(self, text: str) -> None:
        self.note(f"warning: {text}")

    def reading(self, paths: Sequence[str]) -> None:
        names = paths[0] if len(paths) == 1 else f"{len(paths)} files"
        if self._line is not None:
            self._line.show_stage(f"reading {printable(names)}")
        elif _size(paths) >= LARGE_TEXT:
            self.note(f"reading {printable(names)}")

    def encoding(self, done: int, total: int) -> None:
        if self._line is not None:
            self._line.show_steps(ENCODING, done, total, ["characters"], unit_scale=True)

    def stage(self, name: str) -> None:
        if self._line is not None:
            self._line.show_stage(name)

    def progress(
        self, state: TrainingState, epochs: int, done: int, total: int, loss: float, tokens_per_second: float
    ) -> None:
        if self._line is not None:
            figures = [f"loss {loss:.3f}", *speed(tokens_per_second)]
            self._line.show_steps(f"epoch {state.epoch + 1}/{epochs}", done, total, figures, of_what=" in this epoch")

    def evaluated(self, record: dict[str, Any], sample: str | None) -> None:
        self.close()
        rate, seconds = f"rate {record['learning_rate']:g}", f"{record['seconds']:.0f} s"
        fields = [f"epoch {record['epoch']:>3}", *losses(record), *quality(record), rate]
        fields += [*speed(record["tokens_per_second"]), seconds]
        if self._line is not None and self._stream.isatty():  # leave out what matters least, until the line fits
            for field in (seconds, rate, *losses(record)):
                if len("  ".join(fields)) > self._line.width:
                    fields.remove(field)
        self.note("  ".join(fields))
        if sample is not None:
            self._show_sample(sample)

    def sampled(self, state: TrainingState, sample: str) -> None:
        self._show_sample(sample)

    def _show_sample(self, sample: str) -> None:
        self.note(INDENT + printable(sample))

    def time_is_up(self, state: TrainingState, checkpoint: Path) -> None:
        counts = ((state.epoch, "epoch"), (state.step, "step"))
        done = " and ".join(f"{n} {unit}{'s' if n > 1 else ''}" for n, unit in counts if n)
        self.close()
        self.note(f"time is up after {done}; progress is saved. {self._to_continue}")

    def finished(self, lm: LanguageModel, path: Path) -> None:
        best = best_evaluation(lm.training["history"], lm.training["options"]["tutorial"])
        found = "" if best is None else f"best {', '.join(quality(best))} after epoch {best['epoch']:g}; "
        if best is not None and WHOLE_LOSS in best:
            found += f"perplexity {perplexity(best[WHOLE_LOSS]):.2f} on all held-out text; "
        self.close()
        self.note(f"{found}the model is in {path}")

    def compared(self, lm: LanguageModel, path: Path, baselines: Baselines | None) -> None:
        self.close()
        changes: dict[str, Any] = {}
        if baselines is not None:
            self.note(comparison(lm.training, baselines))
            reason = shortfall(lm.training, baselines, self._option_name)
            if reason is not None:
                self.warn(reason.text)
                changes = reason.changes
        command = None if self._next_command is None else self._next_command(lm, path, changes)
        if command is not None:
            self.note(f"Try next:\n  {command}")

    def close(self) -> None:
        """Remove the line of progress, if one is shown."""
        if self._line is not None:
            self._line.close()


class _ProgressLine:
    """The line of progress at a terminal: a bar, or a stage with the seconds that it has taken."""

    def __init__(self, stream: TextIO) -> None:
        from tqdm import tqdm

        self._tqdm = tqdm
        self._stream = stream
        self._bar: Any = None
        self._title: str | None = None
        self._stage_ends = threading.Event()
        self._ticker: threading.Thread | None = None

    @property
    def width(self) -> int:
        """The number of columns to use: all but the last, since some terminals wrap a line that fills them all."""
        try:
            columns = os.get_terminal_size(self._stream.fileno()).columns
        except OSError:
            columns = 0
        return (columns or USUAL_WIDTH) - 1

    def show_steps(
        self, title: str, done: int, total: int, figures: list[str], unit_scale: bool = False, of_what: str = ""
    ) -> None:
        """Show that `done` of `total` steps are done, with a bar and, from the second time on, the time that is left.

        Parameters
        ----------
        title : str
        done, total : int
        figures : list of str
        unit_scale : bool
            Whether to abbreviate large counts: ``5.00M`` in place of ``5000000``.
        of_what : str
            What the time is left of, in words that follow "left". They are shown where the width allows.
        """
        width = self.width
        if self._bar is None or self._title != title:
            self.close()
            self._title = title
            bar_format = _bar_format(title, "  ".join(figures), width, [""])
            self._bar = self._new_bar(bar_format, total=total, initial=done, unit_scale=unit_scale, miniters=1)
            return
        times = ["{remaining} left" + of_what, "{remaining} left"]
        self._bar.ncols, self._bar.bar_format = width, _bar_format(title, "  ".join(figures), width, times)
        self._bar.update(done - self._bar.n)

    def _new_bar(self, bar_format: str, **options: Any) -> Any:
        # Sizes are given, because tqdm shows nothing at a terminal that reports none.
        sizes: dict[str, Any] = {"ncols": self.width, "nrows": USUAL_HEIGHT}
        return self._tqdm(file=self._stream, leave=False, bar_format=bar_format, **sizes, **options)

    def show_stage(self, name: str) -> None:
        """Show the name of something that takes a while, and the seconds that it has taken so far."""
        self.close()
        text = name[: self.width - len("… 0:00:00")].replace("{", "{{").replace("}", "}}")
        self._bar = self._new_bar(f"{text}… {{elapsed}}", total=0)
        self._stage_ends.clear()
        self._ticker = threading.Thread(target=self._tick, args=(self._bar,), daemon=True)
        self._ticker.start()

    def _tick(self, bar: Any) -> None:
        """Show the seconds as they pass, until the stage ends."""
        with contextlib.suppress(OSError, ValueError):  # a stream that is closed
            while not self._stage_ends.wait(SECONDS_BETWEEN_TICKS):
                bar.refresh()

    def write_above(self, text: str) -> None:
        """Write a line above the line of progress, or in place of one that shows how far the text is encoded."""
        if self._title == ENCODING:
            self.close()
        self._tqdm.write(text, file=self._stream)
        self._stream.flush()

    def close(self) -> None:
        """Remove the line."""
        if self._ticker is not None:
            self._stage_ends.set()
            self._ticker.join()
            self._ticker = None
        if self._bar is not None:
            with contextlib.suppress(BrokenPipeError):
                self._bar.close()
            self._bar = self._title = None


def _bar_format(title: str, figures: str, width: int, times: Sequence[str]) -> str:
    """Return the format of a bar that fits the width; what matters least is left out.

    Parameters
    ----------
    title, figures : str
    width : int
    times : sequence of str
        Formats of the time that is left, the best one first.
    """
    percentage, bar, counts = " {percentage:3.0f}%", "|{bar}|", " {n_fmt}/{total_fmt}"
    lengths = {bar: 6, counts: 18, "": 0}  # the shortest useful bar; long counts and times take from its length
    needed = len(title) + len(" 100%") + len(f"  {figures}")
    for time in times:
        left = f"  {time}" if time else ""
        remaining = width - needed - len(left.format(remaining="00:00"))
        for parts in ((bar, counts), (bar, ""), ("", "")):
            if sum(lengths[part] for part in parts) <= remaining:
                return f"{title}{percentage}{parts[0]}{parts[1]}  {figures}{left}"
    return f"{title}{percentage}  {figures}"


def _is_notebook(stream: TextIO) -> bool:
    """Return whether a stream leads to the output of a notebook's cell, where a carriage return starts a line anew."""
    return type(stream).__module__.startswith("ipykernel.")


def _size(paths: Sequence[str]) -> int:
    """Return the size of files in bytes; one that cannot be read, which is an error of its own, counts as empty."""
    size = 0
    for path in paths:
        with contextlib.suppress(OSError):
            size += os.path.getsize(path)
    return size
