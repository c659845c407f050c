"""The files of a training run: model, checkpoint, encoded text, log, plot and lock, and what may be written where.

Must not know the network or the training loop.
"""

import contextlib
import filecmp
import itertools
import json
import logging
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from filelock import FileLock, Timeout

from theano_rnn.errors import ModelFileError, OptionError
from theano_rnn.files.archive import read_archive, read_document, write_archive
from theano_rnn.files.atomic_files import link_or_copy, remove_partial_files
from theano_rnn.networks.network_file import RUN_ENTRY
from theano_rnn.training.options import TrainingOptions

logger = logging.getLogger(__name__)


class SavableModel(Protocol):
    """A model that can write itself to a file."""

    def save(self, path: Path, /) -> object: ...


@dataclass
class Checkpoint:
    """The contents of a checkpoint file.

    Parameters
    ----------
    path : pathlib.Path
    arrays : dict of str to array
    configuration : dict
        See `theano_rnn.training.saving.checkpoint_contents`.
    """

    path: Path
    arrays: dict[str, np.ndarray]
    configuration: dict[str, Any]


class RunFiles:
    """The files of a run.

    Parameters
    ----------
    model : pathlib.Path
        The model file. The checkpoint, the encoded text and the lock are beside it.
    log, plot : pathlib.Path or None
    overwrite : bool
        Whether to replace the files of a previous run instead of keeping them under other names.
    note : callable
        Receives one line for each model that is kept.
    events : pathlib.Path or None
        The folder of TensorBoard's event files.

    Attributes
    ----------
    model, checkpoint, corpus, lock : pathlib.Path
    log, plot, events : pathlib.Path or None
    checkpoint_is_ours, model_is_ours : bool
        Whether the file that is there is this run's. If not, it is kept before this run first writes.

    Raises
    ------
    OptionError
        If the name of the model is reserved for another file of a run.
    """

    writes: bool = True
    """Whether this process writes files."""

    def __init__(
        self,
        model: Path,
        log: Path | None,
        plot: Path | None = None,
        overwrite: bool = False,
        note: Callable[[str], object] = logger.info,
        events: Path | None = None,
    ) -> None:
        if model.suffix != ".npz":
            folder, model = model, model.with_name(model.name + ".npz")
            if folder.is_dir() and not model.exists():  # it was probably not meant to be written beside the folder
                raise ModelFileError(f"{folder}: is a directory; name a file in it")
        if model.stem.endswith((".checkpoint", ".corpus")):
            raise OptionError(f"{model}: names ending in .checkpoint or .corpus are reserved; choose another one")
        self.model: Path = model
        self.checkpoint: Path = model.with_suffix(".checkpoint.npz")
        self.corpus: Path = model.with_suffix(".corpus.npz")
        self.lock: Path = model.with_suffix(".lock")
        self.log: Path | None = log
        self.plot: Path | None = plot
        self.events: Path | None = events
        self.checkpoint_is_ours: bool = False
        self.model_is_ours: bool = False
        self._overwrite = overwrite
        self._note = note
        self._has_kept = False
        self._lines_logged: int | None = None  # unknown

    def check(self, paths: Sequence[str], options: TrainingOptions) -> None:
        """Check, before hours of work, that the files can be written and overwrite neither texts nor another model.

        Parameters
        ----------
        paths : sequence of str
            The training texts.
        options : TrainingOptions

        Raises
        ------
        OptionError
            If a file would take the place of a text, of the model to start from, or of another file of the run.
        ModelFileError
            If a file cannot be written.
        """
        texts = {Path(path).resolve() for path in [*paths, *([options.valid] if options.valid else [])]}
        needed = (self.model, self.checkpoint)
        places = (*needed, self.corpus, self.lock)
        start = None if options.init_from is None else Path(options.init_from).resolve()
        extra = {what: path for what, path in (("log", self.log), ("picture", self.plot)) if path is not None}
        taken = {path.resolve(): "model" for path in (*places, *self._existing_previous_files())}
        for what, path in extra.items():
            other = taken.setdefault(path.resolve(), what)
            if other != what:
                raise OptionError(f"{path}: is where the {other} goes; choose another place for the {what}")
        for path in (*places, *extra.values()):
            if path.resolve() in texts:
                raise OptionError(f"{path}: is one of the texts; choose another place for what is written")
            if path.resolve() == start and path != self.model:  # if it is the same file, it is kept as the previous one
                raise OptionError(f"{path}: is the model to start from; choose another place for what is written")
        for path in (*needed, *extra.values()):
            if path.is_dir():
                raise ModelFileError(f"{path}: is a directory; name a file in it")
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise ModelFileError(f"{path}: cannot be written: {error.strerror}; choose another place") from error
            if not os.access(path.parent, os.W_OK):
                raise ModelFileError(f"{path}: the folder is not writable; choose another place")

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other runs away from these files. The operating system releases the lock when the process ends.

        Raises
        ------
        ModelFileError
            If another run holds the lock, or the lock file cannot be made.
        """
        lock = FileLock(self.lock, timeout=0)
        try:
            lock.acquire()
        except Timeout as error:
            raise ModelFileError(
                f"{self.model}: another run is training this model (it holds {self.lock}); "
                "wait until it has ended, or choose another place"
            ) from error
        except (OSError, NotImplementedError) as error:
            raise ModelFileError(f"{self.lock}: cannot be written: {error}; choose another place") from error
        try:
            places = (
                self.model,
                self.checkpoint,
                self.corpus,
                self.plot,
                *self.previous_files(1),
                *self._existing_previous_files(),
            )
            for path in filter(None, places):
                remove_partial_files(path)
            yield
        finally:
            _release(lock)

    def require_checkpoint(self) -> None:
        """Raise ModelFileError if there is no checkpoint."""
        if not self.checkpoint.exists():
            raise ModelFileError(
                f"{self.checkpoint}: no such file; there is no run to resume. Leave `resume` out to start one"
            )

    def read_checkpoint(self) -> Checkpoint:
        """Read the checkpoint; raise ModelFileError if it is damaged."""
        arrays = read_archive(self.checkpoint)
        configuration = read_document(self.checkpoint, arrays, RUN_ENTRY)
        self.checkpoint_is_ours = True
        return Checkpoint(self.checkpoint, arrays, configuration)

    def write(
        self, arrays: dict[str, np.ndarray], configuration: dict[str, Any], model: SavableModel | None = None
    ) -> None:
        """Write the checkpoint, and the model unless it is None.

        The checkpoint is written first. It holds the best parameters too, so a crash in between loses nothing.

        Raises
        ------
        ModelFileError
            If they cannot be written. The previous files are then still there.
        """
        self._keep_previous_files()
        write_archive(self.checkpoint, arrays, {RUN_ENTRY: configuration})
        self.checkpoint_is_ours = True
        if model is not None:
            model.save(self.model)
            self.model_is_ours = True

    def _keep_previous_files(self) -> None:
        """Give a previous run's files other names before this run first writes. No kept file is ever replaced."""
        if self._has_kept or self._overwrite:
            return
        keeps_checkpoint = not self.checkpoint_is_ours and self._checkpoint_is_useful()
        keeps_model = not self.model_is_ours and self.model.exists()
        try:
            if keeps_checkpoint or keeps_model:
                self._keep(keeps_model, keeps_checkpoint)
        except OSError as error:
            raise ModelFileError(
                f"{self.model}: the files that are there cannot be kept: {error.strerror}; choose another place"
            ) from error
        self._has_kept = True

    def _keep(self, model_too: bool, checkpoint_too: bool) -> None:
        """Keep model and checkpoint under the first free names, or under those under which they are already kept.

        The latter is so if a run kept them and ended before it wrote anything in their place.
        """
        for number in itertools.count(1):
            names = self.previous_files(number)
            pairs = [(self.checkpoint, names[1])] if checkpoint_too else []
            pairs += [(self.model, names[0])] if model_too else []
            missing = [(source, target) for source, target in pairs if not target.exists()]
            kept = [pair for pair in pairs if pair not in missing]
            if not all(filecmp.cmp(*pair, shallow=False) for pair in kept):
                continue
            if not kept and (any(name.exists() for name in names) or _is_held(names[0].with_suffix(".lock"))):
                continue
            try:
                for source, target in missing:
                    link_or_copy(source, target)
            except FileExistsError:  # another run has just taken the name
                continue
            if missing:
                what, where = ("the model", names[0]) if model_too else ("the state of the run", names[1])
                self._note(f"{what} that was in {self.model} is kept as {where}")
            return

    def previous_files(self, number: int) -> tuple[Path, Path]:
        """Return the names under which the number-th model and its checkpoint are kept; the first number is 1."""
        model = self.model.with_suffix(".previous.npz" if number == 1 else f".previous-{number}.npz")
        return model, model.with_suffix(".checkpoint.npz")

    def _existing_previous_files(self) -> Iterator[Path]:
        """Yield the models and checkpoints that are kept."""
        for number in itertools.count(1):
            found = [path for path in self.previous_files(number) if path.exists()]
            if not found:
                return
            yield from found

    def _checkpoint_is_useful(self) -> bool:
        """Return whether there is a checkpoint of a run that has taken a step, or one that cannot be read."""
        if not self.checkpoint.exists():
            return False
        try:
            state = read_document(self.checkpoint, read_archive(self.checkpoint), RUN_ENTRY)["state"]
            return bool(state["epoch"] or state["step"])
        except (ModelFileError, KeyError, TypeError):
            return True

    def rescue(self, arrays: dict[str, np.ndarray], configuration: dict[str, Any]) -> Path | None:
        """Write the checkpoint to a new temporary folder; return its path, or None if that fails too."""
        try:
            place = Path(tempfile.mkdtemp(prefix="theano_rnn-")) / self.checkpoint.name
            write_archive(place, arrays, {RUN_ENTRY: configuration})
        except (OSError, ModelFileError):
            return None
        return place

    def rewrite_log(self, history: list[dict[str, Any]]) -> None:
        """Make the log contain these records in place of all that it has; raises as `write_log` does."""
        self._lines_logged = None
        self.write_log(history)

    def write_log(self, history: list[dict[str, Any]]) -> None:
        """Make the log contain all evaluations so far: append a line, or rewrite it if earlier lines may be missing.

        Raises
        ------
        ModelFileError
            If it cannot be written.
        """
        if self.log is None or not history or self._lines_logged == len(history):
            return
        is_continued = self._lines_logged == len(history) - 1
        lines = [json.dumps(record) + "\n" for record in (history[-1:] if is_continued else history)]
        self._lines_logged = None
        try:
            with open(self.log, "a" if is_continued else "w", encoding="utf-8") as file:
                file.write("".join(lines))
        except OSError as error:
            raise ModelFileError(f"{self.log}: cannot be written: {error.strerror}; choose another place") from error
        self._lines_logged = len(history)


class NoFiles(RunFiles):
    """The files of a process that writes none, because another process of the run does.

    Parameters
    ----------
    model : pathlib.Path
        The model file that the other process writes.
    folder : pathlib.Path
        Where there is space for temporary files.
    """

    writes = False

    def __init__(self, model: Path, folder: Path) -> None:
        super().__init__(model, None)
        self.corpus = folder / self.corpus.name

    def check(self, paths: Sequence[str], options: TrainingOptions) -> None:
        """Do nothing."""

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Do nothing until the end of the block."""
        yield

    def require_checkpoint(self) -> None:
        """Do nothing: the other process has it."""

    def write(
        self, arrays: dict[str, np.ndarray], configuration: dict[str, Any], model: SavableModel | None = None
    ) -> None:
        """Do nothing."""


def _is_held(path: Path) -> bool:
    """Return whether another run holds a lock, without making its file."""
    if not path.exists():
        return False
    lock = FileLock(path, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        return True
    _release(lock)
    return False


def _release(lock: FileLock) -> None:
    """Release a lock and remove its file.

    The file is removed while the lock is held. A process that has opened the file meanwhile gets the lock of a file
    that is gone; `filelock` notices this and tries again.
    """
    with contextlib.suppress(OSError):  # Windows removes no open file; there, `filelock` removes it afterwards
        os.unlink(lock.lock_file)
    lock.release()
