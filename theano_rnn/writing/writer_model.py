"""The base of the models that write: a network with the texts that it writes, beam search, and their file."""

import abc
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from theano_rnn.checks import check_count, check_real
from theano_rnn.decoders.beam_search import BeamSettings, Written, search
from theano_rnn.decoders.pairs import Pairs, padded_sources
from theano_rnn.decoders.writer import Writer
from theano_rnn.decoders.writer_settings import WriterSettings
from theano_rnn.errors import ArgumentValueError, ModelFileError
from theano_rnn.files.archive import write_archive
from theano_rnn.language_models.model_files import ModelFile
from theano_rnn.networks.network_file import check_parameter_entries
from theano_rnn.tasks.task import PredictionOptions, TaskModel
from theano_rnn.writing.text_side import TextSide

SOURCES_AT_ONCE = 64  # in one minibatch of the search
SCORED_AT_ONCE = 100
COLUMNS = (1, 4, 16, SOURCES_AT_ONCE)  # few numbers, because XLA compiles each of them
BEAM = 5
LENGTH_PENALTY = 1.0

M = TypeVar("M", bound="WriterModel")


@dataclass(frozen=True)
class Search:
    """How targets are searched for.

    Parameters
    ----------
    beam : int
        Width of the beam; 1 is greedy search.
    length_penalty : float
        α of the score ln P / n^α, where n is the number of tokens, the end included.
    max_length : int, optional
        The number of tokens that a target has at most. Default: depends on the source.
    keep_unknown : bool
        Whether the unknown word may be written. Otherwise the model does without it, or replaces it.

    Raises
    ------
    TypeError, ValueError
        If a value is out of range.
    """

    beam: int = BEAM
    length_penalty: float = LENGTH_PENALTY
    max_length: int | None = None
    keep_unknown: bool = False

    def __post_init__(self) -> None:
        check_count("beam", self.beam)
        check_real("length_penalty", self.length_penalty, minimum=0)
        if self.max_length is not None:
            check_count("max_length", self.max_length)

    @classmethod
    def chosen(cls, options: PredictionOptions) -> "Search":
        """The search that predict.py asks for."""
        beam = max(BEAM, options.nbest or 1) if options.beam is None else options.beam
        check_count("beam", beam)
        if options.nbest is not None and options.nbest > beam:
            raise ArgumentValueError(f"nbest: expected at most `beam` ({beam}), got {options.nbest}")
        penalty = LENGTH_PENALTY if options.length_penalty is None else options.length_penalty
        return cls(beam, penalty, options.max_length, options.keep_unknown)


@dataclass(frozen=True)
class Hypothesis:
    """A text that was written.

    Attributes
    ----------
    text : str
    tokens : list of str
        Of the target, as the text has them.
    log_probability : float
        ln P(target | source) in nats, the end of the target included.
    score : float
        ln P divided by the number of tokens, the end included, to the power of the length penalty.
    weights : array (tokens + 1, source tokens + 1) or None
        The attention with which each token and the end were written; the last column is the end of the source.
    """

    text: str
    tokens: list[str]
    log_probability: float
    score: float
    weights: npt.NDArray[np.float32] | None = None


class WriterModel(TaskModel):
    """A network that writes, with what its ids mean. The model of each task is a subclass.

    Parameters
    ----------
    writer : Writer
    target : TextSide
        How targets become ids.
    training : dict, optional
        How the model was trained: ``options`` and ``history``. It is saved with the model.

    Raises
    ------
    ValueError
        If the network has another number of words than the vocabulary.
    """

    writes = True

    def __init__(self, writer: Writer, target: TextSide, training: dict[str, Any] | None = None) -> None:
        if writer.settings.words != len(target.vocabulary):
            raise ArgumentValueError(f"target: expected {writer.settings.words} tokens, got {len(target.vocabulary)}")
        self.writer: Writer = writer
        self.target: TextSide = target
        self.training: dict[str, Any] = training or {}

    def __repr__(self) -> str:
        settings = self.writer.settings
        return (
            f"{type(self).__name__}({settings.words} target tokens, cell={settings.cell!r}, "
            f"hidden_dim={settings.hidden_dim}, attention={settings.attention})"
        )

    def _beam_settings(self, chosen: Search, writes_unknown: bool) -> BeamSettings:
        vocabulary = self.target.vocabulary
        never = () if writes_unknown else (vocabulary.unknown,)
        return BeamSettings(chosen.beam, chosen.length_penalty, vocabulary.start, vocabulary.end, never)

    def _search(
        self,
        sources: Sequence[Any],
        longest: Sequence[int],
        settings: BeamSettings,
        features: npt.NDArray[Any] | None = None,
        keep_weights: bool = False,
    ) -> list[list[Written]]:
        """The best targets of each source, in the order of the sources.

        Sources of similar lengths are searched together, with the limit of the longest of them.
        """
        found: list[list[Written]] = [[] for _ in sources]
        order = np.argsort(longest, kind="stable")
        columns = next(number for number in COLUMNS if number >= min(SOURCES_AT_ONCE, len(sources)))
        for first in range(0, len(order), SOURCES_AT_ONCE):
            members = order[first : first + SOURCES_AT_ONCE]
            read = self.writer.read(padded_sources([sources[i] for i in members], columns, features=features))
            limit = int(longest[members[-1]])
            for i, written in zip(
                members, search(self.writer, read, len(members), limit, settings, keep_weights), strict=True
            ):
                found[i] = written
        return found

    def pair_scores(self, pairs: Pairs) -> npt.NDArray[np.float64]:
        """ln P of the target of each pair, in nats."""
        found = np.zeros(len(pairs))
        for batch in pairs.minibatches(SCORED_AT_ONCE):
            values = self.writer.log_probabilities(batch.source, *batch.target).sum(axis=0, dtype=np.float64)
            found[batch.members] = values[: batch.items]
        return found

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
        """
        configuration = {
            "task": self.task,
            "writer": self.writer.settings.to_configuration(),
            "target": self.target.to_configuration(),
            "training": self.training,
            **self.more_configuration(),
        }
        write_archive(path, self.writer.get_values(), {"configuration": configuration})

    @abc.abstractmethod
    def more_configuration(self) -> dict[str, Any]:
        """Return what the file must hold beside the parts that all models have; `more_arguments` reads it."""

    @classmethod
    @abc.abstractmethod
    def more_arguments(cls, configuration: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of the class that stem from `more_configuration`."""

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
        try:
            configuration = file.configuration
            settings = WriterSettings(**configuration["writer"])
            names = tuple(settings.parameter_shapes)
            check_parameter_entries(file.path, file.entries, names)
            file.check_entries({*names, "configuration"})
            training = configuration["training"]
            if not isinstance(training, dict):
                raise ArgumentValueError(f"training: expected a dict, got {type(training).__name__}")
            writer = Writer.from_values(settings, {name: file.entries[name] for name in names})
            target = TextSide.from_configuration(configuration["target"])
            return cls(writer, target=target, training=training, **cls.more_arguments(configuration))
        except ModelFileError:
            raise
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise file.inconsistent(error) from error
