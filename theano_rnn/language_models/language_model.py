"""The language model that users load, score with and generate from; `load` and `score` for model files."""

import os
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any, overload

import numpy as np

from theano_rnn.deployment.exchange_files import write_safetensors, write_torch
from theano_rnn.deployment.onnx_files import write_onnx
from theano_rnn.errors import ArgumentValueError, ModelFileError
from theano_rnn.files.archive import write_archive
from theano_rnn.language_models.continuous_text import continuous_cross_entropy
from theano_rnn.language_models.incremental_scoring import IncrementalScorer
from theano_rnn.language_models.model_files import LANGUAGE_MODEL, ModelFile
from theano_rnn.language_models.notebook_display import html_of
from theano_rnn.language_models.reading_scores import ReadingScorer
from theano_rnn.language_models.scoring import format_loss, sentences_cross_entropy
from theano_rnn.language_models.text_generation import TextGenerator
from theano_rnn.language_models.text_scoring import Base, FloatArray
from theano_rnn.networks.network_file import stored_as
from theano_rnn.networks.rnn import RNN
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import Vocabulary

_SENTENCES_AT_ONCE = 32

# The models of `load_once` by absolute path, each with the version of its file.
_kept: dict[str, tuple[tuple[int, ...] | None, "LanguageModel"]] = {}
_loading = threading.Lock()


class LanguageModel(ReadingScorer, IncrementalScorer, TextGenerator):
    """A recurrent network language model that scores and generates sentences.

    At character level each line of a text is a sentence: a newline is SENTENCE_END, and a sentence begins where the
    line before it ended. A model that was trained on continuous text still scores each sentence from a zero state;
    `text_loss` and passages (`generate` with `length`) carry the state from sentence to sentence, as training does.

    Parameters
    ----------
    rnn : RNN
    vocabulary : Vocabulary
        Has `rnn.word_dim` entries.
    tokenizer : Tokenizer
    training : dict, optional
        How the model was trained: ``options``, ``history`` and ``coverage``. It is saved with the model.

    Attributes
    ----------
    rnn : RNN
    vocabulary : Vocabulary
    tokenizer : Tokenizer
    training : dict

    Raises
    ------
    ValueError
        If the vocabulary and the network have different sizes.

    Examples
    --------
    >>> from theano_rnn import RNN
    >>> vocabulary = Vocabulary(["SENTENCE_START", "SENTENCE_END", "UNKNOWN_TOKEN", "the", "dog", "sleeps", "."])
    >>> lm = LanguageModel(RNN(word_dim=7, hidden_dim=5, seed=1), vocabulary, Tokenizer())
    >>> lm
    LanguageModel(word level, 7 tokens, cell='simple', hidden_dim=5)
    >>> [(token, known) for token, _, known in lm.word_scores("The cat sleeps.")]
    [('the', True), ('cat', False), ('sleeps', True), ('.', True), ('SENTENCE_END', True)]
    """

    def __repr__(self) -> str:
        parts = [f"{self.tokenizer.level} level", f"{len(self.vocabulary)} tokens", f"cell={self.rnn.cell!r}"]
        parts.append(f"hidden_dim={self.rnn.hidden_dim}")
        if self.held_out_loss is not None:
            parts.append(f"held-out {format_loss(self.held_out_loss, self.tokenizer.level)}")
        return f"{type(self).__name__}({', '.join(parts)})"

    def text_loss(self, text: str, batch_size: int = 10, sequence_length: int = 50) -> float:
        """Return the mean cross-entropy of a text in nats per token, measured as in training.

        At word level this is the mean over the tokens of its sentences, sentence ends included. If the model was
        trained with `continuous`, the state is carried from each sentence to the next. At character level the text is
        always one continuous sequence, and the last line ends with a newline even if the text does not.

        Parameters
        ----------
        text : str
        batch_size, sequence_length : int
            The size of the minibatches of a continuous text. It does not affect the result.

        Raises
        ------
        ValueError
            If the text has no tokens.
        """
        unpredicted = None
        if self.tokenizer.level == "char":
            text = text if not text or text.endswith("\n") else text + "\n"
            encoded = [np.concatenate([[self.start], self.vocabulary.encode_text(text)]).astype(np.int32)]
        else:
            encoded, unpredicted = [self.encode(sentence) for sentence in self.tokenizer.sentences([text])], self.start
        total, tokens = 0.0, 0
        if not self.continuous:
            total, tokens = sentences_cross_entropy(self.rnn, encoded, _SENTENCES_AT_ONCE)
        elif sum(map(len, encoded)) > 1:
            ids = np.concatenate(encoded)
            total, tokens = continuous_cross_entropy(
                self.rnn, ids, batch_size, sequence_length, unpredicted=unpredicted
            )
        if not tokens:
            raise ArgumentValueError("text: expected at least one token, got none")
        return total / tokens

    def _repr_html_(self) -> str:
        return html_of("model", self)

    def save(self, path: str | os.PathLike[str], dtype: str | None = None) -> None:
        """Write the model to one .npz file, atomically.

        Parameters
        ----------
        path : str or path-like
            Missing folders are created.
        dtype : {"float16", "float32", "float64"}, optional
            Type of the parameters in the file. The default is that of the network. "float16" halves the file of a
            float32 model; the perplexity on the shipped corpus changes by less than 0.001 %. Loading converts the
            parameters to the usual type.

        Raises
        ------
        ModelFileError
            If the file cannot be written. An existing file is then unchanged.
        ValueError
            If `dtype` is another type, or too small for a parameter.
        """
        write_archive(path, stored_as(self.rnn.views(), dtype), self.documents())

    def export_onnx(self, path: str | os.PathLike[str]) -> list[Path]:
        """Write the network as ONNX, and the vocabulary as JSON, so that it runs without this package.

        The inputs and outputs are described in `theano_rnn.deployment.onnx_graphs`, the vocabulary in
        `theano_rnn.deployment.vocabulary_file`.

        Parameters
        ----------
        path : str or path-like
            The name ends in .onnx. Missing folders are created.

        Returns
        -------
        list of pathlib.Path
            For ``rnn.onnx``: ``rnn.onnx`` for whole sequences, ``rnn.step.onnx`` for one step, and
            ``rnn.vocabulary.json``.

        Raises
        ------
        ValueError
            If the package onnx is not installed, the name has another ending, or the network is larger than 2 GB.
        OutputFileError
            If a file cannot be written.
        """
        return write_onnx(path, self.rnn, self.vocabulary, self.tokenizer)

    def export_safetensors(self, path: str | os.PathLike[str]) -> Path:
        """Write the parameters as one safetensors file, with configuration and vocabulary as JSON in its metadata.

        Parameters
        ----------
        path : str or path-like
            The name ends in .safetensors. Missing folders are created.

        Raises
        ------
        ValueError
            If the package safetensors is not installed, or the name has another ending.
        OutputFileError
            If the file cannot be written.
        """
        return write_safetensors(path, self.rnn.views(), self.documents())

    def export_torch(self, path: str | os.PathLike[str]) -> list[Path]:
        """Write the parameters under PyTorch's names, as `RNN.to_torch` returns them, and the vocabulary as JSON.

        Parameters
        ----------
        path : str or path-like
            The name ends in .npz or .safetensors, which decides the format. Missing folders are created.

        Returns
        -------
        list of pathlib.Path
            For ``rnn.npz``: ``rnn.npz`` and ``rnn.vocabulary.json``.

        Raises
        ------
        ValueError
            If the name has another ending, or the package safetensors is needed and not installed.
        OutputFileError
            If a file cannot be written.
        """
        return write_torch(path, self.rnn, self.vocabulary, self.tokenizer)

    def documents(self) -> dict[str, Any]:
        """Return all that a file stores besides the parameters: JSON-serializable dicts by name."""
        configuration = {
            "task": LANGUAGE_MODEL,
            "network": self.rnn.settings(),
            "tokenizer": self.tokenizer.to_configuration(),
            "training": self.training,
        }
        return {"configuration": configuration, "vocabulary": self.vocabulary.to_configuration()}

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "LanguageModel":
        """Read a model from a file written by `save`.

        Parameters
        ----------
        path : str or path-like

        Returns
        -------
        LanguageModel

        Raises
        ------
        ModelFileError
            If the file is missing, damaged, inconsistent, of a newer format, or for another task.
        """
        return cls.from_file(ModelFile.read(path))

    @classmethod
    def from_file(cls, file: ModelFile) -> "LanguageModel":
        """Make a model from the contents of a file. Raises ModelFileError as `load` does."""
        file.require_task(LANGUAGE_MODEL)
        vocabulary = file.document("vocabulary")
        try:
            configuration = file.configuration
            network = configuration["network"]
            rnn = RNN.from_entries(file.path, file.entries, network)
            file.check_entries({*rnn.parameter_names, "configuration", "vocabulary"})
            for name in ("hidden_dim", "word_dim"):
                if network[name] != getattr(rnn, name):
                    raise ArgumentValueError(
                        f"{name}: the configuration has {network[name]}, U has {getattr(rnn, name)}"
                    )
            return cls(
                rnn,
                Vocabulary.from_configuration(vocabulary),
                Tokenizer.from_configuration(configuration["tokenizer"]),
                _checked_training(configuration["training"]),
            )
        except ModelFileError:
            raise
        except (KeyError, TypeError, ValueError) as error:
            raise file.inconsistent(error) from error


def _checked_training(training: object) -> dict[str, Any]:
    if not isinstance(training, dict):
        raise ArgumentValueError(f"training: expected a dict, got {type(training).__name__}")
    return training


def load(path: str | os.PathLike[str]) -> LanguageModel:
    """Load a model from a file written by its `save` or by training.

    Parameters
    ----------
    path : str or path-like

    Returns
    -------
    LanguageModel, Classifier, …
        An instance of the class registered for the task of the file in
        `theano_rnn.language_models.model_files.TASKS`.

    Raises
    ------
    ModelFileError
        If the file is missing, damaged, inconsistent, of a newer format, or for an unknown task.
    """
    file = ModelFile.read(path)
    model: LanguageModel = file.model_class.from_file(file)
    return model


def load_once(path: str | os.PathLike[str]) -> LanguageModel:
    """Return the model of a file, which only the first call in this process loads.

    Functions that worker processes run on one part of the data after another, such as those of Dask, need not load and
    compile the model for each part. If the file has changed since then, it is loaded again. Models stay in memory until
    the process ends. All callers get the same object, so do not train it.

    Parameters
    ----------
    path : str or path-like

    Returns
    -------
    LanguageModel, Classifier, …
        As `load` returns it.

    Raises
    ------
    ModelFileError
        As `load` raises it.
    """
    place = os.path.abspath(path)
    with _loading:
        version = _version(place)
        if version is None or _kept.get(place, (None,))[0] != version:
            _kept.pop(place, None)  # frees the old model's memory before the new one is loaded
            _kept[place] = version, load(path)
        return _kept[place][1]


def _version(path: str) -> tuple[int, ...] | None:
    """What changes when a file is replaced; None if there is no file."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size


# The type checker objects to the overloads because a str is an iterable of str too.
@overload
def score(path: str | os.PathLike[str], sentences: str, base: Base = "e", split: bool | None = None) -> float: ...  # type: ignore[overload-overlap]
@overload
def score(
    path: str | os.PathLike[str], sentences: Iterable[str], base: Base = "e", split: bool | None = None
) -> FloatArray: ...
def score(
    path: str | os.PathLike[str], sentences: str | Iterable[str], base: Base = "e", split: bool | None = None
) -> float | FloatArray:
    """Load a language model and score texts.

    Parameters
    ----------
    path : str or path-like
        The model file.
    sentences, base, split
        As in `LanguageModel.score`.

    Returns
    -------
    float or float64 array
        log P(text) to the given base: a float for a str, an array with one entry per text otherwise.

    Raises
    ------
    ModelFileError
        If the model cannot be loaded.
    """
    return LanguageModel.load(path).score(sentences, base, split)
