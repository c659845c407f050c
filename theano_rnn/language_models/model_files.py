"""Model files: .npz archives of arrays and JSON documents, and the table of tasks.

The classes in the table may live in packages above this one, so they are imported only when a file needs them.
"""

import importlib
import os
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from theano_rnn.errors import ModelFileError
from theano_rnn.files.archive import one_line, read_archive, read_document, write_archive
from theano_rnn.networks.network_file import stored_as

LANGUAGE_MODEL = "language-model"
# The class that loads the model files of each task, as "module:class". It has a class method `from_file(ModelFile)`.
# A file that does not name its task was written by version 0.1 and holds a language model.
TASKS = {
    LANGUAGE_MODEL: "theano_rnn.language_models.language_model:LanguageModel",
    "classify": "theano_rnn.tasks.classifier:Classifier",
    "tag": "theano_rnn.tasks.tagger:Tagger",
    "fill": "theano_rnn.tasks.missing_words:MissingWords",
    "tag-frames": "theano_rnn.tasks.frame_tagger:FrameTagger",
    "translate": "theano_rnn.writing.translator:Translator",
    "describe": "theano_rnn.writing.describer:Describer",
    "classify-frames": "theano_rnn.tasks.recording_classifier:RecordingClassifier",
}


def class_of_task(task: str) -> Any:
    """Return the class of the models for a task in the table."""
    module, _, name = TASKS[task].partition(":")
    return getattr(importlib.import_module(module), name)


@dataclass(frozen=True)
class ModelFile:
    """The contents of a model file, before a model is created from them.

    Attributes
    ----------
    path : str
    entries : dict of str to array
        All entries of the archive.
    configuration : object
        The JSON document "configuration".
    """

    path: str
    entries: dict[str, npt.NDArray[Any]]
    configuration: Any

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> "ModelFile":
        """Read a model file.

        Parameters
        ----------
        path : str or path-like

        Raises
        ------
        ModelFileError
            If the file is missing, damaged, of a newer format, or not a model file.
        """
        path = os.fspath(path)
        entries = read_archive(path)
        return cls(path, entries, read_document(path, entries, "configuration"))

    @property
    def task(self) -> Any:
        """The task of the model, a str; in a file edited by hand it may be any JSON value."""
        return (
            self.configuration.get("task", LANGUAGE_MODEL) if isinstance(self.configuration, dict) else LANGUAGE_MODEL
        )

    @property
    def model_class(self) -> Any:
        """The class that loads this file.

        Raises
        ------
        ModelFileError
            If the task is not in the table.
        """
        task = self.task
        if not isinstance(task, str) or task not in TASKS:
            raise ModelFileError(
                f"{self.path}: is a model for the unknown task {task!r:.60}; this theano_rnn has {', '.join(TASKS)}"
            )
        return class_of_task(task)

    def require_task(self, task: str) -> None:
        """Raise ModelFileError if the file is for another task."""
        if self.task != task:
            remedy = "predict.py or theano_rnn.load" if task == LANGUAGE_MODEL else "theano_rnn.load"
            raise ModelFileError(f"{self.path}: is a model for the task {self.task!r:.60}, not {task!r}; use {remedy}")

    def document(self, name: str) -> Any:
        """Return the JSON document `name`. Raises ModelFileError if it is missing or damaged."""
        return read_document(self.path, self.entries, name)

    def check_entries(self, expected: set[str]) -> None:
        """Raise ModelFileError if the file contains entries that are not expected."""
        unexpected = self.entries.keys() - expected
        if unexpected:
            raise ModelFileError(f"{self.path}: contains entries that no model has: {', '.join(sorted(unexpected))}")

    @property
    def parameters(self) -> dict[str, npt.NDArray[Any]]:
        """The parameters of the network by name."""
        return {name: value for name, value in self.entries.items() if value.dtype.kind == "f"}

    @property
    def documents(self) -> dict[str, Any]:
        """The JSON documents by name. Raises ModelFileError if one is damaged."""
        return {name: self.document(name) for name in self.entries if name not in self.parameters}

    def save(self, path: str | os.PathLike[str], dtype: str | None = None) -> None:
        """Write the contents to another file, atomically.

        Parameters
        ----------
        path : str or path-like
        dtype : {"float16", "float32", "float64"}, optional
            Type of the parameters in that file. By default each keeps its type.

        Raises
        ------
        ModelFileError
            If the file cannot be written.
        ValueError
            If the type is another one, or too small for a parameter.
        """
        write_archive(path, stored_as(self.parameters, dtype), self.documents)

    def inconsistent(self, error: Exception) -> ModelFileError:
        """Return the error to raise if no model can be created from the file because of `error`."""
        return ModelFileError(f"{self.path}: damaged or inconsistent: {one_line(error)}")
