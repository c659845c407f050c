"""The files of a training run: model, checkpoint, encoded text, log, picture, lock; what may be written where.

Knows no network and no loop.
"""

import contextlib
import filecmp
import itertools
import json
import logging
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from theano_rnn.errors import ModelFileError, OptionError
from theano_rnn.files.archive import read_archive, read_document, write_archive
from theano_rnn.files.atomic_files import link_or_copy, remove_partial_files
from theano_rnn.networks.network_file import RUN_ENTRY

logger = logging.getLogger(__name__)

DOCUMENT = RUN_ENTRY


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

    Parameters
    ----------
    model : pathlib.Path
    log, plot : pathlib.Path or None
    overwrite : bool
        Whether another run's files are replaced instead of kept.
    note : callable
        Is told, in a line, what is kept where.
    """

    def __init__(self, model, log, plot=None, overwrite=False, note=logger.info):
        if model.suffix != ".npz":
            model = model.with_name(model.name + ".npz")
        if model.stem.endswith((".checkpoint", ".corpus")):
            raise OptionError(f"{model}: names ending in .checkpoint or .corpus are reserved; choose another one")
        self.model = model
        self.checkpoint = model.with_suffix(".checkpoint.npz")
        self.corpus = model.with_suffix(".corpus.npz")
        self.lock = model.with_suffix(".lock")
        self.log = log
        self.plot = plot
        self.overwrite = overwrite
        self.note = note
        self.checkpoint_is_ours = self.model_is_ours = False
        self.has_kept = False
        self.lines_logged = None  # not known

    def check(self, paths, options):
        """Refuse, before hours of work, places that cannot be written and texts that would be overwritten."""
        texts = {Path(path).resolve() for path in [*paths, *([options.valid] if options.valid else [])]}
        needed = (self.model, self.checkpoint)
        places = (*needed, self.corpus, self.lock)
        start = None if options.init_from is None else Path(options.init_from).resolve()
        extra = {what: path for what, path in (("log", self.log), ("picture", self.plot)) if path is not None}
        taken = {path.resolve(): "model" for path in (*places, *self.kept_files())}
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
            places = (self.model, self.checkpoint, self.corpus, self.plot, *self.kept(1), *self.kept_files())
            for path in filter(None, places):
                remove_partial_files(path)
            yield
        finally:
            release(lock)

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
        self.keep_what_is_there()
        write_archive(self.checkpoint, arrays, {DOCUMENT: configuration})
        self.checkpoint_is_ours = True
        if best is not None:
            best.save(self.model)
            self.model_is_ours = True

    def keep_what_is_there(self):
        """Give another run's files names of their own before this run first writes. Nothing kept is ever replaced."""
        if self.has_kept or self.overwrite:
            return
        keeps_checkpoint = not self.checkpoint_is_ours and self.checkpoint_is_of_use()
        keeps_model = not self.model_is_ours and self.model.exists()
        try:
            if keeps_checkpoint or keeps_model:
                self.keep(keeps_model, keeps_checkpoint)
        except OSError as error:
            raise ModelFileError(
                f"{self.model}: the files that are there cannot be kept: {error.strerror}; choose another place"
            ) from error
        self.has_kept = True

    def keep(self, model_too, checkpoint_too):
        """Keep model and checkpoint under the first names that are free, or where they are kept already.

        They are where a run has kept them that ended before it wrote anything in their place.
        """
        for number in itertools.count(1):
            names = self.kept(number)
            pairs = [(self.checkpoint, names[1])] if checkpoint_too else []
            pairs += [(self.model, names[0])] if model_too else []
            missing = [(source, target) for source, target in pairs if not target.exists()]
            kept = [pair for pair in pairs if pair not in missing]
            if not all(filecmp.cmp(*pair, shallow=False) for pair in kept):
                continue
            if not kept and (any(name.exists() for name in names) or is_held(names[0].with_suffix(".lock"))):
                continue
            try:
                for source, target in missing:
                    link_or_copy(source, target)
            except FileExistsError:  # another run has just taken the name
                continue
            if missing:
                what, where = ("the model", names[0]) if model_too else ("the state of the run", names[1])
                self.note(f"{what} that was in {self.model} is kept as {where}")
            return

    def kept(self, number):
        """The names of the number-th model that is kept, and of its checkpoint, with which one can go on."""
        model = self.model.with_suffix(".previous.npz" if number == 1 else f".previous-{number}.npz")
        return model, model.with_suffix(".checkpoint.npz")

    def kept_files(self):
        """Yield the names under which models and checkpoints are kept, as far as there are such files."""
        for number in itertools.count(1):
            found = [path for path in self.kept(number) if path.exists()]
            if not found:
                return
            yield from found

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
    lock = FileLock(path, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        return True
    release(lock)
    return False


def release(lock):
    """Give up a lock and remove its file.

    The file goes while the lock is held. Whoever has opened it meanwhile, and gets the lock of a file that is gone,
    tries again: `filelock` looks at that.
    """
    with contextlib.suppress(OSError):  # Windows removes no open file; there, `filelock` does so afterwards
        os.unlink(lock.lock_file)
    lock.release()
