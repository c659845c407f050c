"""Missing words: `MissingWords`, the model that fills a gap from both sides, and the task of its training runs."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO, Protocol

import numpy as np
import numpy.typing as npt

from theano_rnn.encoders.items import Ids, Items, Noise, sentence_items
from theano_rnn.encoders.reader import Reader
from theano_rnn.encoders.reader_graph import ReaderSettings
from theano_rnn.errors import ArgumentTypeError, ArgumentValueError, CorpusError, OptionError
from theano_rnn.files.corpus_formats import open_inputs
from theano_rnn.files.corpus_reader import CorpusReader
from theano_rnn.language_models.language_model import LanguageModel
from theano_rnn.large_vocabularies.candidates import sampler_for
from theano_rnn.large_vocabularies.memory_need import check_memory
from theano_rnn.ngrams.baselines import Baselines, ngram_baselines
from theano_rnn.tasks.gap_lines import GAP, GapLine, gap_line, gap_sentences
from theano_rnn.tasks.minibatch_task import MEASURED_AT_ONCE, ReaderTask
from theano_rnn.tasks.missing_words_report import BEST_WORDS, LARGEST_EXPONENT, WITHOUT_PLOT, Answer, MissingWordReport
from theano_rnn.tasks.reader_model import ReaderModel
from theano_rnn.tasks.task import PredictionOptions
from theano_rnn.tasks.task_options import FILL, start_parameters
from theano_rnn.text.corpus import Corpus, log_frequencies, read_corpus
from theano_rnn.text.encoding import CorpusOptions
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import Vocabulary

LONGEST_CONTEXT = 500  # tokens on each side of a gap; the others are not read
LINES_AT_ONCE = 100


class MissingWords(ReaderModel):
    """A network that tells which word is missing in a gap of a sentence, from the words on both sides.

    A gap is a run of at least three underscores. Gaps in the same sentence are filled one at a time: each is predicted
    as if an unknown word stood in the others.

    Parameters and attributes are those of `theano_rnn.tasks.reader_model.ReaderModel`. The labels are the vocabulary.

    Raises
    ------
    ValueError
        If the labels are not the vocabulary.

    Examples
    --------
    >>> vocabulary = Vocabulary(["SENTENCE_START", "SENTENCE_END", "UNKNOWN_TOKEN", "good", "bad"])
    >>> settings = ReaderSettings(labels=5, embeddings=[(5, 4)], hidden_dim=3, head="gap", mixed=False)
    >>> model = MissingWords(Reader(settings, seed=1), vocabulary.index_to_word, vocabulary, Tokenizer())
    >>> model.probabilities(["good ___ bad", "___ and ___"]).shape
    (3, 5)
    """

    task = FILL
    evaluation_without_plot = WITHOUT_PLOT

    def __init__(
        self,
        reader: Reader,
        labels: Sequence[str],
        vocabulary: Vocabulary,
        tokenizer: Tokenizer,
        training: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(reader, labels, vocabulary, tokenizer, training)
        self._no_words = [vocabulary.start, vocabulary.end, vocabulary.unknown]
        if self.labels != list(vocabulary.index_to_word):
            raise ArgumentValueError("labels: expected the words of the vocabulary")

    def encode(self, text: str) -> list[tuple[Ids, int]]:
        """Convert a text to the ids (1, tokens) of the sentence around each gap, and the place of the gap in it.

        Another gap in the same sentence is read as an unknown word, and so is the gap itself, which has no effect.
        """
        found = []
        for tokens in gap_sentences(text, self.tokenizer):
            ids = [self.vocabulary.unknown if token is None else self.vocabulary.find(token) for token in tokens]
            for place in (i for i, token in enumerate(tokens) if token is None):
                first = max(place - LONGEST_CONTEXT, 0)
                around = ids[first : place + LONGEST_CONTEXT + 1]
                with_markers = [self.vocabulary.start, *around, self.vocabulary.end]
                found.append((np.array([with_markers], np.int32), place - first + 1))
        return found

    def probabilities(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """The probability of each entry of the vocabulary for each gap.

        Parameters
        ----------
        texts : sequence of str
            Each has at least one gap.

        Returns
        -------
        array (gaps of all texts, labels)
            In the order of the gaps. Each row sums to 1.

        Raises
        ------
        TypeError
            If `texts` is a str, or one of them is not.
        ValueError
            If a text has no gap.
        """
        if isinstance(texts, (str, bytes)) or not all(isinstance(text, str) for text in texts):
            raise ArgumentTypeError(f"texts: expected a sequence of str, got {texts!r:.60}")
        for text in texts:
            if not GAP.search(text):
                raise ArgumentValueError(f"texts: expected a gap ___ in each, got {text!r:.60}")
        return np.mean(self.of_members(lambda one: one._own_probabilities(texts)), axis=0)

    def _own_probabilities(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """The probabilities of this model, without those of others that it is averaged with."""
        gaps = [gap for text in texts for gap in self.encode(text)]
        found = np.zeros((len(gaps), len(self.labels)))
        for batch in Items([ids for ids, _ in gaps], [place for _, place in gaps]).minibatches(LINES_AT_ONCE):
            values = self.reader.log_probabilities_at(batch.inputs, batch.y)
            found[batch.members] = np.exp(values[: len(batch.members)].astype(np.float64))
        return found / found.sum(axis=1, keepdims=True)

    def predict(self, texts: Sequence[str]) -> list[str]:
        """The most probable word of each gap. Parameters and errors are those of `probabilities`."""
        return [best[0][0] for best in self.best_words(texts, 1)]

    def best_words(self, texts: Sequence[str], number: int = BEST_WORDS) -> list[list[tuple[str, float]]]:
        """The most probable words of each gap with their probabilities among the whole vocabulary.

        The unknown word and the markers of sentences have probabilities, too, but are not listed.
        """
        found = self.probabilities(texts)
        found[:, self._no_words] = -1
        return [
            [(self.labels[i], float(row[i])) for i in np.argsort(-row, kind="stable")[:number] if row[i] >= 0]
            for row in found
        ]

    def rank(self, text: str, candidates: Sequence[str]) -> list[list[tuple[str, float]]]:
        """Candidates for each gap of a text, the best first, with probabilities that sum to 1.

        A candidate that is not one word of the vocabulary comes last, with probability 0.

        Raises
        ------
        CorpusError
            If a candidate is empty.
        """
        return self._ranked(GapLine(text, list(candidates), "candidates"), self.probabilities([text]))

    def _word_id(self, word: str, place: str) -> int | None:
        """The id of a candidate, or None if it is not one word of the vocabulary."""
        tokens = self.tokenizer.tokenize(word)
        if not tokens:
            raise CorpusError(f"{place}: expected a word after each tab, got {word!r:.60}")
        return self.vocabulary.find(tokens[0]) if len(tokens) == 1 and tokens[0] in self.vocabulary else None

    def _ranked(self, line: GapLine, found: npt.NDArray[np.float64]) -> list[list[tuple[str, float]]]:
        ids = [self._word_id(word, line.place) for word in line.words]
        ranked = []
        for row in found:
            values = np.array([0.0 if i is None else max(row[i], np.finfo(float).tiny) for i in ids])
            values /= values.sum() or 1.0
            ranked.append([(line.words[i], float(values[i])) for i in np.argsort(-values, kind="stable")])
        return ranked

    # What predict.py shows

    def result_columns(self, options: PredictionOptions) -> list[str]:
        """The numbers of the line and of the gap in it, and the best words, each with its probability."""
        if options.probabilities:
            raise OptionError("probabilities: has no effect on missing words; use `nbest`")
        number = options.nbest or BEST_WORDS
        return ["line", "gap", *(f"{name}_{i + 1}" for i in range(number) for name in ("word", "probability"))]

    def results(self, reader: CorpusReader, options: PredictionOptions) -> Iterator[Sequence[Any]]:
        """Yield a row for each gap of each line. Candidates, if there are any, follow the text, separated by tabs."""
        best = options.nbest or BEST_WORDS
        for number, text in enumerate(reader.lines(), start=1):
            line = gap_line(text, reader.place(number))
            if line.words:
                found = self._ranked(line, self.probabilities([line.text]))
            else:
                found = self.best_words([line.text], best)
            for gap, words in enumerate(found, start=1):
                yield [number, gap, *(value for pair in words[:best] for value in pair)]

    def evaluate(
        self, paths: Sequence[str], column: str | None = None, standard_input: BinaryIO | None = None
    ) -> MissingWordReport:
        """Compare predictions with the right words: lines of a text with one gap, the right word, other candidates.

        Tabs separate them. Without other candidates, the right word competes with the whole vocabulary.

        Raises
        ------
        CorpusError
            If there is no text, a file cannot be read, or a line has no right word or not exactly one gap.
        """
        lines = []
        for reader in open_inputs(paths, standard_input, column):
            for number, text in enumerate(reader.lines(), start=1):
                line = gap_line(text, reader.place(number))
                if not line.words:
                    raise CorpusError(f"{line.place}: there is no right word; expected it after a tab")
                if len(GAP.findall(line.text)) > 1:
                    raise CorpusError(f"{line.place}: there are several gaps; an evaluation needs exactly one")
                lines.append(line)
        if not lines:
            raise CorpusError("there are no texts to evaluate")
        answers = []
        for first in range(0, len(lines), LINES_AT_ONCE):
            chunk = lines[first : first + LINES_AT_ONCE]
            for line, row in zip(chunk, self.probabilities([line.text for line in chunk]), strict=True):
                answers.append(self._answer(line, row))
        return MissingWordReport(answers)

    def _answer(self, line: GapLine, row: npt.NDArray[np.float64]) -> Answer:
        right, *others = [self._word_id(word, line.place) for word in line.words]
        if right is None:
            return Answer(None, len(line.words), math.nan)
        if others:
            rivals = row[[i for i in others if i is not None and i != right]]
        else:
            rivals = np.delete(row, [right, *self._no_words])
        return Answer(int(np.count_nonzero(rivals >= row[right])), len(line.words), float(row[right]))

    # Training

    @classmethod
    def training_task(
        cls,
        paths: Sequence[str],
        options: "FillOptions",
        note: Callable[[str], None],
        start: LanguageModel | None = None,
        saved: Mapping[str, Any] | None = None,
    ) -> "FillTask":
        """Read a text as language models do, and make the task of a training run.

        Parameters and errors are those of `theano_rnn.tasks.classifier.Classifier.training_task`.
        """
        vocabulary = tokenizer = None
        if start is not None:
            vocabulary, tokenizer = start.vocabulary, start.tokenizer
        elif saved is not None and "vocabulary" in saved:
            vocabulary = Vocabulary.from_configuration(saved["vocabulary"])
            tokenizer = Tokenizer.from_configuration(saved["tokenizer"])
        corpus = read_corpus(paths, options, note, vocabulary=vocabulary, tokenizer=tokenizer)
        note(corpus.coverage.summary("words"))
        options = options.fitted_to(len(corpus.train)).with_samples_for(len(corpus.vocabulary))
        task = FillTask(corpus, options, vocabulary is not None)
        if start is not None:
            note(start_parameters(task.network, start))
        return task


class FillOptions(CorpusOptions, Protocol):
    """The training options that the task uses; see `theano_rnn.training.options.TrainingOptions`."""

    embedding_dim: int | None
    hidden_dim: int
    cell: str
    activation: str
    layers: int
    bidirectional: bool
    bias: bool | None
    tied: bool
    dropout: float
    word_dropout: float
    batch_size: int | None
    optimizer: str
    clip: float | None
    seed: int
    criterion: str
    samples: int | str
    devices: int | str

    def fitted_to(self, length: int) -> "FillOptions": ...

    def with_samples_for(self, word_dim: int) -> "FillOptions": ...

    def to_model_configuration(self) -> dict[str, Any]: ...


class FillTask(ReaderTask):
    """A network that learns every word of every sentence from the other words.

    Parameters
    ----------
    corpus : Corpus
        The output biases start from the frequencies of its words.
    options : FillOptions
        With a batch size.
    keeps_encoding : bool
        Whether a checkpoint must hold the vocabulary and the tokenizer, because they are those of another model.
    """

    def __init__(self, corpus: Corpus, options: FillOptions, keeps_encoding: bool = False) -> None:
        vocabulary, tokenizer, size = corpus.vocabulary, corpus.tokenizer, len(corpus.vocabulary)
        names = ("hidden_dim", "cell", "activation", "layers", "bidirectional", "dropout", "tied")
        settings = ReaderSettings(
            labels=size,
            embeddings=((size, options.embedding_dim or options.hidden_dim),),
            head="gap",
            mixed=False,
            bias=bool(options.bias),
            **{name: getattr(options, name) for name in names},
        )
        check_memory(settings, options.optimizer, len(vocabulary), int(options.devices))
        reader = Reader(settings, seed=options.seed)
        frequencies = log_frequencies(corpus, [vocabulary.start, vocabulary.end])
        if settings.bias:
            reader.set_values({**reader.get_values(), "c": frequencies})
        sampler = sampler_for(options.samples, frequencies)

        def make_model(parameters: Mapping[str, np.ndarray], history: Sequence[dict[str, Any]]) -> MissingWords:
            training = {"options": options.to_model_configuration(), "history": list(history)}
            network = Reader.from_values(settings, parameters)
            return MissingWords(network, vocabulary.index_to_word, vocabulary, tokenizer, training)

        encoding = {"vocabulary": vocabulary.to_configuration(), "tokenizer": tokenizer.to_configuration()}
        valid = None if corpus.valid is None else sentence_items(corpus.valid)
        noise = gap_noise(options.word_dropout, corpus)
        description = encoding if keeps_encoding else {}
        train = sentence_items(corpus.train)
        super().__init__(reader, train, valid, options, make_model, noise, description, sampler)
        self.fingerprint = corpus.fingerprint
        self._corpus = corpus

    def _measure(self, items: Items) -> float:
        loss = sum(self.network.measure(batch.inputs, batch.y) for batch in items.minibatches(MEASURED_AT_ONCE))
        return loss / items.predictions

    def baselines(self) -> Baselines | None:
        """Measure n-gram models, which read only the words before the gap."""
        valid = self._corpus.valid
        return None if valid is None else ngram_baselines(self._corpus, valid, continuous=False, words_only=True)

    def figures(self, loss: float) -> dict[str, float]:
        """Return the perplexity of a missing word."""
        return {"perplexity": math.exp(min(loss, LARGEST_EXPONENT))}


def gap_noise(share: float, corpus: Corpus) -> Noise | None:
    """The noise that replaces a share of the words, and half of those that occur once, by the unknown word."""
    seen_once = corpus.seen_once
    if not share and seen_once is None:
        return None

    def noise(ids: Ids, generator: np.random.Generator) -> Ids:
        draws = generator.random(ids.shape)
        dropped = draws < share
        if seen_once is not None:
            dropped |= seen_once[ids] & (draws < 0.5)
        dropped[:, [0, -1]] = False  # the markers
        return np.where(dropped, np.int32(corpus.vocabulary.unknown), ids)

    return noise
