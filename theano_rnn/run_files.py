"""The files of a training run: model, checkpoint, encoded text, log, picture, lock; what may be written where.

Knows no network and no loop.
"""

import contextlib
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from theano_rnn.atomic_files import keep_as, remove_leftovers
from theano_rnn.checkpoint import read_archive, read_document, write_archive
from theano_rnn.errors import ModelFileError, OptionError
from theano_rnn.model import STATE_OF_A_RUN

DOCUMENT = STATE_OF_A_RUN


@dataclass
class Checkpoint:
    """A checkpoint file's contents."""

    path: Path
    arrays: dict
    configuration: dict


class RunFiles:
    """The files of a run: model, checkpoint, encoded text, log, picture, lock.

    Attributes
    ----------
    checkpoint_is_ours, model_is_ours : bool
        Whether this run has written the file that stands there; what another run has left is kept before.
    """

    def __init__(self, model, log, plot=None):
        if model.suffix != ".npz":
            model = model.with_name(model.name + ".npz")
        if model.stem.endswith((".checkpoint", ".corpus")):
            raise OptionError(f"{model}: is a name for what lies beside a model; choose another one for the model")
        self.model = model
        self.checkpoint = model.with_suffix(".checkpoint.npz")
        self.corpus = model.with_suffix(".corpus.npz")
        self.lock = model.with_suffix(".lock")
        # Named like the files of a model of its own, with which one can go on.
        self.previous = model.with_suffix(".previous.npz")
        self.previous_checkpoint = self.previous.with_suffix(".checkpoint.npz")
        self.previous_lock = self.previous.with_suffix(".lock")
        self.log = log
        self.plot = plot
        self.checkpoint_is_ours = self.model_is_ours = False
        self.lines_logged = None  # not known

    def check(self, paths, options):
        """Refuse, before hours of work, places that cannot be written and texts that would be overwritten."""
        texts = {Path(path).resolve() for path in [*paths, *([options.valid] if options.valid else [])]}
        needed = (self.model, self.checkpoint)
        places = (*needed, self.corpus, self.lock, self.previous, self.previous_checkpoint)
        start = None if options.init_from is None else Path(options.init_from).resolve()
        extra = {what: path for what, path in (("log", self.log), ("picture", self.plot)) if path is not None}
        taken = {path.resolve(): "model" for path in places}
        for what, path in extra.items():
            other = taken.setdefault(path.resolve(), what)
            if other != what:
                raise OptionError(f"{path}: is where the {other} goes; choose another place for the {what}")
        for path in (*places, *extra.values()):
            if path.resolve() in texts:
                raise OptionError(f"{path}: is one of the texts; choose another place for what is written")
            if path.resolve() == start and path != self.model:  # there, it is kept as the previous one
                raise OptionError(f"{path}: is the model to start from; choose another place for what is written")
        for path in (*needed, *extra.values()):
            if path.is_dir():
                raise ModelFileError(f"{path}: is a folder; name a file in it")
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise ModelFileError(f"{path}: cannot be written: {error.strerror}; choose another place") from error
            if not os.access(path.parent, os.W_OK):
                raise ModelFileError(f"{path}: the folder is not writable; choose another place")

    @contextlib.contextmanager
    def alone(self):
        """Keep other runs away from these files. The system ends the lock with the process, however it ends.

        Raises
        ------
        ModelFileError
            If another run holds the lock, or there is no place for it.
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
            places = (self.model, self.checkpoint, self.corpus, self.previous, self.previous_checkpoint, self.plot)
            for path in filter(None, places):
                remove_leftovers(path)
            yield
        finally:
            lock.release()

    def require_checkpoint(self):
        if not self.checkpoint.exists():
            raise ModelFileError(f"{self.checkpoint}: no such file, so there is no run to go on with; start a new one")

    def read_checkpoint(self):
        arrays = read_archive(self.checkpoint)
        configuration = read_document(self.checkpoint, arrays, DOCUMENT)
        self.checkpoint_is_ours = True
        return Checkpoint(self.checkpoint, arrays, configuration)

    def write(self, arrays, configuration, best=None):
        """Write the checkpoint and, if it is to change, the model.

        The checkpoint goes first: it holds the best parameters too, so that a crash in between loses nothing.

        Raises
        ------
        ModelFileError
            If that is impossible; what was there before is still there.
        """
        self.keep_what_is_there(best is not None)
        write_archive(self.checkpoint, arrays, {DOCUMENT: configuration})
        self.checkpoint_is_ours = True
        if best is not None:
            best.save(self.model)
            self.model_is_ours = True

    def keep_what_is_there(self, model_too):
        """Give another run's files, as far as this run is about to write over them, the names of the previous ones."""
        keeps_checkpoint = not self.checkpoint_is_ours and self.checkpoint_is_of_use()
        keeps_model = model_too and not self.model_is_ours and self.model.exists()
        if (keeps_checkpoint or keeps_model) and is_held(self.previous_lock):
            raise ModelFileError(
                f"{self.previous}: is where the model that is there would be kept, and another run is training it "
                f"(it holds {self.previous_lock}); wait until it has ended, or choose another place"
            )
        try:
            if keeps_checkpoint:
                keep_as(self.checkpoint, self.previous_checkpoint)
            if keeps_model:
                keep_as(self.model, self.previous)
        except OSError as error:
            raise ModelFileError(
                f"{self.model}: the files that are there cannot be kept: {error.strerror}; choose another place"
            ) from error

    def checkpoint_is_of_use(self):
        """Whether there is a checkpoint of a run that has learnt something, as far as one can tell."""
        if not self.checkpoint.exists():
            return False
        try:
            state = read_document(self.checkpoint, read_archive(self.checkpoint), DOCUMENT)["state"]
            return bool(state["epoch"] or state["step"])
        except (ModelFileError, KeyError, TypeError):
            return True

    def rescue(self, arrays, configuration):
        """Write the checkpoint to the system's folder for temporary files; where it is now, or None if that fails."""
        try:
            place = Path(tempfile.mkdtemp(prefix="theano_rnn-")) / self.checkpoint.name
            write_archive(place, arrays, {DOCUMENT: configuration})
        except (OSError, ModelFileError):
            return None
        return place

    def write_log(self, history):
        """Let the log tell of all evaluations so far: by a line more, or anew where it may not hold those before it."""
        if self.log is None or not history or self.lines_logged == len(history):
            return
        is_continued = self.lines_logged == len(history) - 1
        lines = [json.dumps(record) + "\n" for record in (history[-1:] if is_continued else history)]
        self.lines_logged = None
        try:
            with open(self.log, "a" if is_continued else "w", encoding="utf-8") as file:
                file.write("".join(lines))
        except OSError as error:
            raise ModelFileError(f"{self.log}: cannot be written: {error.strerror}; choose another place") from error
        self.lines_logged = len(history)


def is_held(path):
    """Whether another run holds a lock; without making its file."""
    if not path.exists():
        return False
    try:
        with FileLock(path, timeout=0):
            return False
    except Timeout:
        return True
