"""The files of a training run: model, checkpoint, encoded text, log; what may be written where.

Knows no network and no loop.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from theano_rnn.checkpoint import read_archive, read_document, write_archive
from theano_rnn.errors import ModelFileError, OptionError


@dataclass
class Checkpoint:
    """A checkpoint file's contents."""

    path: Path
    arrays: dict
    configuration: dict


class RunFiles:
    """The files of a run: model, checkpoint, encoded text, log."""

    def __init__(self, model, log):
        if model.suffix != ".npz":
            model = model.with_name(model.name + ".npz")
        self.model = model
        self.checkpoint = model.with_suffix(".checkpoint.npz")
        self.corpus = model.with_suffix(".corpus.npz")
        self.previous = model.with_suffix(".previous.npz")
        self.log = log
        self.started = False

    def check(self, paths, options):
        """Refuse, before hours of work, places that cannot be written and texts that would be overwritten."""
        texts = {Path(path).resolve() for path in [*paths, *([options.valid] if options.valid else [])]}
        written = {path.resolve() for path in (self.model, self.checkpoint, self.corpus, self.previous)}
        if self.log is not None and self.log.resolve() in written:
            raise OptionError(f"{self.log}: is where the model goes; choose another place for the log")
        for path in (self.model, self.checkpoint, self.corpus, self.log):
            if path is None:
                continue
            if path.resolve() in texts:
                raise OptionError(f"{path}: is one of the texts; choose another place for what is written")
            if path == self.corpus:
                continue  # a run can do without
            if path.is_dir():
                raise ModelFileError(f"{path}: is a folder; name a file in it")
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise ModelFileError(f"{path}: cannot be written: {error.strerror}; choose another place") from error
            if not os.access(path.parent, os.W_OK):
                raise ModelFileError(f"{path}: the folder is not writable; choose another place")

    def read_checkpoint(self):
        if not self.checkpoint.exists():
            raise ModelFileError(f"{self.checkpoint}: no such file, so there is no run to go on with; start a new one")
        arrays = read_archive(self.checkpoint)
        configuration = read_document(self.checkpoint, arrays, "run")
        self.started = True
        return Checkpoint(self.checkpoint, arrays, configuration)

    def write(self, arrays, configuration, best):
        """The checkpoint first: it holds the best parameters too, so that a crash in between loses nothing."""
        write_archive(self.checkpoint, arrays, {"run": configuration})
        if not self.started and self.model.exists():
            os.replace(self.model, self.previous)
        self.started = True
        best.save(self.model)

    def append_log(self, record, first):
        if self.log is None:
            return
        try:
            with open(self.log, "w" if first else "a", encoding="utf-8") as file:
                file.write(json.dumps(record) + "\n")
        except OSError as error:
            raise ModelFileError(f"{self.log}: cannot be written: {error.strerror}; choose another place") from error

    def rewrite_log(self, history):
        """Make the log tell what the checkpoint knows: lines after it belong to work that is done again."""
        for i, record in enumerate(history):
            self.append_log(record, first=i == 0)
