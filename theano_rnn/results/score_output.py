"""The base class of all score formats, and the summary of a scored text. Must not know models."""

import importlib
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from theano_rnn.language_models.text_scoring import ScoredSentence
from theano_rnn.language_models.token_rows import TokenRow, token_rows, word_rows
from theano_rnn.results.score_formats import FORMATS, NBEST, PAIRS, ScoringOptions
from theano_rnn.results.text_statistics import TextStatistics, TokenTotals, plural

NATS = {"e": 1.0, "2": math.log(2), "10": math.log(10)}  # nats per unit of a log-probability, by base


@dataclass(frozen=True)
class ScoredLine:
    """A line of the text with its scores. It may contain several sentences.

    Attributes
    ----------
    text : str
        The line as it was written.
    tokens : sequence of str
        The tokens of its sentences, each sentence followed by SENTENCE_END.
    values : float array
        ln P of each token.
    known : bool array
        Whether the vocabulary has each token.
    totals : TextStatistics
    """

    text: str
    tokens: Sequence[str]
    values: npt.NDArray[np.floating]
    known: npt.NDArray[np.bool_]
    totals: TextStatistics


class ScoreOutput(ABC):
    """Shows scored sentences in a format and sums their totals.

    Parameters
    ----------
    options : ScoringOptions
    show : callable
        Writes its arguments as the tab-separated columns of one line.

    Attributes
    ----------
    options : ScoringOptions
    statistics : TextStatistics
        Totals of the sentences so far.
    note : str or None
        A line about the results for the user to read; set by `finish`.
    file : str
        The name of the file that is being scored.
    line_number : int
        The number of the line in it that `add_line` gets next; of the row in a table, whose header is row 1.
    names_files : bool
        Whether there are several files, so that rows have to name theirs.
    skips_blank_lines : bool
        Whether the format leaves out blank lines.
    """

    skips_blank_lines: bool = False

    def __init__(self, options: ScoringOptions, show: Callable[..., Any]) -> None:
        self.options = options
        self.show = show
        self.statistics = TextStatistics()
        self.note: str | None = None
        self.file: str = ""
        self.line_number: int = 0
        self.names_files: bool = False

    def read_texts(self, lines: Iterable[str], name: str) -> Iterable[str]:
        """Return the texts to score, one for each line of a file.

        Parameters
        ----------
        lines : iterable of str
        name : str
            The name of the file, for error messages.
        """
        return lines

    def add_line(self, line: str, sentences: Sequence[ScoredSentence]) -> None:
        """Show the sentences of one line.

        Parameters
        ----------
        line : str
        sentences : sequence of ScoredSentence
            At least one.
        """
        if len(sentences) == 1:
            [sentence] = sentences
            self.add_sentence(line, sentence.tokens, sentence.values, sentence.known)
            return
        totals = TextStatistics()
        for sentence in sentences:
            totals.add(TextStatistics.of_sentence(sentence.values, sentence.known))
        self.statistics.add(totals)
        tokens = [token for sentence in sentences for token in sentence.tokens]
        values = np.concatenate([sentence.values for sentence in sentences])
        known = np.concatenate([sentence.known for sentence in sentences])
        self.show_line(ScoredLine(line, tokens, values, known, totals))

    def add_sentence(
        self, line: str, tokens: Sequence[str], values: npt.NDArray[np.floating], known: npt.NDArray[np.bool_]
    ) -> None:
        """Show a line that consists of one sentence.

        Parameters
        ----------
        line : str
        tokens : sequence of str
            The tokens of the sentence, followed by SENTENCE_END.
        values : float array
            ln P of each token.
        known : bool array
            Whether the vocabulary has each token.
        """
        totals = TextStatistics.of_sentence(values, known)
        self.statistics.add(totals)
        self.show_line(ScoredLine(line, tokens, values, known, totals))

    @abstractmethod
    def show_line(self, line: ScoredLine) -> None:
        """Write a line with its scores."""

    def end_of_file(self, name: str) -> None:
        """Write any output that follows the lines of a file, such as its totals."""
        return

    def finish(self) -> None:
        """Write any output that follows the last file."""
        return

    def summary(self, level: str) -> str:
        """Describe the scored text in one line; see the function `summary`."""
        return summary(self.statistics, self.options, level)

    def rows(self, line: ScoredLine) -> list[TokenRow]:
        """Return a row for each token of a line, or for each of its words if the option `by_word` is set."""
        rows_of = word_rows if self.options.by_word else token_rows
        return rows_of(line.text, line.tokens, line.values, line.known)

    def in_base(self, log_probability: Any) -> Any:
        """Convert a float or an array from nats to the requested base of logarithms."""
        return log_probability / NATS[self.options.log_base or "e"]

    def counted(self, totals: TextStatistics) -> TokenTotals:
        """Return the totals with or without unknown words, as requested."""
        return totals.counted(self.options.unknown)


def make_output(options: ScoringOptions, show: Callable[..., Any]) -> ScoreOutput:
    """Create the output that the options request.

    Parameters
    ----------
    options : ScoringOptions
    show : callable
        Writes its arguments as the tab-separated columns of one line.
    """
    place = NBEST if options.nbest else PAIRS if options.pairs else FORMATS[options.format]
    module, _, name = place.partition(":")
    output: ScoreOutput = getattr(importlib.import_module(module), name)(options, show)
    return output


def summary(statistics: TextStatistics, options: ScoringOptions, level: str = "word") -> str:
    """Describe a scored text in one line.

    Parameters
    ----------
    statistics : TextStatistics
        Statistics of at least one sentence.
    options : ScoringOptions
    level : {"word", "char"}
        At word level, the line shows the perplexity per token. At character level, it shows bits per character and the
        perplexity.

    Returns
    -------
    str
    """
    counted = statistics.counted(options.unknown)
    base = "" if options.log_base == "e" else f" (base {options.log_base})"
    word = "character" if level == "char" else "word"
    perplexity = f", perplexity {counted.perplexity:.4f} per character" if level == "char" else ""
    return (
        f"{statistics.sentences} {plural('sentence', statistics.sentences)}, "
        f"{statistics.words} {plural(word, statistics.words)}, "
        f"{statistics.unknown} unknown ({statistics.unknown / max(statistics.words, 1):.2%}), "
        f"log-probability {counted.log_probability / NATS[options.log_base or 'e']:.4f}{base}, "
        f"{_loss_figures(statistics, options, level)}{perplexity}"
    )


def _loss_figures(statistics: TextStatistics, options: ScoringOptions, level: str) -> str:
    """Return perplexities or bits per character with and without unknown words, the requested figure first."""
    both = statistics.with_unknown, statistics.without_unknown
    if level == "char":
        with_unknown, without_unknown = (f"{tokens.bits_per_token:.4f}" for tokens in both)
        quantity, unit, words, ends = "", "bits/char", "characters", "line ends"
    else:
        with_unknown, without_unknown = (f"{tokens.perplexity:.4f}" for tokens in both)
        quantity, unit, words, ends = "perplexity ", "per token", "words", "sentence ends"
    if options.unknown == "exclude":
        return f"{quantity}{without_unknown} {unit} without unknown {words} ({ends} counted), {with_unknown} with them"
    return f"{quantity}{with_unknown} {unit} ({ends} counted), {without_unknown} without unknown {words}"
