"""`SentenceClassifier`: a network that classifies texts, as an estimator of scikit-learn.

Needs scikit-learn, which nothing else in the package does.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from theano_rnn.errors import ArgumentTypeError, ArgumentValueError, EngineError
from theano_rnn.files.labelled_texts import LabelledText
from theano_rnn.language_models.language_model import LanguageModel
from theano_rnn.tasks.classifier import Classifier, check_texts, classification_task
from theano_rnn.tasks.task_options import CLASSIFY, with_settings_of
from theano_rnn.training.options import TrainingOptions
from theano_rnn.training.progress import ProgressReporter
from theano_rnn.training.reporter import Reporter
from theano_rnn.training.run_files import RunFiles
from theano_rnn.training.trainer import Trainer

try:
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.exceptions import NotFittedError
    from sklearn.utils import check_random_state
except ImportError as error:
    raise EngineError(
        'SentenceClassifier needs scikit-learn, which is not installed; run pip install ".[sklearn]"'
    ) from error

LARGEST_SEED = 2**31 - 1


class SentenceClassifier(ClassifierMixin, BaseEstimator):
    """Classify texts with a recurrent network, by scikit-learn's conventions.

    Parameters
    ----------
    cell : {"simple", "gru", "lstm"}
    hidden_dim, layers, embedding_dim : int
    bidirectional : bool
    pooling : {"max", "mean", "last"}
    dropout, word_dropout : float
    epochs : int
    batch_size : int or None
    learning_rate : float or None
    criterion : {"accuracy", "loss"}
        What decides on the held-out texts which parameters are the best.
    valid_fraction : float
        Share of the texts that is held out, in [0, 1).
    patience : int or None
        Stop after this many epochs without an improvement.
    vocabulary_size, min_count : int
    keep_case, tokenized : bool
    init_from : path or None
        A language model to start from.
    random_state : int, RandomState or None
        An int gives the same results each time.
    verbose : bool
        Show the progress on standard error.

    Attributes
    ----------
    classes_ : array (classes,)
        The labels in sorted order, the order of the columns of `predict_proba`.
    model_ : Classifier
        The trained model. Its labels are those of `classes_` as str.

    Notes
    -----
    The options are those of training; see `theano_rnn.training.options.TrainingOptions`. X is a sequence of str: a
    list, an array of one dimension, or a pandas Series.

    Examples
    --------
    >>> from theano_rnn import SentenceClassifier
    >>> texts, labels = ["good", "bad", "so good", "so bad"] * 3, [1, 0, 1, 0] * 3
    >>> model = SentenceClassifier(hidden_dim=4, embedding_dim=4, epochs=2, random_state=1).fit(texts, labels)
    >>> model.predict_proba(["good one", "bad"]).shape, model.classes_.tolist()
    ((2, 2), [0, 1])
    """

    def __init__(
        self,
        cell: str = "gru",
        hidden_dim: int = 128,
        layers: int = 1,
        embedding_dim: int = 100,
        bidirectional: bool = True,
        pooling: str = "max",
        dropout: float = 0.5,
        word_dropout: float = 0.25,
        epochs: int = 10,
        batch_size: int | None = None,
        learning_rate: float | None = None,
        criterion: str = "accuracy",
        valid_fraction: float = 0.1,
        patience: int | None = None,
        vocabulary_size: int = 20_000,
        min_count: int = 1,
        keep_case: bool = False,
        tokenized: bool = False,
        init_from: Any = None,
        random_state: Any = None,
        verbose: bool = False,
    ) -> None:
        self.cell = cell
        self.hidden_dim = hidden_dim
        self.layers = layers
        self.embedding_dim = embedding_dim
        self.bidirectional = bidirectional
        self.pooling = pooling
        self.dropout = dropout
        self.word_dropout = word_dropout
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.criterion = criterion
        self.valid_fraction = valid_fraction
        self.patience = patience
        self.vocabulary_size = vocabulary_size
        self.min_count = min_count
        self.keep_case = keep_case
        self.tokenized = tokenized
        self.init_from = init_from
        self.random_state = random_state
        self.verbose = verbose

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn may assume: X is text, and training is random."""
        tags = super().__sklearn_tags__()
        tags.input_tags.string, tags.input_tags.two_d_array, tags.input_tags.one_d_array = True, False, True
        tags.non_deterministic = self.random_state is None
        return tags

    def fit(self, X: Sequence[str], y: npt.ArrayLike) -> "SentenceClassifier":
        """Learn the labels of texts.

        Parameters
        ----------
        X : sequence of str
        y : array-like (texts,)
            The labels, of any type that can be sorted; at least two different ones.

        Returns
        -------
        SentenceClassifier
            Itself.

        Raises
        ------
        TypeError, ValueError
            If X or y is something else, they differ in length, or a parameter is not valid.
        """
        texts = as_texts(X)
        labels = np.asarray(y)
        if labels.ndim != 1 or len(labels) != len(texts):
            raise ArgumentValueError(f"y: expected {len(texts)} labels, got shape {labels.shape}")
        classes, numbers = np.unique(labels, return_inverse=True)
        if len(classes) < 2:
            raise ArgumentValueError(f"y: expected at least two classes, got {len(classes)} class")
        names = [str(one) for one in classes]
        rows = [LabelledText(names[n], text, f"X[{i}]") for i, (n, text) in enumerate(zip(numbers, texts, strict=True))]
        model = self._train(rows, names)
        self.classes_, self.model_ = classes, model
        return self

    def _train(self, rows: list[LabelledText], names: list[str]) -> Classifier:
        """Run a training run in a temporary folder."""
        settings: dict[str, Any] = {"task": CLASSIFY, **self.get_params()}
        seed = settings.pop("random_state")
        seed = seed if isinstance(seed, (int, np.integer)) else check_random_state(seed).randint(LARGEST_SEED)
        verbose, start = settings.pop("verbose"), None
        if settings["init_from"] is not None:
            start = LanguageModel.load(settings["init_from"])
            decided = ("cell", "hidden_dim", "embedding_dim", "vocabulary_size", "min_count", "keep_case", "tokenized")
            settings = with_settings_of(start, {k: v for k, v in settings.items() if k not in decided})
        options = TrainingOptions.from_settings({**settings, "seed": int(seed)})
        reporter = ProgressReporter() if verbose else Reporter()
        with tempfile.TemporaryDirectory(prefix="theano_rnn-") as folder:
            task = classification_task(rows, None, options, reporter.note, start, labels=names)
            model: Classifier = Trainer(task, RunFiles(Path(folder) / "model.npz", None), reporter, []).run()
        return model

    def predict_proba(self, X: Sequence[str]) -> npt.NDArray[np.float64]:
        """The probability of each class for each text: array (texts, classes), in the order of `classes_`.

        Raises
        ------
        NotFittedError
            Before `fit`.
        TypeError
            If X is no sequence of str.
        """
        if not hasattr(self, "model_"):
            raise NotFittedError("This SentenceClassifier is not fitted yet; call `fit` first")
        return self.model_.probabilities(as_texts(X))

    def predict(self, X: Sequence[str]) -> npt.NDArray[Any]:
        """The most probable class of each text. Parameters and errors are those of `predict_proba`."""
        chosen = self.predict_proba(X).argmax(axis=1)
        predicted: npt.NDArray[Any] = self.classes_[chosen]
        return predicted


def as_texts(X: Any) -> list[str]:
    """A sequence of str as a list; ArgumentTypeError or ArgumentValueError if it is something else."""
    if hasattr(X, "shape") and len(X.shape) != 1:
        raise ArgumentValueError(f"X: expected a sequence of str, got an array of shape {X.shape}")
    if isinstance(X, (str, bytes)) or not hasattr(X, "__len__"):
        raise ArgumentTypeError(f"X: expected a sequence of str, got {type(X).__name__}")
    texts = [str(one) if isinstance(one, np.str_) else one for one in X]
    check_texts(texts)
    return texts
