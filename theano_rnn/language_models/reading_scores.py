"""Scores for studies of reading and grammar: surprisal with places, minimal pairs, conditional probabilities."""

import itertools
import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple, overload

import numpy as np
import numpy.typing as npt

from theano_rnn.checks import check_base, check_choice
from theano_rnn.errors import ArgumentTypeError, ArgumentValueError
from theano_rnn.language_models.text_scoring import Base, FloatArray, ScoredSentence, TextScorer, checked_texts
from theano_rnn.language_models.token_rows import UNITS, token_rows, word_rows
from theano_rnn.text.token_spans import token_spans
from theano_rnn.text.vocabulary import SENTENCE_END

_MOST_EXAMPLES = 3

Unit = Literal["token", "word"]


class Surprisal(NamedTuple):
    """The surprisal of a token, a word or the end of a sentence.

    Attributes
    ----------
    text : str
        The token as the model reads it, or the word as it is written; SENTENCE_END.
    start, end : int or None
        Its place in the text, in Unicode code points; see `theano_rnn.language_models.token_rows.TokenRow`.
    known : bool
        Whether the vocabulary has the token, or all tokens of the word.
    surprisal : float
        -log P(token | tokens before it), summed over the tokens of a word.
    """

    text: str
    start: int | None
    end: int | None
    known: bool
    surprisal: float


class ReadingScorer(TextScorer):
    """Relates scores to the words of a text, and to other texts."""

    @overload
    def surprisal(  # type: ignore[overload-overlap]
        self, text: str, unit: Unit = "token", base: Base = 2, split: bool | None = None
    ) -> list[Surprisal]: ...
    @overload
    def surprisal(
        self, text: Iterable[str], unit: Unit = "token", base: Base = 2, split: bool | None = None
    ) -> list[list[Surprisal]]: ...
    def surprisal(
        self, text: str | Iterable[str], unit: Unit = "token", base: Base = 2, split: bool | None = None
    ) -> list[Surprisal] | list[list[Surprisal]]:
        """Return the surprisal of each token or word of a text, with its place.

        Parameters
        ----------
        text : str or iterable of str
            One text or several; each may hold several sentences.
        unit : {"token", "word"}
            With "word", the tokens of each whitespace-separated word are summed, punctuation included. At character
            level, whitespace counts with the word before it. Each sentence end has a row of its own, so that the sum
            is the same for both units.
        base : "e" or float
            Base of the logarithm. The default, 2, gives bits.
        split : bool, optional
            As in `score`.

        Returns
        -------
        list of Surprisal
            Named tuples (text, start, end, known, surprisal); ``text[start:end]`` is the token or word as it is
            written. For several texts, a list of such lists.

        Raises
        ------
        TypeError, ValueError
            As `score`, and if `unit` is something else.
        """
        scale = check_base(base)
        rows_of = token_rows if check_choice("unit", unit, UNITS) == "token" else word_rows
        texts = [text] if isinstance(text, str) else list(checked_texts(text))
        found = []
        for line, sentences in zip(texts, self.scored_sentences(texts, split), strict=True):
            rows = rows_of(line, *joined_sentences(sentences))
            found.append([Surprisal(*row[1:5], 0.0 - row.log_probability / scale) for row in rows])
        return found[0] if isinstance(text, str) else found

    @overload
    def compare(self, good: str, bad: str, base: Base = "e", split: bool | None = False) -> float: ...  # type: ignore[overload-overlap]
    @overload
    def compare(
        self, good: Iterable[str], bad: Iterable[str], base: Base = "e", split: bool | None = False
    ) -> FloatArray: ...
    def compare(
        self, good: str | Iterable[str], bad: str | Iterable[str], base: Base = "e", split: bool | None = False
    ) -> float | FloatArray:
        """Return log P(good) - log P(bad) for minimal pairs.

        The accuracy of the model is the share of differences above 0. A difference is exactly 0 if both texts have the
        same tokens, for example because the words that differ are unknown. A warning is logged if there are such words.

        Parameters
        ----------
        good, bad : str or iterable of str
            One pair, or equally many texts.
        base, split
            As in `score`, except that each text is scored as one sentence by default.

        Returns
        -------
        float or float64 array
            A float for one pair, an array for several.

        Raises
        ------
        TypeError, ValueError
            As `score`, and if `good` and `bad` are not equally many.
        """
        pairs = _matched("good", good, "bad", bad)
        unit = check_base(base)
        texts = [text for column in zip(*pairs, strict=True) for text in column]
        scored = [joined_sentences(sentences) for sentences in self.scored_sentences(texts, split)]
        scores = np.array([values.sum() for _, values, _ in scored], np.float64) / unit
        differences: FloatArray = scores[: len(pairs)] - scores[len(pairs) :]
        unknown = [
            unknown_differences(*first[::2], *second[::2])
            for first, second in zip(scored[: len(pairs)], scored[len(pairs) :], strict=True)
        ]
        number = sum(map(bool, unknown))
        if number:
            words = Counter(itertools.chain.from_iterable(unknown))
            logging.getLogger(__name__).warning("%s", unknown_pairs_warning(number, len(pairs), words))
        return float(differences[0]) if isinstance(good, str) else differences

    @overload
    def conditional_score(self, text: str, given: str, base: Base = "e", split: bool | None = None) -> float: ...  # type: ignore[overload-overlap]
    @overload
    def conditional_score(
        self, text: Iterable[str], given: str | Iterable[str], base: Base = "e", split: bool | None = None
    ) -> FloatArray: ...
    def conditional_score(
        self, text: str | Iterable[str], given: str | Iterable[str], base: Base = "e", split: bool | None = None
    ) -> float | FloatArray:
        """Return log P(text | given): the score of a text that continues another, sentence ends included.

        It is the score of both together minus that of the given text without its sentence end, computed in one pass. At
        word level the two are joined with a space, at character level directly. In float32 the difference of two lists
        of scores, or of two single scores, is the same to 1e-6 (XLA on a CPU; otherwise to 1e-5).

        Each sentence is scored from a zero state. So the given text has an effect only on a sentence that it begins. If
        it ends where a sentence ends, its sentence end counts as given, and the result is ``score(text)``; a warning is
        logged. With ``split=False`` both texts are one sequence.

        Parameters
        ----------
        text : str or iterable of str
        given : str or iterable of str
            One for each text, or a str for all of them. May be empty.
        base, split
            As in `score`.

        Returns
        -------
        float or float64 array
            A float for a str; an array with one entry per text for several texts.

        Raises
        ------
        TypeError, ValueError
            As `score`, and if there is not one given text for each text.
        """
        unit = check_base(base)
        if isinstance(given, str) and not isinstance(text, str):
            text = list(checked_texts(text))
            given = [given] * len(text)
        pairs = _matched("text", text, "given", given)
        lines = self.conditional_sentences([one for one, _ in pairs], [one for _, one in pairs], split)
        useless = sum(has_no_effect(one, line) for (_, one), line in zip(pairs, lines, strict=True))
        if useless:
            logging.getLogger(__name__).warning("%s", no_effect_warning(useless, len(pairs)))
        totals = np.array([sum(sentence.values.sum() for sentence in line) for line in lines], np.float64) / unit
        return float(totals[0]) if isinstance(text, str) else totals

    def conditional_sentences(
        self, texts: Sequence[str], given: Sequence[str], split: bool | None = None
    ) -> list[list[ScoredSentence]]:
        """Return the sentences of each text with the scores of their tokens after another text.

        Parameters
        ----------
        texts, given : sequence of str
            Equally many.
        split : bool, optional
            As in `score`.

        Returns
        -------
        list of list of ScoredSentence
            At least one for each text. They have only the tokens of the text and the sentence ends after these. In the
            first one, `context` is the number of given tokens before them.
        """
        cuts = [self._cut_sentences(text, before, split) for text, before in zip(texts, given, strict=True)]
        encoded = [self.frame(self.vocabulary.encode(tokens)) for line in cuts for _, tokens, _ in line]
        remaining = iter(zip(self.token_values(encoded), encoded, strict=True))
        unknown = self.vocabulary.unknown
        return [
            [
                ScoredSentence(
                    text, [*tokens[context:], SENTENCE_END], values[context:], ids[context + 1 :] != unknown, context
                )
                for (text, tokens, context), (values, ids) in zip(
                    line, itertools.islice(remaining, len(line)), strict=True
                )
            ]
            for line in cuts
        ]

    def _cut_sentences(self, text: str, given: str, split: bool | None) -> list[tuple[str, list[str], int]]:
        """Return what belongs to `text` in each sentence that reaches into it, all tokens, and how many are given."""
        for name, value in (("text", text), ("given", given)):
            if not isinstance(value, str):
                raise ArgumentTypeError(f"{name}: expected a str, got {type(value).__name__}")
        before = f"{given} " if given and self.tokenizer.level == "word" else given
        whole = before + text
        sentences = [(sentence, self.tokenize(sentence)) for sentence in self.split(whole, split)]
        spans = token_spans(whole, [token for _, tokens in sentences for token in tokens])
        if spans is None:
            raise ArgumentValueError(f"given: cannot be separated from the text after it, {text[:80]!r}; change one")
        remaining, cuts = iter(spans), []
        for i, (sentence, tokens) in enumerate(sentences):
            own = [span for span in itertools.islice(remaining, len(tokens)) if span[0] >= len(before)]
            context = len(tokens) - len(own)
            if own or i == len(sentences) - 1:
                part = whole[own[0][0] : own[-1][1]] if own else ""
                cuts.append((part if context else sentence, tokens, context))
        return cuts


def joined_sentences(sentences: Sequence[ScoredSentence]) -> tuple[list[str], FloatArray, npt.NDArray[np.bool_]]:
    """Return the tokens, values and known marks of all sentences together."""
    return (
        [token for sentence in sentences for token in sentence.tokens],
        np.concatenate([sentence.values for sentence in sentences]),
        np.concatenate([sentence.known for sentence in sentences]),
    )


def unknown_differences(
    good: Sequence[str], good_known: npt.NDArray[np.bool_], bad: Sequence[str], bad_known: npt.NDArray[np.bool_]
) -> list[str]:
    """Return the unknown tokens that one of two sentences has, or has more often than the other.

    Parameters
    ----------
    good, bad : sequence of str
        The tokens of the sentences.
    good_known, bad_known : bool array
        Whether the vocabulary has each token.

    Examples
    --------
    >>> unknown_differences(["a", "cat"], np.array([True, False]), ["a", "dog"], np.array([True, True]))
    ['cat']
    """
    found: list[str] = []
    for tokens, known, others in ((good, good_known, bad), (bad, bad_known, good)):
        unknown = {token for token, is_known in zip(tokens, known.tolist(), strict=True) if not is_known}
        found += [token for token in (Counter(tokens) - Counter(others)).elements() if token in unknown]
    return found


def unknown_pairs_warning(number: int, total: int, words: Counter[str]) -> str:
    """Return the warning for pairs with `unknown_differences`.

    Parameters
    ----------
    number, total : int
        Number of these, and of all pairs.
    words : Counter
        The unknown words that differ.
    """
    examples = ", ".join(repr(word) for word, _ in words.most_common(_MOST_EXAMPLES))
    return (
        f"in {number:,} of {total:,} pairs, words that differ are unknown to the model ({examples}), so their results "
        "mean little"
    )


def has_no_effect(given: str, sentences: Sequence[ScoredSentence]) -> bool:
    """Tell whether none of the sentences that are scored after a given text has a token of it."""
    return bool(given.strip()) and not any(sentence.context for sentence in sentences)


def no_effect_warning(useless: int, total: int, option: str = "split=False") -> str:
    """Return the warning for given texts that `has_no_effect`.

    Parameters
    ----------
    useless, total : int
        Number of these, and of all texts.
    option : str
        What makes one sequence of both texts, as the user writes it.
    """
    return (
        f"the given text has no effect on {useless:,} of {total:,} texts, because it ends with a whole sentence, and "
        f"the model scores each sentence by itself; with {option} both are one sequence"
    )


def _matched(
    first_name: str, first: str | Iterable[str], second_name: str, second: str | Iterable[str]
) -> list[tuple[str, str]]:
    """Return the pairs of two texts or of two equally long series of texts."""
    for name, value in ((first_name, first), (second_name, second)):
        if not isinstance(value, Iterable):
            raise ArgumentTypeError(f"{name}: expected a str or an iterable of str, got {type(value).__name__}")
    if isinstance(first, str) != isinstance(second, str):
        raise ArgumentTypeError(
            f"{first_name} and {second_name}: expected two str or two iterables of str, got one of each"
        )
    if isinstance(first, str) and isinstance(second, str):
        return [(first, second)]
    firsts, seconds = list(first), list(second)
    if len(firsts) != len(seconds):
        raise ArgumentValueError(
            f"{second_name}: expected as many texts as `{first_name}` ({len(firsts)}), got {len(seconds)}"
        )
    return list(zip(firsts, seconds, strict=True))
