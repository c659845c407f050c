"""Tags of words: `Tagger`, the model, and the task that a training run learns."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from theano_rnn.encoders.items import Ids, Items, Noise
from theano_rnn.encoders.reader import Reader
from theano_rnn.errors import ArgumentTypeError, ArgumentValueError, CorpusError, OptionError
from theano_rnn.files.corpus_formats import open_inputs
from theano_rnn.files.corpus_reader import CorpusReader
from theano_rnn.files.labelled_texts import LabelledText
from theano_rnn.files.tagged_sentences import TaggedSentence, read_tagged_sentences, sentences_to_tag
from theano_rnn.language_models.language_model import LanguageModel
from theano_rnn.large_vocabularies.memory_need import check_memory
from theano_rnn.results.text_statistics import plural
from theano_rnn.tasks.classifier import label_numbers, word_dropout
from theano_rnn.tasks.minibatch_task import ReaderTask
from theano_rnn.tasks.reader_model import ReaderModel
from theano_rnn.tasks.spelling import SPELLING, SPELLING_DIM, encoded_sentences, spelling_of, word
from theano_rnn.tasks.tagging_report import TaggingReport
from theano_rnn.tasks.task import PredictionOptions
from theano_rnn.tasks.task_options import TAG, reader_settings, start_parameters
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import Vocabulary

LONGEST_PART = 1000  # tokens; a longer sentence is read in parts
SENTENCES_AT_ONCE = 500
QUOTES = ("``", "''")  # what the tokenizer makes of a straight quote


class Tagger(ReaderModel):
    """A network that reads a sentence and tells the tag of each token.

    It reads the word and, for words that it does not know, their spelling: the features of `SPELLING`.

    Parameters
    ----------
    reader, labels, vocabulary, tokenizer, training
        As for `theano_rnn.tasks.reader_model.ReaderModel`. The labels are the tags.
    lowercase : bool
        Whether `vocabulary` holds words in lower case.
    spelling : dict of str to Vocabulary
        The values of each feature of the spelling. Keys are names in `SPELLING`.

    Raises
    ------
    ValueError
        If a name is unknown, or the network has other numbers of labels or features.

    Examples
    --------
    >>> from theano_rnn.encoders.reader_graph import ReaderSettings
    >>> vocabulary = Vocabulary(["SENTENCE_START", "SENTENCE_END", "UNKNOWN_TOKEN", "the", "dog"])
    >>> reader = Reader(ReaderSettings(labels=2, embeddings=[(5, 4)], hidden_dim=3, head="steps"), seed=1)
    >>> tagger = Tagger(reader, ["DET", "NOUN"], vocabulary, Tokenizer(lowercase=False))
    >>> [len(tags) for tags in tagger.predict([["The", "dog"], ["Dogs"]])]
    [2, 1]
    """

    task = TAG

    def __init__(
        self,
        reader: Reader,
        labels: Sequence[str],
        vocabulary: Vocabulary,
        tokenizer: Tokenizer,
        training: dict[str, Any] | None = None,
        lowercase: bool = True,
        spelling: Mapping[str, Vocabulary] | None = None,
    ) -> None:
        super().__init__(reader, labels, vocabulary, tokenizer, training)
        self.lowercase: bool = lowercase
        unknown = (spelling or {}).keys() - SPELLING.keys()
        if unknown:
            raise ArgumentValueError(f"spelling: expected names in {', '.join(SPELLING)}, got {sorted(unknown)}")
        # In the order of the network's inputs, whatever that of the file.
        self.spelling: dict[str, Vocabulary] = {
            name: spelling[name] for name in SPELLING if spelling and name in spelling
        }
        sizes = [len(table) for table in (vocabulary, *self.spelling.values())]
        expected = [size for size, _ in reader.settings.embeddings]
        if sizes != expected:
            raise ArgumentValueError(f"spelling: expected features of {expected} values, got {sizes}")

    def encode(self, sentences: Iterable[Sequence[str]]) -> Items:
        """Convert the tokens of sentences, each of which has some, to items without tags."""
        return Items(encoded_sentences(sentences, self.vocabulary, self.spelling, self.lowercase), per_step=True)

    def probabilities(self, sentences: Sequence[Sequence[str]]) -> list[npt.NDArray[np.float64]]:
        """The probability of each tag for each token.

        Parameters
        ----------
        sentences : sequence of sequences of str
            The tokens of each sentence. A sentence of more than 1,000 tokens is read in parts.

        Returns
        -------
        list of arrays (tokens, tags)
            Columns are in the order of `labels`; each row sums to 1.

        Raises
        ------
        TypeError
            If a sentence is not a sequence of str.
        """
        check_sentences(sentences)
        found = self.of_members(lambda one: one._probabilities(sentences))
        return [np.mean(of_sentence, axis=0) for of_sentence in zip(*found, strict=True)]

    def _probabilities(self, sentences: Sequence[Sequence[str]]) -> list[npt.NDArray[np.float64]]:
        cut = [list(parts(tokens)) for tokens in sentences]
        values = self.log_probabilities(self.encode([part for of_sentence in cut for part in of_sentence]))
        found = []
        for of_sentence in cut:
            rows = [np.exp(np.asarray(next(values), np.float64)) for _ in of_sentence]
            found.append(np.concatenate([np.zeros((0, len(self.labels))), *rows]))
        return [rows / rows.sum(axis=1, keepdims=True) for rows in found]

    def predict(self, sentences: Sequence[Sequence[str]]) -> list[list[str]]:
        """The most probable tag of each token. Parameters and errors are those of `probabilities`."""
        return [[self.labels[i] for i in rows.argmax(axis=1)] for rows in self.probabilities(sentences)]

    def tokens(self, line: str) -> list[list[str]]:
        """The tokens of each sentence of a line of plain text.

        Straight quotes stay straight if the tagger knows them so, instead of becoming `` and ''.
        """
        sentences = [self.tokenizer.tokenize(sentence) for sentence in self.tokenizer.split(line)]
        if self.tokenizer.tokenized or '"' not in self.vocabulary:
            return sentences
        return [['"' if token in QUOTES else token for token in sentence] for sentence in sentences]

    # What predict.py shows

    def open_inputs(
        self, paths: Sequence[str], standard_input: BinaryIO | None = None, column: str | None = None
    ) -> Iterator[CorpusReader]:
        """Yield a reader of lines for each file, whatever its name. Raises OptionError if a column is given."""
        self.check_column(column)
        return open_inputs(paths, standard_input, is_text=True)

    def result_columns(self, options: PredictionOptions) -> list[str]:
        """Token and tag, or the token and one column for the probability of each tag."""
        if options.nbest is not None:
            raise OptionError("nbest: has no effect on tags; use `probabilities`")
        if options.page:
            raise self.no_page()
        return ["token", *(self.labels if options.probabilities else ["tag"])]

    def results(self, reader: CorpusReader, options: PredictionOptions) -> Iterator[Sequence[Any]]:
        """Yield a row for each token, and an empty row after each sentence."""
        sentences = sentences_to_tag(reader.lines(), reader.name, self.tokens, frozenset(self.labels))
        for batch in batches(sentences, reader.is_waiting):
            for sentence, rows in zip(batch, self.probabilities([one.tokens for one in batch]), strict=True):
                for columns, row in zip(sentence.rows, rows, strict=True):
                    given = columns if options.all_columns else columns[:1]
                    yield [*given, *(row.tolist() if options.probabilities else [self.labels[row.argmax()]])]
                yield []

    def evaluate(
        self, paths: Sequence[str], column: str | None = None, standard_input: BinaryIO | None = None
    ) -> TaggingReport:
        """Compare the most probable tags with those of tagged sentences.

        Raises
        ------
        CorpusError
            If a file cannot be read, holds no sentence, lacks a column, or has a tag that does not occur in training.
        OptionError
            If a column is given.
        """
        self.check_column(column)
        right: list[int] = []
        predicted: list[int] = []
        known: list[bool] = []
        ends: list[int] = []
        loss = 0.0
        for batch in batches(read_tagged_sentences(paths, standard_input)):
            for sentence, rows in zip(batch, self.probabilities([one.tokens for one in batch]), strict=True):
                numbers = tag_numbers(sentence, self.labels)
                right += numbers
                predicted += rows.argmax(axis=1).tolist()
                known += [word(token, self.lowercase) in self.vocabulary for token in sentence.tokens]
                ends.append(len(right))
                loss -= float(np.log(rows[np.arange(len(rows)), numbers]).sum())
        return TaggingReport(self.labels, right, predicted, loss / len(right), known, ends)

    def check_column(self, column: str | None) -> None:
        """Raise OptionError if a column is given."""
        if column is not None:
            raise OptionError("column: has no effect on tags; the first column is the token, the last the tag")

    # The file

    def more_configuration(self) -> dict[str, Any]:
        """The vocabularies of the features."""
        spelling = {name: table.to_configuration() for name, table in self.spelling.items()}
        return {"lowercase": self.lowercase, "spelling": spelling}

    @classmethod
    def more_arguments(cls, configuration: Mapping[str, Any]) -> dict[str, Any]:
        """The vocabularies of the features. Raises KeyError, TypeError or ValueError if they are damaged."""
        if not isinstance(configuration["lowercase"], bool):
            raise ArgumentTypeError(f"lowercase: expected True or False, got {configuration['lowercase']!r}")
        spelling = {name: Vocabulary.from_configuration(one) for name, one in configuration["spelling"].items()}
        return {"lowercase": configuration["lowercase"], "spelling": spelling}

    # Training

    @classmethod
    def training_task(
        cls,
        paths: Sequence[str],
        options: Any,
        note: Callable[[str], None],
        start: LanguageModel | None = None,
        saved: Mapping[str, Any] | None = None,
    ) -> ReaderTask:
        """Read tagged sentences and make the task of a training run.

        Parameters
        ----------
        paths, options, note, start, saved
            As for `theano_rnn.tasks.classifier.Classifier.training_task`.

        Raises
        ------
        CorpusError
            If a file cannot be read, holds no sentence or lacks a column, there are fewer than two tags, or held-out
            sentences have a tag of their own.
        """
        sentences = list(read_tagged_sentences(paths))
        labels = sorted({tag for sentence in sentences for tag in sentence.tags})
        if len(labels) < 2:
            found = f"only {labels[0]!r} from {sentences[0].place(0)} on"
            raise CorpusError(f"there must be at least two tags to learn; found {found}")
        tokenizer, vocabulary = token_encoding(sentences, options, start, saved)
        lowercase = not options.keep_case
        spelling = spelling_of(token for sentence in sentences for token in sentence.tokens)

        def items_of(tagged: Sequence[TaggedSentence]) -> Items:
            numbers = [part for one in tagged for part in parts(tag_numbers(one, labels))]
            tokens = (part for one in tagged for part in parts(one.tokens))
            return Items(encoded_sentences(tokens, vocabulary, spelling, lowercase), numbers, per_step=True)

        valid: Items | None
        if options.valid is None:
            train, valid = items_of(sentences).split(options.valid_fraction, options.seed)
        else:
            train, valid = items_of(sentences), items_of(list(read_tagged_sentences([options.valid])))
        note(summary(train, valid, labels, vocabulary))
        options = options.fitted_to(len(train))
        tables = [(len(vocabulary), options.embedding_dim or options.hidden_dim)]
        tables += [(len(table), SPELLING_DIM) for table in spelling.values()]
        settings = reader_settings(options, len(labels), tables, "steps")
        check_memory(settings, options.optimizer, len(vocabulary), int(options.devices))
        reader = Reader(settings, seed=options.seed)
        description = {}
        if start is not None:
            note(start_parameters(reader, start))
        if start is not None or saved is not None:
            description = {"vocabulary": vocabulary.to_configuration(), "tokenizer": tokenizer.to_configuration()}

        def make_model(parameters: Mapping[str, np.ndarray], history: Sequence[dict[str, Any]]) -> Tagger:
            training = {"options": options.to_model_configuration(), "history": list(history)}
            reader = Reader.from_values(settings, parameters)
            return cls(reader, labels, vocabulary, tokenizer, training, lowercase, spelling)

        noise = dropout_of_words(options.word_dropout, train, vocabulary)
        return ReaderTask(reader, train, valid, options, make_model, noise, description)


def token_encoding(
    sentences: Sequence[TaggedSentence], options: Any, start: LanguageModel | None, saved: Mapping[str, Any] | None
) -> tuple[Tokenizer, Vocabulary]:
    """The tokenizer of plain text and the vocabulary: those of the model to start from, or one of the sentences.

    The tokenizer keeps capitals, which are a feature of the spelling.
    """
    if start is not None:
        return replace(start.tokenizer, lowercase=False), start.vocabulary
    if saved is not None and "vocabulary" in saved:
        return Tokenizer.from_configuration(saved["tokenizer"]), Vocabulary.from_configuration(saved["vocabulary"])
    tokenizer = Tokenizer(lowercase=False, tokenized=options.tokenized, lines=options.lines)
    counts = Counter(word(token, not options.keep_case) for sentence in sentences for token in sentence.tokens)
    return tokenizer, Vocabulary.build(counts, options.vocabulary_size, min_count=options.min_count)


def dropout_of_words(strength: float, train: Items, vocabulary: Vocabulary) -> Noise | None:
    """The noise that replaces words by the unknown word, but keeps their spelling; see `classifier.word_dropout`."""
    noise = word_dropout(strength, train, vocabulary)
    if noise is None:
        return None

    def of_words(ids: Ids, generator: np.random.Generator) -> Ids:
        return np.concatenate([noise(ids[:1], generator), ids[1:]])

    return of_words


def tag_numbers(sentence: TaggedSentence, labels: Sequence[str]) -> list[int]:
    """The index of the tag of each token. Raises CorpusError if a tag is not among `labels`."""
    tagged = zip(sentence.tags, sentence.tokens, strict=True)
    return label_numbers([LabelledText(*pair, sentence.place(i)) for i, pair in enumerate(tagged)], labels, "tag")


def summary(train: Items, valid: Items | None, labels: Sequence[str], vocabulary: Vocabulary) -> str:
    """What is learned, in one line."""
    held_out = "" if valid is None else f", {len(valid):,} held out"
    size = f"{len(train):,} {plural('sentence', len(train))} of {train.tokens:,} tokens{held_out}"
    return f"{size}; {len(labels)} tags; vocabulary of {len(vocabulary):,} words"


def parts(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Cut a sentence that is too long to be read at once."""
    for i in range(0, len(values), LONGEST_PART):
        yield values[i : i + LONGEST_PART]


def batches(
    sentences: Iterable[TaggedSentence], is_waiting: Callable[[], bool] | None = None
) -> Iterator[list[TaggedSentence]]:
    """Yield sentences in lists to be tagged together: shorter ones if the next sentence has not arrived yet."""
    batch: list[TaggedSentence] = []
    for sentence in sentences:
        batch.append(sentence)
        if len(batch) == SENTENCES_AT_ONCE or (is_waiting and is_waiting()):
            yield batch
            batch = []
    if batch:
        yield batch


def check_sentences(sentences: Any) -> None:
    """Raise ArgumentTypeError unless these are several sentences of tokens."""
    expected = "sentences: expected a sequence of sequences of str"
    if isinstance(sentences, (str, bytes)) or not hasattr(sentences, "__len__"):
        raise ArgumentTypeError(f"{expected}, got {type(sentences).__name__}")
    for sentence in sentences:
        if isinstance(sentence, (str, bytes)) or not hasattr(sentence, "__len__"):
            raise ArgumentTypeError(f"{expected}, got {type(sentence).__name__} among them; split it into tokens")
        for token in sentence:
            if not isinstance(token, str):
                raise ArgumentTypeError(f"{expected}, got {type(token).__name__} as a token")
