"""Classification of texts: `Classifier`, the model, and the task that a training run learns."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from theano_rnn.encoders.items import Ids, Items, Noise
from theano_rnn.encoders.reader import Reader
from theano_rnn.errors import ArgumentTypeError, CorpusError, OptionError
from theano_rnn.files.corpus_formats import line_batches
from theano_rnn.files.corpus_reader import CorpusReader
from theano_rnn.files.labelled_texts import LabelledText, listed, read_labelled_texts
from theano_rnn.language_models.language_model import LanguageModel
from theano_rnn.large_vocabularies.memory_need import check_memory
from theano_rnn.results.label_page import LabelledLine, write_label_page
from theano_rnn.results.text_statistics import plural
from theano_rnn.tasks.classification_report import ClassificationReport
from theano_rnn.tasks.minibatch_task import ReaderTask
from theano_rnn.tasks.reader_model import ReaderModel
from theano_rnn.tasks.task import PredictionOptions, Task
from theano_rnn.tasks.task_options import CLASSIFY, reader_settings, start_parameters
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import Vocabulary

LONGEST_TEXT = 5000  # tokens; the rest of a text is not read


class Classifier(ReaderModel):
    """A network that reads a text and tells which label it has.

    Parameters and attributes are those of `theano_rnn.tasks.reader_model.ReaderModel`.

    Examples
    --------
    >>> from theano_rnn.encoders.reader_graph import ReaderSettings
    >>> vocabulary = Vocabulary(["SENTENCE_START", "SENTENCE_END", "UNKNOWN_TOKEN", "good", "bad"])
    >>> reader = Reader(ReaderSettings(labels=2, embeddings=[(5, 4)], hidden_dim=3), seed=1)
    >>> classifier = Classifier(reader, ["negative", "positive"], vocabulary, Tokenizer(lines=True))
    >>> classifier.probabilities(["a good one", "bad"]).shape
    (2, 2)
    """

    task = CLASSIFY

    def encode(self, texts: Iterable[str]) -> Items:
        """Convert texts to items: the start marker, and one id per token."""
        return Items(list(encoded_texts(texts, self.vocabulary, self.tokenizer)))

    def probabilities(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """The probability of each label for each text.

        Parameters
        ----------
        texts : sequence of str

        Returns
        -------
        array (texts, labels)
            Columns are in the order of `labels`; each row sums to 1.

        Raises
        ------
        TypeError
            If `texts` is a str, or one of them is not.
        """
        check_texts(texts)
        if not len(texts):
            return np.zeros((0, len(self.labels)))
        return np.mean(self.of_members(lambda one: one._probabilities(one.encode(texts))), axis=0)

    def _probabilities(self, items: Items) -> npt.NDArray[np.float64]:
        found = np.exp(np.array(list(self.log_probabilities(items)), np.float64))
        return found / found.sum(axis=1, keepdims=True)

    def predict(self, texts: Sequence[str]) -> list[str]:
        """The most probable label of each text. Parameters and errors are those of `probabilities`."""
        return [self.labels[i] for i in self.probabilities(texts).argmax(axis=1)]

    def influences(self, text: str) -> tuple[list[str], npt.NDArray[np.float64]]:
        """How much each token of a text moves the decision.

        Parameters
        ----------
        text : str

        Returns
        -------
        tokens : list of str
        influences : float64 array (tokens,)
            ln P(label | text) - ln P(label | text without the token), in nats, for the most probable label.
        """
        check_texts([text])
        tokens = self.tokenizer.tokenize(text)[:LONGEST_TEXT]

        def with_and_without(one: Classifier) -> npt.NDArray[np.float64]:
            ids = np.concatenate([[one.vocabulary.start], one.vocabulary.encode(tokens)]).astype(np.int32)[None, :]
            return one._probabilities(Items([ids, *(np.delete(ids, i + 1, axis=1) for i in range(len(tokens)))]))

        values = np.log(np.mean(self.of_members(with_and_without), axis=0))
        label = values[0].argmax()
        return tokens, values[0, label] - values[1:, label]

    # What predict.py shows

    def result_columns(self, options: PredictionOptions) -> list[str]:
        """Label, probability and text, or one column for the probability of each label, and the text."""
        if options.nbest is not None:
            raise OptionError("nbest: has no effect on labels of texts; use `probabilities`")
        return [*self.labels, "text"] if options.probabilities else ["label", "probability", "text"]

    def results(self, reader: CorpusReader, options: PredictionOptions) -> Iterator[Sequence[Any]]:
        """Yield a row for each text."""
        for texts in line_batches(reader.lines(), reader.is_waiting):
            for text, row in zip(texts, self.probabilities(texts), strict=True):
                best = row.argmax()
                yield [*row.tolist(), text] if options.probabilities else [self.labels[best], float(row[best]), text]

    def write_page(
        self, path: str | os.PathLike[str], readers: Iterable[CorpusReader], about: Mapping[str, str]
    ) -> None:
        """Write a page that colors each word of the texts by how much it moves the decision."""

        def lines() -> Iterator[LabelledLine]:
            for reader in readers:
                for text in reader.lines():
                    row = self.probabilities([text])[0]
                    tokens, influences = self.influences(text)
                    yield LabelledLine(text, self.labels[row.argmax()], row.max(), tokens, influences.tolist())

        write_label_page(path, "Predicted labels", about, lines())

    def evaluate(
        self, paths: Sequence[str], column: str | None = None, standard_input: BinaryIO | None = None
    ) -> ClassificationReport:
        """Compare the most probable labels with those of labelled texts.

        Raises
        ------
        CorpusError
            If there is no text, a file cannot be read, or a label does not occur in training.
        """
        texts = list(read_labelled_texts(paths, column, standard_input))
        if not texts:
            raise CorpusError("there are no texts to evaluate")
        numbers = label_numbers(texts, self.labels)
        found = self.probabilities([one.text for one in texts])
        loss = -float(np.log(found[np.arange(len(texts)), numbers]).mean())
        return ClassificationReport(self.labels, numbers, found.argmax(axis=1), loss)

    # Training

    @classmethod
    def training_task(
        cls,
        paths: Sequence[str],
        options: Any,
        note: Callable[[str], None],
        start: LanguageModel | None = None,
        saved: Mapping[str, Any] | None = None,
    ) -> Task:
        """Read labelled texts and make the task of a training run.

        Parameters
        ----------
        paths : sequence of str
        options : TrainingOptions
        note : callable
            Receives lines that describe the texts.
        start : LanguageModel, optional
            Embeddings and layers to start from. Its vocabulary and tokenizer are used.
        saved : dict, optional
            The configuration of a checkpoint that is resumed, with the vocabulary and tokenizer of the model that the
            run started from.

        Raises
        ------
        CorpusError
            If a file cannot be read, there are fewer than two labels, or held-out texts have a label of their own.
        """
        texts = list(read_labelled_texts(paths, options.column))
        held_out = None if options.valid is None else list(read_labelled_texts([options.valid], options.column))
        return classification_task(texts, held_out, options, note, start, saved)


def classification_task(
    texts: Sequence[LabelledText],
    held_out: Sequence[LabelledText] | None,
    options: Any,
    note: Callable[[str], None],
    start: LanguageModel | None = None,
    saved: Mapping[str, Any] | None = None,
    labels: Sequence[str] | None = None,
) -> ReaderTask:
    """Make the task of a training run from texts; see `Classifier.training_task`.

    `options` are `theano_rnn.training.options.TrainingOptions`, which this package must not import. `labels` gives the
    labels in their order; default: those of the texts, sorted.
    """
    labels = sorted({one.label for one in texts}) if labels is None else labels
    if len(labels) < 2:
        found = f"only {labels[0]!r}" if labels else "no text"
        raise CorpusError(f"there must be texts with at least two labels to learn from; found {found}")
    tokenizer, vocabulary = text_encoding(texts, options, start, saved)
    items = labelled_items(texts, labels, vocabulary, tokenizer)
    if held_out is None:
        assert options.valid_fraction is not None
        train, valid = items.split(options.valid_fraction, options.seed)
    else:
        train, valid = items, labelled_items(held_out, labels, vocabulary, tokenizer)
    note(summary(train, valid, labels, vocabulary))
    options = options.fitted_to(len(train))
    tables = [(len(vocabulary), options.embedding_dim or options.hidden_dim)]
    settings = reader_settings(options, len(labels), tables, "text")
    check_memory(settings, options.optimizer, len(vocabulary), int(options.devices))
    reader = Reader(settings, seed=options.seed)
    description = {}
    if start is not None:
        note(start_parameters(reader, start))
    if start is not None or saved is not None:
        description = {"vocabulary": vocabulary.to_configuration(), "tokenizer": tokenizer.to_configuration()}

    def make_model(parameters: Mapping[str, np.ndarray], history: Sequence[dict[str, Any]]) -> Classifier:
        training = {"options": options.to_model_configuration(), "history": list(history)}
        return Classifier(Reader.from_values(settings, parameters), labels, vocabulary, tokenizer, training)

    noise = word_dropout(options.word_dropout, train, vocabulary)
    return ReaderTask(reader, train, valid, options, make_model, noise, description)


def text_encoding(
    texts: Sequence[LabelledText],
    options: Any,
    start: LanguageModel | None,
    saved: Mapping[str, Any] | None,
) -> tuple[Tokenizer, Vocabulary]:
    """The tokenizer and the vocabulary of a run: those of the model to start from, or those of the texts."""
    if start is not None:
        return start.tokenizer, start.vocabulary
    if saved is not None and "vocabulary" in saved:
        return Tokenizer.from_configuration(saved["tokenizer"]), Vocabulary.from_configuration(saved["vocabulary"])
    tokenizer = Tokenizer(lowercase=not options.keep_case, tokenized=options.tokenized, lines=True)
    tokenizer = tokenizer.with_abbreviations_of([one.text for one in texts])
    counts = Counter(token for one in texts for token in tokenizer.tokenize(one.text))
    return tokenizer, Vocabulary.build(counts, options.vocabulary_size, min_count=options.min_count)


def encoded_texts(texts: Iterable[str], vocabulary: Vocabulary, tokenizer: Tokenizer) -> Iterator[Ids]:
    """Yield the ids of each text (1, tokens + 1): the start marker and one id per token."""
    for text in texts:
        ids = vocabulary.encode(tokenizer.tokenize(text)[:LONGEST_TEXT])
        yield np.concatenate([[vocabulary.start], ids]).astype(np.int32)[None, :]


def labelled_items(
    texts: Sequence[LabelledText], labels: Sequence[str], vocabulary: Vocabulary, tokenizer: Tokenizer
) -> Items:
    """Convert labelled texts to items. Raises CorpusError as `label_numbers` does."""
    numbers = label_numbers(texts, labels)
    return Items(list(encoded_texts((one.text for one in texts), vocabulary, tokenizer)), numbers)


def label_numbers(texts: Sequence[LabelledText], labels: Sequence[str], kind: str = "label") -> list[int]:
    """The index of each text's label. `kind` is what messages call a label.

    Raises
    ------
    CorpusError
        If a label is not among `labels`.
    """
    numbers = {label: number for number, label in enumerate(labels)}
    for one in texts:
        if one.label not in numbers:
            known = f"its {kind}s are {listed(labels)}"
            raise CorpusError(f"{one.place}: the {kind} {one.label!r:.60} does not occur in training; {known}")
    return [numbers[one.label] for one in texts]


def summary(train: Items, valid: Items | None, labels: Sequence[str], vocabulary: Vocabulary) -> str:
    """What is learned, in one line."""
    held_out = "" if valid is None else f", {len(valid):,} held out"
    size = f"{len(train):,} {plural('text', len(train))} of {len(labels)} labels{held_out}"
    return f"{size}; vocabulary of {len(vocabulary):,} tokens"


def word_dropout(strength: float, train: Items, vocabulary: Vocabulary) -> Noise | None:
    """The noise that replaces words by the unknown word, so that the network learns what to make of it.

    A word that occurs n times in training is replaced with the probability strength / (strength + n) (Kiperwasser and
    Goldberg 2016). The start marker stays. None if there is nothing to replace.
    """
    if not strength:
        return None
    counts = np.bincount(np.concatenate([ids[0] for ids in train.ids]), minlength=len(vocabulary))
    shares = strength / (strength + counts)
    shares[vocabulary.start] = 0

    def noise(ids: Ids, generator: np.random.Generator) -> Ids:
        return np.where(generator.random(ids.shape) < shares[ids], np.int32(vocabulary.unknown), ids)

    return noise


def check_texts(texts: Any) -> None:
    """Raise ArgumentTypeError unless these are several texts."""
    if isinstance(texts, (str, bytes)) or not hasattr(texts, "__len__"):
        raise ArgumentTypeError(f"texts: expected a sequence of str, got {type(texts).__name__}")
    for text in texts:
        if not isinstance(text, str):
            raise ArgumentTypeError(f"texts: expected a sequence of str, got {type(text).__name__} among them")
