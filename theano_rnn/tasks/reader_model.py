"""The base of the models that read: a network with its labels, vocabulary and tokenizer, and their file."""

import copy
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, TypeVar

import numpy as np
import numpy.typing as npt

from theano_rnn.encoders.items import Items
from theano_rnn.encoders.reader import Reader
from theano_rnn.encoders.reader_graph import ReaderSettings
from theano_rnn.errors import ArgumentValueError, ModelFileError
from theano_rnn.files.archive import write_archive
from theano_rnn.language_models.model_files import ModelFile
from theano_rnn.networks.network_file import check_parameter_entries
from theano_rnn.tasks.task import TaskModel
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import Vocabulary

ITEMS_AT_ONCE = 100


M = TypeVar("M", bound="ReaderModel")
R = TypeVar("R")


class ReaderModel(TaskModel):
    """A network that reads, with what its ids and labels mean. The model of each task is a subclass.

    Parameters
    ----------
    reader : Reader
    labels : sequence of str
        The names of the labels, in the order of the network's outputs.
    vocabulary : Vocabulary
    tokenizer : Tokenizer
    training : dict, optional
        How the model was trained: ``options`` and ``history``. It is saved with the model.

    Attributes
    ----------
    task : str
        The name of the task, in the table of `theano_rnn.language_models.model_files`.
    members : tuple of ReaderModel
        The models whose probabilities are averaged; empty for a single model. See `averaged_with`.
    reads_words : bool
        Whether files hold the vocabulary and the tokenizer.

    Raises
    ------
    ValueError
        If the network has another number of labels.
    """

    task: ClassVar[str]
    reads_words: ClassVar[bool] = True

    def __init__(
        self,
        reader: Reader,
        labels: Sequence[str],
        vocabulary: Vocabulary,
        tokenizer: Tokenizer,
        training: dict[str, Any] | None = None,
    ) -> None:
        if reader.settings.labels != len(labels):
            raise ArgumentValueError(f"labels: expected {reader.settings.labels}, got {len(labels)}")
        self.reader: Reader = reader
        self.labels: list[str] = list(labels)
        self.vocabulary: Vocabulary = vocabulary
        self.tokenizer: Tokenizer = tokenizer
        self.training: dict[str, Any] = training or {}
        self.members: tuple[ReaderModel, ...] = ()

    def __repr__(self) -> str:
        settings = self.reader.settings
        return (
            f"{type(self).__name__}({len(self.labels)} labels, {len(self.vocabulary)} tokens, cell={settings.cell!r}, "
            f"hidden_dim={settings.hidden_dim})"
        )

    def averaged_with(self: M, others: Sequence["ReaderModel"]) -> M:
        """Return a model whose probabilities are the means of those of this model and of others.

        Parameters
        ----------
        others : sequence of ReaderModel
            Models for the same task with the same labels. Their networks and vocabularies may differ.

        Raises
        ------
        ValueError
            If a model is for another task, or has other labels.
        """
        for other in others:
            if type(other) is not type(self):
                raise ArgumentValueError(
                    f"others: expected models for the task {self.task!r}, got one for {other.task!r}"
                )
            if other.labels != self.labels:
                raise ArgumentValueError("others: expected models with the same labels")
        averaged = copy.copy(self)
        averaged.members = (self, *others)
        return averaged

    def can_be_averaged_with(self, other: TaskModel) -> bool:
        """Tell whether another model is for the same task and has the same labels."""
        return isinstance(other, ReaderModel) and super().can_be_averaged_with(other) and self.labels == other.labels

    def of_members(self: M, function: Callable[[M], R]) -> list[R]:
        """What a function returns for each model that is averaged, or for this one if it is a single model."""
        members: Sequence[Any] = self.members or (self,)
        return [function(one) for one in members]

    # What tasks build on

    def log_probabilities(self, items: Items) -> Iterator[npt.NDArray[Any]]:
        """Yield ln P of all labels for each item, in order: (labels,), or (steps, labels) for labels of steps."""
        found: list[npt.NDArray[Any]] = [np.empty(0)] * len(items)
        for batch in items.minibatches(ITEMS_AT_ONCE):
            values = self.reader.log_probabilities(batch.inputs)
            for column, i in enumerate(batch.members):
                found[i] = values[: items.steps[i], column] if items.per_step else values[column]
        yield from found

    # Files

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model to one .npz file, atomically.

        Parameters
        ----------
        path : str or path-like
            Missing folders are created.

        Raises
        ------
        ModelFileError
            If the file cannot be written. An existing file is then unchanged.
        ValueError
            If this is the average of several models.
        """
        if self.members:
            raise ArgumentValueError(f"expected one model, got the average of {len(self.members)}; save each by itself")
        configuration = {
            "task": self.task,
            "reader": self.reader.settings.to_configuration(),
            "labels": self.labels,
            "training": self.training,
            **self.more_configuration(),
        }
        documents = {"configuration": configuration}
        if self.reads_words:
            configuration["tokenizer"] = self.tokenizer.to_configuration()
            documents["vocabulary"] = self.vocabulary.to_configuration()
        write_archive(path, self.reader.get_values(), documents)

    def more_configuration(self) -> dict[str, Any]:
        """Return what the file must hold beside the parts that all models have; `more_arguments` reads it."""
        return {}

    @classmethod
    def more_arguments(cls, configuration: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of the class that stem from `more_configuration`."""
        return {}

    @classmethod
    def load(cls: type[M], path: str | os.PathLike[str]) -> M:
        """Read a model that `save` wrote.

        Raises
        ------
        ModelFileError
            If the file is missing, damaged, inconsistent, of a newer format, or for another task.
        """
        return cls.from_file(ModelFile.read(path))

    @classmethod
    def from_file(cls: type[M], file: ModelFile) -> M:
        """Make a model from the contents of a file. Raises ModelFileError as `load` does."""
        file.require_task(cls.task)
        vocabulary: Any = file.document("vocabulary") if cls.reads_words else None
        try:
            configuration = file.configuration
            settings = ReaderSettings(**configuration["reader"])
            names = tuple(settings.parameter_shapes)
            check_parameter_entries(file.path, file.entries, names)
            file.check_entries({*names, "configuration", *(["vocabulary"] if cls.reads_words else [])})
            labels, training = configuration["labels"], configuration["training"]
            if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
                raise ArgumentValueError("labels: expected a list of str")
            if not isinstance(training, dict):
                raise ArgumentValueError(f"training: expected a dict, got {type(training).__name__}")
            arguments: dict[str, Any] = {"training": training, **cls.more_arguments(configuration)}
            if cls.reads_words:
                arguments["vocabulary"] = Vocabulary.from_configuration(vocabulary)
                arguments["tokenizer"] = Tokenizer.from_configuration(configuration["tokenizer"])
            return cls(Reader.from_values(settings, {name: file.entries[name] for name in names}), labels, **arguments)
        except ModelFileError:
            raise
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise file.inconsistent(error) from error
