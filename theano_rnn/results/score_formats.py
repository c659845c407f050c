"""Scores as text: tab-separated, JSON, and what SRILM's `ngram -ppl` prints. Knows scores, not models."""

import json
import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from theano_rnn.files.text_files import STANDARD_INPUT
from theano_rnn.language_models.scoring import perplexity
from theano_rnn.results.text_statistics import TextStatistics

if TYPE_CHECKING:
    from theano_rnn.language_models.language_model import ScoredSentence

NATS = {"e": 1.0, "2": math.log(2), "10": math.log(10)}  # by the base of logarithms that are shown

# Line ends for some readers, which JSON lets stand as they are.
_LINE_ENDS = {code_point: f"\\u{code_point:04x}" for code_point in (0x85, 0x2028, 0x2029)}


class ScoreOutput(ABC):
    """Shows scored sentences, and keeps the figures of them all.

    Parameters
    ----------
    options : ScoringOptions
    show : callable
        Writes its arguments as the tab-separated columns of a line.

    Attributes
    ----------
    statistics : TextStatistics
        Of the sentences so far.
    note : str or None
        What the user should know of the results, in one line, when they are finished.
    """

    leaves_out_blank_lines = False

    def __init__(self, options, show):
        self.options = options
        self.show = show
        self.statistics = TextStatistics()
        self.note = None

    def texts(self, lines, name):
        """The texts to be scored that lines of a file hold, one each.

        Parameters
        ----------
        lines : iterable of str
        name : str
            The file's, for messages.
        """
        return lines

    def text(self, line: str, sentences: "Sequence[ScoredSentence]") -> None:
        """Show the sentences of one line.

        Parameters
        ----------
        line : str
        sentences : sequence of ScoredSentence
            At least one.
        """
        if len(sentences) == 1:
            [one] = sentences
            self.sentence(line, one.tokens, one.values, one.known)
            return
        figures = TextStatistics()
        for one in sentences:
            figures.add(TextStatistics.of(one.values, one.known))
        self.statistics.add(figures)
        tokens = [token for one in sentences for token in one.tokens]
        values, known = (np.concatenate([getattr(one, name) for one in sentences]) for name in ("values", "known"))
        self.show_sentence(line, tokens, values, known, figures)

    def sentence(self, line, words, values, known):
        """Show one sentence.

        Parameters
        ----------
        line : str
        words : list of str
            Its tokens, SENTENCE_END the last.
        values : float array
            ln P of each.
        known : bool array
        """
        figures = TextStatistics.of(values, known)
        self.statistics.add(figures)
        self.show_sentence(line, words, values, known, figures)

    @abstractmethod
    def show_sentence(self, line, words, values, known, figures):
        """What `sentence` and `text` show; figures are those of the line, which may hold several sentences."""

    def end_of_file(self, name):
        """One of the files has come to its end."""
        return

    def finish(self):
        """All files have come to their ends."""
        return

    def in_base(self, log_probability):
        """Nats in the base of logarithms that are shown."""
        return log_probability / NATS[self.options.log_base]

    def counted(self, figures):
        """The tokens of some figures that count by the options."""
        return figures.counted(self.options.unknown)


class TabSeparated(ScoreOutput):
    """A line a sentence: log-probability, tokens, unknown words, perplexity, the line itself; or a line a token.

    A text of several lines, from a CSV file, is shown as one, and a line end that is a token as ``\\n``.
    """

    def show_sentence(self, line, words, values, known, figures):
        if self.options.words:
            for token, value, is_known in zip(words, self.in_base(values), known, strict=True):
                self.show(f"{value:.6f}", "known" if is_known else "unknown", token.replace("\n", "\\n"))
        elif not self.options.summary:
            counted = self.counted(figures)
            log_probability, perplexity = self.in_base(counted.log_probability), counted.perplexity
            self.show(
                f"{log_probability:.6f}",
                figures.tokens,
                figures.unknown,
                f"{perplexity:.4f}",
                " ".join(line.split("\n")),
            )


class Json(ScoreOutput):
    """One JSON object a sentence, or one for the whole text."""

    def show_sentence(self, line, words, values, known, figures):
        if self.options.summary:
            return
        document = {"sentence": line, **self.figures(figures)}
        if self.options.words:
            document["words"] = [
                {"token": token, "log_probability": number(value), "known": is_known}
                for token, value, is_known in zip(words, self.in_base(values).tolist(), known.tolist(), strict=True)
            ]
        self.show_document(document)

    def finish(self):
        if self.options.summary:
            figures = self.statistics
            self.show_document({"sentences": figures.sentences, "words": figures.words, **self.figures(figures)})

    def figures(self, figures):
        counted = self.counted(figures)
        return {
            "log_probability": number(self.in_base(counted.log_probability)),
            "tokens": figures.tokens,
            "unknown": figures.unknown,
            "perplexity": number(counted.perplexity),
            "perplexity_including_unknown": number(figures.including.perplexity),
            "perplexity_excluding_unknown": number(figures.excluding.perplexity),
        }

    def show_document(self, document):
        self.show(json.dumps(document, ensure_ascii=False, allow_nan=False).translate(_LINE_ENDS))


def number(value):
    """A number as JSON has them: None for an infinite one."""
    return value if math.isfinite(value) else None


class Srilm(ScoreOutput):
    """What `ngram -ppl` of SRILM 1.7.3 prints with `-debug 1`, or with 0 (summary) or 2 (words).

    Seven significant digits, base 10, blank lines left out. In place of the length of the n-gram that was found stands
    the number of tokens that a probability depends on, which are all up to its own. Format: operator<< in SRILM's
    lm/src/TextStats.cc, and LM::sentenceProb and LM::pplFile in lm/src/LM.cc.
    """

    leaves_out_blank_lines = True

    def __init__(self, options, show):
        super().__init__(options, show)
        self.file = TextStatistics()

    def text(self, line, sentences):
        for one in sentences:  # SRILM has a line for each
            self.sentence(one.text, one.tokens, one.values, one.known)

    def show_sentence(self, line, words, values, known, figures):
        self.file.add(figures)
        if self.options.summary:
            return
        words = [printed(word) for word in words[:-1]]
        parts = [" ".join(words)]
        if self.options.words:
            words = [word if is_known else "<unk>" for word, is_known in zip(words, known[:-1], strict=True)]
            parts += self.tokens([*words, "</s>"], values, known)
        self.show("\n".join([*parts, self.figures(figures), ""]))

    def tokens(self, words, values, known):
        before = "<s> "
        include = self.options.unknown == "include"
        columns = zip(words, self.in_base(values), np.exp(values), strict=True)
        for i, (word, value, probability) in enumerate(columns):
            found = f"[{i + 2}gram] {probability:.7g} [ {value:.7g} ]"
            if not (include or known[i]):
                found = "[OOV] 0 [ -inf ]"
            yield f"\tp( {word} | {before}) \t= {found}"
            before = f"{word} ..."

    def figures(self, figures):
        counted = self.counted(figures)
        out = figures.unknown if self.options.unknown == "exclude" else 0
        text = f"{figures.sentences} sentences, {figures.words} words, {out} OOVs"
        if not figures.tokens:
            return text
        log_probability = counted.finite_log_probability
        tokens = counted.number - counted.impossible
        return (
            f"{text}\n{counted.impossible} zeroprobs, logprob= {self.in_base(log_probability):.7g}"
            f" ppl= {self.perplexity(log_probability, tokens)}"
            f" ppl1= {self.perplexity(log_probability, tokens - figures.sentences)}"
        )

    def perplexity(self, log_probability, tokens):
        if tokens <= 0:
            return "undefined"
        return f"{perplexity(log_probability, tokens):.7g}"

    def end_of_file(self, name):
        self.show(f"file {'-' if name == STANDARD_INPUT else name}: {self.figures(self.file)}")
        self.file = TextStatistics()


def printed(token):
    """A token as one word: at character level blanks are tokens."""
    if token.split() == [token]:
        return token
    return "".join("<space>" if one == " " else f"<U+{ord(one):04X}>" if one.isspace() else one for one in token)


OUTPUTS = {"tsv": TabSeparated, "json": Json, "srilm": Srilm}


def summary(statistics, options):
    """The figures of a whole text in one line.

    Parameters
    ----------
    statistics : TextStatistics
        Of at least one sentence.
    options : ScoringOptions
    """
    counted = statistics.counted(options.unknown)
    log_probability = counted.log_probability / NATS[options.log_base]
    base = "" if options.log_base == "e" else f" (base {options.log_base})"
    including, excluding = (f"{tokens.perplexity:.4f}" for tokens in (statistics.including, statistics.excluding))
    perplexities = f"{including} per token (sentence ends counted), {excluding} without unknown words"
    if options.unknown == "exclude":
        perplexities = f"{excluding} per token without unknown words (sentence ends counted), {including} with them"
    return (
        f"{statistics.sentences} sentences, {statistics.words} words, {statistics.unknown} unknown "
        f"({statistics.unknown / max(statistics.words, 1):.2%}), log-probability {log_probability:.4f}{base}, "
        f"perplexity {perplexities}"
    )
