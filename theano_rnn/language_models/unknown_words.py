"""Warns if most words of a text are unknown to a model, and names the likely reason. Must not know networks."""

import string
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import SENTENCE_END, Vocabulary

TOO_MANY = 0.5  # fraction of the words, or of the sentences whose last word is unknown only because of punctuation
_LIKELY = 0.25  # fraction of the unknown words that a reason must explain
_MAX_KEPT = 2000  # distinct unknown words that are kept to find the reason
_EXAMPLES = 3
_MARKS = string.punctuation + "“”‘’«»„…。、，！？；："


class UnknownWords:
    """Counts the unknown words of a text and finds the likely reason.

    Parameters
    ----------
    vocabulary : Vocabulary
    tokenizer : Tokenizer
        The tokenizer of the model.
    unknown_in_training : float
        Fraction of the words of the training text that were unknown, from 0 to 1.
    name : callable
        Converts the name of an option to the name that the user knows, such as a flag.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        tokenizer: Tokenizer,
        unknown_in_training: float = 0.0,
        name: Callable[[str], str] = str,
    ) -> None:
        self._vocabulary = vocabulary
        self._unknown_in_training = unknown_in_training
        self._name = name
        self._tokenizer = tokenizer
        self._words = self._unknown = self._sentences = self._attached_ends = 0
        self._kept: Counter[str] = Counter()

    def add_sentence(
        self, line: str, tokens: Sequence[str], values: npt.NDArray[Any], known: npt.NDArray[np.bool_]
    ) -> None:
        """Count the words of one sentence.

        Parameters
        ----------
        line : str
            The text of the sentence; not used.
        tokens : sequence of str
            Its tokens, followed by SENTENCE_END.
        values : float array
            ln P of each token; not used.
        known : bool array
            Whether the vocabulary has each token.
        """
        number = len(tokens) - (list(tokens[-1:]) == [SENTENCE_END])
        self._sentences += 1
        self._words += number
        unknown = np.flatnonzero(~np.asarray(known[:number])).tolist()
        self._unknown += len(unknown)
        for index in unknown:
            word = tokens[index]
            if word in self._kept or len(self._kept) < _MAX_KEPT:
                self._kept[word] += 1
        if unknown and unknown[-1] == number - 1 and self._tokenizer.tokenized:
            self._attached_ends += self._without_marks(tokens[number - 1]) is not None

    def warning(self) -> str | None:
        """Return the warning as a single line, or None if most words are known."""
        if not self._words or not (self._unknown > TOO_MANY * self._words or self._ends_are_attached):
            return None
        kind = "characters" if self._tokenizer.level == "char" else "words"
        share = self._unknown / self._words
        return f"{self._unknown:,} of {self._words:,} {kind} ({share:.0%}) are unknown to the model; {self._reason()}"

    @property
    def _ends_are_attached(self) -> bool:
        return self._attached_ends > TOO_MANY * self._sentences

    def _reason(self) -> str:
        if self._unknown_in_training > TOO_MANY:
            return (
                f"so were {self._unknown_in_training:.0%} in its training text: train it with a larger "
                f"{self._name('vocabulary_size')}, or a smaller {self._name('min_count')}"
            )
        if self._tokenizer.level == "char":
            return "the text has other characters than the training text; score a text in the same script"
        known_forms: dict[str, Callable[[str], str | None]] = {}
        if self._tokenizer.tokenized:
            known_forms[
                f"the model was trained on tokenized text ({self._name('tokenized')}), and punctuation is attached to "
                "words here ({}): tokenize the text in the same way, for example 'the end .'"
            ] = self._without_marks
        if self._tokenizer.tokenized or not self._tokenizer.lowercase:
            known_forms["the vocabulary has these words in another case ({}): write them as the training text does"] = (
                self._in_other_case
            )
        total = sum(self._kept.values())
        explained = {
            reason: [(word, count) for word, count in self._kept.most_common() if known_form(word) is not None]
            for reason, known_form in known_forms.items()
        }
        for reason in sorted(explained, key=lambda reason: -sum(count for _, count in explained[reason])):
            found = explained[reason]
            explains_ends = known_forms[reason] == self._without_marks and self._ends_are_attached
            if explains_ends or sum(count for _, count in found) >= _LIKELY * total:
                return reason.format(", ".join(repr(word) for word, _ in found[:_EXAMPLES]))
        return (
            "the text may be in another language or on another subject than the training text; check that this is the "
            "right model"
        )

    def _without_marks(self, word: str) -> str | None:
        """Return the word without surrounding punctuation if the vocabulary has it in any case; None otherwise."""
        bare = word.strip(_MARKS)
        if bare == word or not bare:
            return None
        return bare if bare in self._vocabulary or self._in_other_case(bare) is not None else None

    def _in_other_case(self, word: str) -> str | None:
        return next(
            (
                form
                for form in (word.lower(), word.capitalize(), word.upper())
                if form != word and form in self._vocabulary
            ),
            None,
        )


def unknown_words_warning(
    vocabulary: Vocabulary,
    tokenizer: Tokenizer,
    token_lists: Iterable[Sequence[str]],
    unknown_in_training: float = 0.0,
) -> str | None:
    """Return the warning for sentences that are already split into tokens.

    Parameters
    ----------
    vocabulary, tokenizer, unknown_in_training
        As for `UnknownWords`.
    token_lists : iterable of sequence of str
        The tokens of each sentence, without SENTENCE_END.

    Returns
    -------
    str or None
        None if most words are known.
    """
    unknown_words = UnknownWords(vocabulary, tokenizer, unknown_in_training)
    for tokens in token_lists:
        known = np.array([token in vocabulary for token in tokens], bool)
        unknown_words.add_sentence("", [*tokens, SENTENCE_END], known, known)
    return unknown_words.warning()
