"""Scoring texts: log-probabilities of sentences and their tokens, perplexity, and loss."""

import itertools
import logging
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, overload

import numpy as np
import numpy.typing as npt

from theano_rnn.checks import check_base
from theano_rnn.errors import ArgumentTypeError, ArgumentValueError
from theano_rnn.language_models import scoring
from theano_rnn.language_models.notebook_display import ScoreList, html_of
from theano_rnn.language_models.text_model import TextModel
from theano_rnn.language_models.unknown_words import TOO_MANY, unknown_words_warning
from theano_rnn.text.vocabulary import SENTENCE_END

_MIN_WORDS_TO_WARN = 100  # the scores of a shorter text are easy to read, and they mark unknown words

Base: TypeAlias = float | Literal["e"]
# (token, log P(token | tokens before it), whether the vocabulary has it)
TokenScore: TypeAlias = tuple[str, float, bool]
FloatArray: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ScoredSentence:
    """A sentence with the scores of its tokens.

    Attributes
    ----------
    text : str
        The sentence as it was given.
    tokens : list of str
        Its tokens, followed by SENTENCE_END.
    values : float64 array (len(tokens),)
        ln P(token | tokens before it) of each token.
    known : bool array (len(tokens),)
        Whether the vocabulary has each token.
    context : int
        Number of tokens of the sentence before these that were given, not scored; see
        `LanguageModel.conditional_sentences`.
    """

    text: str
    tokens: list[str]
    values: FloatArray
    known: npt.NDArray[np.bool_]
    context: int = 0

    def _repr_html_(self) -> str:
        return html_of("sentences", [self])


class TextScorer(TextModel):
    """Scores texts as a whole, many at a time."""

    # The type checker objects to the overloads because a str is an iterable of str too.

    @overload
    def score(self, sentences: str, base: Base = "e", split: bool | None = None) -> float: ...  # type: ignore[overload-overlap]
    @overload
    def score(self, sentences: Iterable[str], base: Base = "e", split: bool | None = None) -> FloatArray: ...
    def score(self, sentences: str | Iterable[str], base: Base = "e", split: bool | None = None) -> float | FloatArray:
        """Return log P(text), sentence ends included.

        If you score at least 100 words and more than half of them are unknown, a warning with the likely reason is
        logged.

        Parameters
        ----------
        sentences : str or iterable of str
            One text or several; each may hold several sentences. A word that is not in the vocabulary is scored as
            UNKNOWN_TOKEN.
        base : "e" or float
            Base of the logarithm. The default is the natural logarithm. 2 gives bits; 10 gives the units of KenLM and
            SRILM.
        split : bool, optional
            Whether to split each text into sentences, whose log-probabilities are summed. If False, each text is
            scored as one sentence. By default a text is split if the training text was, that is, unless the model
            works at character level or was trained with `lines` or `tokenized`.

        Returns
        -------
        float or float64 array
            A float for a str; an array with one entry per text for several texts.

        Raises
        ------
        TypeError
            If a text is not a str.
        ValueError
            If `base` is not a positive number other than 1, or `split` is True for a model that does not split texts.

        See Also
        --------
        word_scores : the score of each token.
        scored_sentences : the same for each sentence, as arrays.
        """
        unit = check_base(base)
        if isinstance(sentences, str):
            return float(self._token_log_probabilities([sentences], split)[0].sum()) / unit
        totals = [values.sum() for values in self._token_log_probabilities(checked_texts(sentences), split)]
        return np.array(totals, dtype=np.float64) / unit

    @overload
    def word_scores(self, sentence: str, base: Base = "e", split: bool | None = None) -> list[TokenScore]: ...  # type: ignore[overload-overlap]
    @overload
    def word_scores(
        self, sentence: Iterable[str], base: Base = "e", split: bool | None = None
    ) -> list[list[TokenScore]]: ...
    def word_scores(
        self, sentence: str | Iterable[str], base: Base = "e", split: bool | None = None
    ) -> list[TokenScore] | list[list[TokenScore]]:
        """Return the score of each token.

        Parameters
        ----------
        sentence : str or iterable of str
            One text or several; each may hold several sentences.
        base, split
            As in `score`.

        Returns
        -------
        list of (token, log P(token | tokens before it), known)
            SENTENCE_END follows the tokens of each sentence. `known` is whether the vocabulary has the token. For
            several texts, a list of such lists.
        """
        unit = check_base(base)
        if isinstance(sentence, str):
            return _rows(self.scored_sentences(sentence, split), unit)
        parts = self.scored_sentences(sentence, split)
        return ScoreList((_rows(sentences, unit) for sentences in parts), list(itertools.chain.from_iterable(parts)))

    @overload
    def scored_sentences(self, texts: str, split: bool | None = None) -> list[ScoredSentence]: ...  # type: ignore[overload-overlap]
    @overload
    def scored_sentences(self, texts: Iterable[str], split: bool | None = None) -> list[list[ScoredSentence]]: ...
    def scored_sentences(
        self, texts: str | Iterable[str], split: bool | None = None
    ) -> list[ScoredSentence] | list[list[ScoredSentence]]:
        """Return the sentences of each text with the scores of their tokens as arrays.

        Parameters
        ----------
        texts : str or iterable of str
        split : bool, optional
            As in `score`.

        Returns
        -------
        list of ScoredSentence
            At least one. For several texts, a list of such lists.
        """
        if isinstance(texts, str):
            return self.scored_sentences([texts], split)[0]
        parts = [self.split(text, split) for text in checked_texts(texts)]
        token_lists = [self.tokenize(sentence) for part in parts for sentence in part]
        encoded = [self.frame(self.vocabulary.encode(tokens)) for tokens in token_lists]
        scores = self.token_values(encoded)
        columns = zip(token_lists, scores, encoded, strict=True)
        unknown = self.vocabulary.unknown
        found = [
            [
                ScoredSentence(sentence, [*tokens, SENTENCE_END], values, ids[1:] != unknown)
                for sentence, (tokens, values, ids) in zip(part, itertools.islice(columns, len(part)), strict=True)
            ]
            for part in parts
        ]
        shown: Iterator[list[ScoredSentence]] = (ScoreList(part, part) for part in found)
        return ScoreList(shown, list(itertools.chain.from_iterable(found)))

    def split(self, text: str, split: bool | None = None) -> list[str]:
        """Return the sentences that a text is scored as.

        Parameters
        ----------
        text : str
        split : bool, optional
            As in `score`.

        Returns
        -------
        list of str
            At least one sentence; a blank text is one empty sentence.
        """
        if not isinstance(text, str):
            raise ArgumentTypeError(f"sentence: expected a str, got {type(text).__name__}")
        if split is not None and not isinstance(split, (bool, np.bool_)):
            raise ArgumentTypeError(f"split: expected True, False or None, got {split!r}")
        if split and not self.tokenizer.splits_sentences:
            raise ArgumentValueError(
                "split: this model reads each line as one sentence, like its training text; omit `split`"
            )
        return [text] if split is not None and not split else self.tokenizer.split(text)

    def perplexity(self, sentences: str | Iterable[str], split: bool | None = None) -> float:
        """Return the perplexity per token: exp(-mean ln P), each SENTENCE_END counted as a token.

        Parameters
        ----------
        sentences : str or iterable of str
        split : bool, optional
            As in `score`.

        Raises
        ------
        ValueError
            If there are no sentences.
        """
        values = self._token_log_probabilities([sentences] if isinstance(sentences, str) else sentences, split)
        if not values:
            raise ArgumentValueError("sentences: expected at least one, got none")
        joined = np.concatenate(values)
        return scoring.perplexity(joined.sum(), len(joined))

    def token_values(self, encoded: Sequence[npt.NDArray[np.int32]]) -> list[FloatArray]:
        """Return ln P of each token of encoded sentences after the first, as float64 arrays; see `encode`."""
        return scoring.token_log_probabilities(self.rnn, encoded)

    def _token_log_probabilities(self, texts: Iterable[str], split: bool | None) -> list[FloatArray]:
        """ln P of each token and sentence end: one float64 array per text."""
        parts = [self.split(text, split) for text in texts]
        sentences = [sentence for part in parts for sentence in part]
        encoded = [self.encode(sentence) for sentence in sentences]
        self._warn_of_unknown_words(sentences, encoded)
        values = self.token_values(encoded)
        if len(sentences) == len(parts):
            return values
        remaining = iter(values)
        return [np.concatenate(list(itertools.islice(remaining, len(part)))) for part in parts]

    def _warn_of_unknown_words(self, sentences: Sequence[str], encoded: Sequence[npt.NDArray[np.int32]]) -> None:
        """Log a warning if most words of a text are unknown, because its scores then mean little."""
        words = sum(map(len, encoded)) - 2 * len(encoded)
        if words < _MIN_WORDS_TO_WARN:
            return
        unknown = int(np.count_nonzero(np.concatenate(encoded) == self.vocabulary.unknown))
        if unknown > TOO_MANY * words:
            warning = unknown_words_warning(
                self.vocabulary, self.tokenizer, map(self.tokenize, sentences), self.unknown_in_training
            )
            logging.getLogger(__name__).warning("%s", warning)

    # Names of version 0.1

    def words_scores(self, texts: Iterable[str], split: bool | None = None) -> list[list[TokenScore]]:
        """Deprecated: use `word_scores`, which takes several texts too."""
        _warn_of_old_name("words_scores", "word_scores")
        return self.word_scores(list(texts), split=split)

    def token_scores(self, texts: Iterable[str], split: bool | None = None) -> list[FloatArray]:
        """Deprecated: use `scored_sentences`, whose `values` hold the scores of the tokens."""
        _warn_of_old_name("token_scores", "scored_sentences")
        return self._token_log_probabilities(texts, split)

    def scored_tokens(self, sentences: Iterable[str]) -> list[tuple[list[str], FloatArray, npt.NDArray[np.bool_]]]:
        """Deprecated: use `scored_sentences` with ``split=False``."""
        _warn_of_old_name("scored_tokens", "scored_sentences")
        return [
            (scored.tokens, scored.values, scored.known)
            for [scored] in self.scored_sentences(list(sentences), split=False)
        ]


def checked_texts(texts: Iterable[str]) -> Iterable[str]:
    """Return the texts, or raise ArgumentTypeError if they are not iterable."""
    if not isinstance(texts, Iterable):
        raise ArgumentTypeError(f"sentences: expected a str or an iterable of str, got {type(texts).__name__}")
    return texts


def _rows(sentences: Sequence[ScoredSentence], unit: float) -> list[TokenScore]:
    rows = itertools.chain.from_iterable(_sentence_rows(sentence, unit) for sentence in sentences)
    return ScoreList(rows, sentences)


def _sentence_rows(sentence: ScoredSentence, unit: float) -> Iterator[TokenScore]:
    return zip(sentence.tokens, (sentence.values / unit).tolist(), sentence.known.tolist(), strict=True)


def _warn_of_old_name(old: str, new: str) -> None:
    message = f"LanguageModel.{old} is deprecated; use LanguageModel.{new}"
    warnings.warn(message, DeprecationWarning, stacklevel=3)
