"""Translation: `Translator`, the model, and the task that a training run learns."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from theano_rnn.decoders.pairs import Pairs
from theano_rnn.decoders.writer import Writer
from theano_rnn.errors import ArgumentTypeError, ArgumentValueError, CorpusError, OptionError
from theano_rnn.files.corpus_formats import format_of, line_batches, open_inputs
from theano_rnn.files.corpus_reader import CorpusReader
from theano_rnn.tasks.task import PredictionOptions
from theano_rnn.writing.alignments import Alignment, write_alignment_page
from theano_rnn.writing.pair_files import TextPair, read_pairs
from theano_rnn.writing.text_side import TextSide
from theano_rnn.writing.translation_report import WITHOUT_PLOT, TranslationReport
from theano_rnn.writing.translation_task import LONGEST_TEXT, both_sides, encoded_pairs, new_task
from theano_rnn.writing.writer_model import Hypothesis, Search, WriterModel
from theano_rnn.writing.writing_task import WritingTask, measured_loss

TRANSLATE = "translate"


class Translator(WriterModel):
    """A network that reads a sentence and writes its translation.

    Parameters
    ----------
    writer : Writer
    source, target : TextSide
        How sentences of both sides become ids.
    training : dict, optional
        See `theano_rnn.writing.writer_model.WriterModel`.

    Examples
    --------
    >>> from theano_rnn.decoders.writer_settings import WriterSettings
    >>> from theano_rnn.text.tokenizer import Tokenizer
    >>> side = TextSide.of(["a b c", "b a"], Tokenizer(lines=True), 10, 1)
    >>> settings = WriterSettings(words=6, source_words=6, hidden_dim=4, embedding_dim=3)
    >>> translator = Translator(Writer(settings, seed=1), side, side)
    >>> len(translator.translate(["a b", ""]))
    2
    """

    task = TRANSLATE
    evaluation_without_plot = WITHOUT_PLOT

    def __init__(
        self, writer: Writer, source: TextSide, target: TextSide, training: dict[str, Any] | None = None
    ) -> None:
        super().__init__(writer, target, training)
        if writer.settings.source_words != len(source.vocabulary):
            raise ArgumentValueError(
                f"source: expected {writer.settings.source_words} tokens, got {len(source.vocabulary)}"
            )
        self.source: TextSide = source

    def translate(self, texts: Sequence[str], beam: int = 5, length_penalty: float = 1.0) -> list[str]:
        """Translate sentences.

        Parameters
        ----------
        texts : sequence of str
        beam : int
            Width of the beam; 1 is greedy search.
        length_penalty : float
            See `theano_rnn.writing.writer_model.Search`.

        Returns
        -------
        list of str
            One for each text; an empty one for a blank text.

        Raises
        ------
        TypeError, ValueError
            If an argument is not valid, or a text has more than 1,000 tokens.
        """
        return [found[0].text for found in self.hypotheses(texts, Search(beam, length_penalty))]

    predict = translate

    def hypotheses(
        self, texts: Sequence[str], chosen: Search | None = None, keep_weights: bool = False
    ) -> list[list[Hypothesis]]:
        """The best translations of each sentence, the best first; of a blank text a single empty one.

        An unknown word in a translation is replaced by the source word with the highest attention. A model without
        attention writes none.

        Parameters
        ----------
        texts : sequence of str
        chosen : Search, optional
        keep_weights : bool
            Whether hypotheses have the weights of attention.
        """
        check_texts(texts, "texts")
        chosen = Search() if chosen is None else chosen
        tokens = [self._read(self.source, text, "texts") for text in texts]
        has_attention = self.writer.settings.attention
        settings = self._beam_settings(chosen, has_attention or chosen.keep_unknown)
        places = [i for i, one in enumerate(tokens) if one]
        vocabulary = self.source.vocabulary
        sources = [np.append(vocabulary.encode(tokens[i]), np.int32(vocabulary.end)) for i in places]
        longest = [chosen.max_length or 2 * len(tokens[i]) + 10 for i in places]
        found: list[list[Hypothesis]] = [[Hypothesis("", [], 0.0, 0.0)] for _ in texts]
        replaces = has_attention and not chosen.keep_unknown
        results = self._search(sources, longest, settings, keep_weights=keep_weights or replaces)
        for i, written in zip(places, results, strict=True):
            found[i] = []
            for one in written:
                weights = None if one.weights is None else one.weights[:, : len(tokens[i]) + 1]
                words = self.target.vocabulary.decode(one.ids)
                if replaces:
                    words = self._without_unknown(words, one.ids, tokens[i], weights)
                text = self.target.text(words)
                found[i].append(Hypothesis(text, words, one.log_probability, one.score, weights))
        return found

    def _without_unknown(
        self, words: list[str], ids: list[int], source: list[str], weights: npt.NDArray[np.float32] | None
    ) -> list[str]:
        """Replace each unknown word by the source word with the highest attention."""
        if weights is None or self.target.vocabulary.unknown not in ids:
            return words
        best = weights[:, : len(source)].argmax(axis=1)
        unknown = self.target.vocabulary.unknown
        return [source[place] if i == unknown else word for word, i, place in zip(words, ids, best, strict=False)]

    def _read(self, side: TextSide, text: str, place: str) -> list[str]:
        tokens = side.tokens(text)
        if len(tokens) > LONGEST_TEXT:
            raise CorpusError(
                f"{place}: a sentence has {len(tokens):,} tokens, and the most is {LONGEST_TEXT:,}; split it"
            )
        return tokens

    def score(self, sources: Sequence[str], targets: Sequence[str]) -> npt.NDArray[np.float64]:
        """ln P(target | source) of given translations, in nats.

        Parameters
        ----------
        sources, targets : sequences of str
            Of the same length. A blank source is read as no words.

        Returns
        -------
        array (texts,)
            The end of the target is counted; a word that the vocabulary lacks is scored as the unknown word.

        Raises
        ------
        TypeError, ValueError
            If there are not as many sources as targets, or a text has more than 1,000 tokens.
        """
        check_texts(sources, "sources")
        check_texts(targets, "targets")
        if len(sources) != len(targets):
            raise ArgumentValueError(f"targets: expected {len(sources)}, one for each source, got {len(targets)}")
        pairs = [TextPair(*pair, "sources") for pair in zip(sources, targets, strict=True)]
        return self.pair_scores(self._pairs(pairs))

    def rank(self, source: str, targets: Sequence[str]) -> list[tuple[str, float]]:
        """Given translations of one sentence with ln P(target | source), the best first: n-best rescoring."""
        scores = self.score([source] * len(targets), targets)
        return [(targets[i], float(scores[i])) for i in np.argsort(-scores, kind="stable")]

    def _pairs(self, pairs: Sequence[TextPair]) -> Pairs:
        return encoded_pairs(pairs, self.source, self.target)

    # What predict.py shows

    def open_inputs(
        self, paths: Sequence[str], standard_input: BinaryIO | None = None, column: str | None = None
    ) -> Iterator[CorpusReader]:
        """Yield a reader for each file. Tabs are part of lines, unless a column is given."""
        if column is not None or not paths:
            yield from open_inputs(paths, standard_input, column, is_text=column is None)
        for path in paths if column is None else ():
            yield from open_inputs([path], is_text=format_of(path)[0] != "csv")

    def result_columns(self, options: PredictionOptions) -> list[str]:
        """The translation; with scores or several translations, the line, the rank and the scores too."""
        if options.probabilities:
            raise self.no_effect("probabilities")
        Search.chosen(options)  # raises an error before anything is translated
        columns = ["line", "rank"] if options.nbest is not None else []
        columns += ["score", "log_probability"] if options.scores or options.nbest is not None else []
        return [*columns, "translation"]

    def results(self, reader: CorpusReader, options: PredictionOptions) -> Iterator[Sequence[Any]]:
        """Yield one row for each line, or with `nbest` several.

        In a line with tabs, given translations follow the source: they are ranked by ln P, one row for each.
        """
        columns, number = self.result_columns(options), 0
        for lines in line_batches(reader.lines(), reader.is_waiting):
            for first, group in by_kind(lines):
                if "\t" in group[0]:
                    for i, line in enumerate(group, start=number + first + 1):
                        yield from self._ranked_rows(line, i, reader.place(i), columns, options)
                    continue
                for i, line in enumerate(group, start=number + first + 1):
                    self._read(self.source, line, reader.place(i))
                for i, found in enumerate(self.hypotheses(group, Search.chosen(options)), start=number + first + 1):
                    for rank, one in enumerate(found[: options.nbest or 1], start=1):
                        yield row(columns, i, rank, one)
            number += len(lines)

    def _ranked_rows(
        self, line: str, number: int, place: str, columns: list[str], options: PredictionOptions
    ) -> Iterator[Sequence[Any]]:
        source, *targets = (cell.strip() for cell in line.split("\t"))
        if not source or not all(targets):
            raise CorpusError(f"{place}: expected a source and a translation after each tab, got an empty one")
        self._read(self.source, source, place)
        tokens = {text: self._read(self.target, text, place) for text in targets}
        penalty = Search.chosen(options).length_penalty
        for rank, (text, log_p) in enumerate(self.rank(source, targets), start=1):
            score = log_p / (len(tokens[text]) + 1) ** penalty
            yield row(columns, number, rank, Hypothesis(text, tokens[text], log_p, score))

    def alignments(
        self, readers: Iterable[CorpusReader], options: PredictionOptions | None = None
    ) -> Iterator[Alignment]:
        """Yield the best translation of each line with its attention; lines without words are left out.

        Raises
        ------
        OptionError
            If the model has no attention.
        """
        self.require_attention()
        chosen, number = Search.chosen(options or PredictionOptions()), 0
        for reader in readers:
            first = 0
            for lines in line_batches(reader.lines(), reader.is_waiting):
                texts = [line.partition("\t")[0] for line in lines]
                for i, text in enumerate(texts, start=1):
                    self._read(self.source, text, reader.place(first + i))
                found = self.hypotheses(texts, chosen, keep_weights=True)
                for i, (text, (one, *_)) in enumerate(zip(texts, found, strict=True), start=number + 1):
                    if one.weights is not None:
                        yield Alignment(i, self.source.tokens(text), one.tokens, one.weights)
                number, first = number + len(lines), first + len(lines)

    def require_attention(self, name: str = "alignments") -> None:
        """Raise OptionError, about the option with this name, if the model has no attention."""
        if not self.writer.settings.attention:
            raise OptionError(f"{name}: the model was trained without attention, which it would show; leave it out")

    def write_page(
        self,
        path: str | os.PathLike[str],
        readers: Iterable[CorpusReader],
        about: Mapping[str, str],
        options: PredictionOptions | None = None,
    ) -> None:
        """Write a page that shows which words of the source each word of a translation was written from."""
        write_alignment_page(path, about, self.alignments(readers, options))

    def evaluate(
        self,
        paths: Sequence[str],
        column: str | None = None,
        standard_input: BinaryIO | None = None,
        options: PredictionOptions | None = None,
    ) -> TranslationReport:
        """Compare translations with given ones, and measure the perplexity of the given ones.

        Raises
        ------
        CorpusError
            If there are no pairs, or a file cannot be read. The message names the file and the line.
        OptionError
            If the library sacrebleu is not installed, or a column is given.
        """
        if column is not None:
            raise OptionError("column: an evaluation reads a source, a tab and its target; leave it out")
        TranslationReport.require_library()
        chosen = Search.chosen(options or PredictionOptions())
        pairs = list(read_pairs(paths, standard_input=standard_input))
        if not pairs:
            raise CorpusError("there are no translations to evaluate")
        encoded = self._pairs(pairs)
        found = [one[0].text for one in self.hypotheses([pair.source for pair in pairs], chosen)]
        tokenizer = self.target.tokenizer
        return TranslationReport(
            found,
            [pair.target for pair in pairs],
            measured_loss(self.writer, encoded),
            encoded.predictions,
            is_tokenized=tokenizer.tokenized,
            is_lowercase=tokenizer.lowercase and not tokenizer.tokenized,
        )

    # Files

    def more_configuration(self) -> dict[str, Any]:
        """The vocabulary of the source."""
        return {"source": self.source.to_configuration()}

    @classmethod
    def more_arguments(cls, configuration: Mapping[str, Any]) -> dict[str, Any]:
        """The vocabulary of the source."""
        return {"source": TextSide.from_configuration(configuration["source"])}

    # Training

    @classmethod
    def training_task(
        cls,
        paths: Sequence[str],
        options: Any,
        note: Callable[[str], None],
        start: Any = None,
        saved: Mapping[str, Any] | None = None,
    ) -> WritingTask:
        """Read pairs and make the task of a training run.

        Parameters
        ----------
        paths : sequence of paths
            See `theano_rnn.writing.pair_files.read_pairs`.
        options : theano_rnn.training.options.TrainingOptions
        note : callable
            Is told, in one line, what is learned.
        start : None
        saved : dict, optional
            What a checkpoint holds of the task, in a resumed run.

        Raises
        ------
        CorpusError
            If there are no pairs, or a file cannot be used.
        """
        pairs = list(read_pairs(paths, options.target))
        held_out = None if options.valid is None else list(read_pairs([options.valid]))
        if not pairs:
            raise CorpusError(f"{', '.join(paths)}: there are no pairs of a source and its target to learn from")
        if held_out == []:
            raise CorpusError(f"{options.valid}: there are no pairs to measure the loss on")
        sides = both_sides(pairs, options)
        encoded = encoded_pairs(pairs, *sides)
        if held_out is None:
            train, valid = encoded.split(options.held_out_share(encoded.predictions), options.seed)
        else:
            train, valid = encoded, encoded_pairs(held_out, *sides)

        def make_model(writer: Writer, training: dict[str, Any]) -> Translator:
            return cls(writer, *sides, training)

        return new_task(make_model, train, valid, sides, options, note)


def row(columns: Sequence[str], line: int, rank: int, one: Hypothesis) -> list[Any]:
    """The values of a row of results."""
    values = {
        "line": line,
        "rank": rank,
        "score": one.score,
        "log_probability": one.log_probability,
        "translation": one.text,
    }
    return [values[name] for name in columns]


def by_kind(lines: Sequence[str]) -> Iterator[tuple[int, Sequence[str]]]:
    """Yield groups of consecutive lines, with and without tabs, each with the number of lines before it."""
    first = 0
    for i in range(1, len(lines) + 1):
        if i == len(lines) or ("\t" in lines[i]) != ("\t" in lines[first]):
            yield first, lines[first:i]
            first = i


def check_texts(texts: Any, name: str) -> None:
    """Raise ArgumentTypeError unless these are several texts."""
    if isinstance(texts, (str, bytes)) or not hasattr(texts, "__len__"):
        raise ArgumentTypeError(f"{name}: expected a sequence of str, got {type(texts).__name__}")
    for text in texts:
        if not isinstance(text, str):
            raise ArgumentTypeError(f"{name}: expected a sequence of str, got {type(text).__name__} among them")
