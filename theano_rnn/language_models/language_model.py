"""The language model that users load, score with and generate from; `load` and `score` for model files."""

import os
from collections.abc import Iterable
from typing import Any, overload

from theano_rnn.errors import ArgumentValueError, ModelFileError
from theano_rnn.files.archive import write_archive
from theano_rnn.language_models.incremental_scoring import IncrementalScorer
from theano_rnn.language_models.model_files import LANGUAGE_MODEL, ModelFile
from theano_rnn.language_models.scoring import format_loss
from theano_rnn.language_models.text_generation import TextGenerator
from theano_rnn.language_models.text_scoring import Base, FloatArray, TextScorer
from theano_rnn.networks.rnn import RNN
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import Vocabulary


class LanguageModel(TextScorer, IncrementalScorer, TextGenerator):
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
        write_archive(path, self.rnn.views(), self.documents())

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
