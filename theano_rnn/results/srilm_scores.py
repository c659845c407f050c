"""Scores in the format of SRILM's ``ngram -ppl``."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from theano_rnn.files.text_files import STANDARD_INPUT
from theano_rnn.language_models.scoring import perplexity
from theano_rnn.language_models.text_scoring import ScoredSentence
from theano_rnn.results.score_formats import ScoringOptions
from theano_rnn.results.score_output import ScoredLine, ScoreOutput
from theano_rnn.results.text_statistics import TextStatistics


class SrilmScores(ScoreOutput):
    """Prints scores like ``ngram -ppl`` of SRILM 1.7.3 with ``-debug 1``, 0 (option `summary`) or 2 (option `words`).

    Numbers have seven significant digits, logarithms have base 10, and blank lines are left out. SRILM prints the
    length of the n-gram that it found. In its place, this class prints the number of tokens that the probability
    depends on: all tokens up to the current one.

    The format is that of ``operator<<`` in SRILM's ``lm/src/TextStats.cc`` and of ``LM::sentenceProb`` and
    ``LM::pplFile`` in ``lm/src/LM.cc``.
    """

    skips_blank_lines = True

    def __init__(self, options: ScoringOptions, show: Callable[..., Any]) -> None:
        super().__init__(options, show)
        self._file_totals = TextStatistics()

    def add_line(self, line: str, sentences: Sequence[ScoredSentence]) -> None:
        """Show each sentence of a line separately, as SRILM does."""
        for sentence in sentences:
            self.add_sentence(sentence.text, sentence.tokens, sentence.values, sentence.known)

    def show_line(self, line: ScoredLine) -> None:
        """Write a sentence, its tokens if requested, and its totals."""
        self._file_totals.add(line.totals)
        if self.options.summary:
            return
        words = [_without_whitespace(token) for token in line.tokens[:-1]]
        parts = [" ".join(words)]
        if self.options.words:
            words = [word if is_known else "<unk>" for word, is_known in zip(words, line.known[:-1], strict=True)]
            parts += self._token_lines([*words, "</s>"], line.values, line.known)
        self.show("\n".join([*parts, self._totals(line.totals), ""]))

    def end_of_file(self, name: str) -> None:
        """Write the totals of a file."""
        self.show(f"file {'-' if name == STANDARD_INPUT else name}: {self._totals(self._file_totals)}")
        self._file_totals = TextStatistics()

    def _token_lines(
        self, words: Sequence[str], values: npt.NDArray[np.floating], known: npt.NDArray[np.bool_]
    ) -> Iterator[str]:
        before = "<s> "
        include = self.options.unknown == "include"
        columns = zip(words, self.in_base(values), np.exp(values), strict=True)
        for i, (word, value, probability) in enumerate(columns):
            found = f"[{i + 2}gram] {probability:.7g} [ {value:.7g} ]"
            if not (include or known[i]):
                found = "[OOV] 0 [ -inf ]"
            yield f"\tp( {word} | {before}) \t= {found}"
            before = f"{word} ..."

    def _totals(self, totals: TextStatistics) -> str:
        counted = self.counted(totals)
        oovs = totals.unknown if self.options.unknown == "exclude" else 0
        text = f"{totals.sentences} sentences, {totals.words} words, {oovs} OOVs"
        if not totals.tokens:
            return text
        log_probability = counted.finite_log_probability
        tokens = counted.number - counted.impossible
        return (
            f"{text}\n{counted.impossible} zeroprobs, logprob= {self.in_base(log_probability):.7g}"
            f" ppl= {_shown_perplexity(log_probability, tokens)}"
            f" ppl1= {_shown_perplexity(log_probability, tokens - totals.sentences)}"
        )


def _shown_perplexity(log_probability: float, tokens: int) -> str:
    return f"{perplexity(log_probability, tokens):.7g}" if tokens > 0 else "undefined"


def _without_whitespace(token: str) -> str:
    """Replace whitespace in a token, which is a token of its own at character level, by names such as <space>."""
    if token.split() == [token]:
        return token
    return "".join(
        "<space>" if character == " " else f"<U+{ord(character):04X}>" if character.isspace() else character
        for character in token
    )
