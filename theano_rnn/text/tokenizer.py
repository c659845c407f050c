"""The tokenizer: how documents become sentences, sentences tokens, and tokens text again."""

import functools
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, TypeVar

from theano_rnn.errors import ArgumentValueError, OptionError
from theano_rnn.text import detokenize as _detokenize
from theano_rnn.text.documents import Documents
from theano_rnn.text.sentence_splitter import SentenceSplitter
from theano_rnn.text.sentences import (
    ASCII_WHITESPACE,
    LONGEST_SENTENCE,
    cut_at_spaces,
    sample_abbreviations,
    split_lines,
    split_sentences,
    split_short_lines,
    with_progress,
)
from theano_rnn.text.word_tokenizer import WordTokenizer

T = TypeVar("T")

LEVELS = ("word", "char")

_TOKENS = re.compile(f"[^{ASCII_WHITESPACE}]+")
_CURLY_APOSTROPHE = re.compile(r"(?<=\w)’(?=\w)")


@dataclass(frozen=True)
class Tokenizer:
    """Splits text into sentences and tokens, and writes tokens as text again.

    Parameters
    ----------
    level : {"word", "char"}
        Whether tokens are words, as NLTK's word tokenizer finds them, or characters.
    lowercase : bool
        Whether words are converted to lower case. Characters never are.
    tokenized : bool
        Whether the text is tokenized already: one sentence per line, and tokens separated by ASCII whitespace. It is
        not changed and keeps its capitals.
    lines : bool
        Whether each line is one sentence. `tokenized` implies it.
    abbreviations : tuple of str, or None
        The abbreviations found in the training text, in lower case and without the final full stop, in addition to
        those of `theano_rnn.text.abbreviations`. None means that the model is older than this setting; full stops are
        then detached exactly as NLTK does.
    separator : str, optional
        What separates two sentences of a generated text. The default is a line end with `lines`, else a space.

    Raises
    ------
    OptionError
        If a setting has an invalid value, or if `level` is "char" and `tokenized` or `lines` is True.

    Examples
    --------
    >>> tokenizer = Tokenizer()
    >>> tokenizer.sentences(["He didn't say why. She left."])
    ["He didn't say why.", 'She left.']
    >>> tokenizer.tokenize("He didn't say why.")
    ['he', 'did', "n't", 'say', 'why', '.']
    >>> tokenizer.detokenize(['he', 'did', "n't", 'say', 'why', '.'])
    "he didn't say why."
    """

    level: str = "word"
    lowercase: bool = True
    tokenized: bool = False
    lines: bool = False
    abbreviations: tuple[str, ...] | None = ()
    separator: str | None = None

    def __post_init__(self) -> None:
        if self.level not in LEVELS:
            raise OptionError(f"level: expected 'word' or 'char', got {self.level!r}")
        for name in ("lowercase", "tokenized", "lines"):
            if not isinstance(getattr(self, name), bool):
                raise OptionError(f"{name}: expected True or False, got {getattr(self, name)!r}")
        if self.level == "char" and self.tokenized:
            raise OptionError("tokenized: needs words as tokens; use `level=word`, or leave `tokenized` out")
        if self.level == "char" and self.lines:
            raise OptionError("lines: at level 'char' each line is a sentence anyway; leave `lines` out")
        if self.tokenized:
            object.__setattr__(self, "lines", True)
        if self.abbreviations is not None:
            abbreviations = self.abbreviations
            if not isinstance(abbreviations, (tuple, list)) or not all(isinstance(one, str) for one in abbreviations):
                raise OptionError(f"abbreviations: expected a sequence of str, or None, got {abbreviations!r}")
            object.__setattr__(self, "abbreviations", tuple(abbreviations))
        if self.separator is None:
            object.__setattr__(self, "separator", self._usual_separator)
        elif not isinstance(self.separator, str) or self.separator.strip():
            raise OptionError(f"separator: expected whitespace, got {self.separator!r}")

    @property
    def _usual_separator(self) -> str:
        return "\n" if self.lines else " "

    @property
    def splits_sentences(self) -> bool:
        """Whether a line may hold several sentences."""
        return self.level == "word" and not self.lines

    def with_abbreviations_of(self, documents: Documents | Sequence[str]) -> "Tokenizer":
        """Return this tokenizer with the abbreviations that occur in documents.

        Parameters
        ----------
        documents : Documents or sequence of str
        """
        if self.level == "char" or self.tokenized:
            return self
        return replace(self, abbreviations=sample_abbreviations(documents))

    def split(self, text: str) -> list[str]:
        """Split a text, usually one line, into sentences.

        Parameters
        ----------
        text : str

        Returns
        -------
        list of str
            At least one: a blank text is one sentence without tokens.

        Examples
        --------
        >>> Tokenizer().split("Stop! Who goes there?")
        ['Stop!', 'Who goes there?']
        """
        if not self.splits_sentences:
            return [text]
        splitter = _splitter(self.abbreviations)
        if "\n" not in text and len(text) <= LONGEST_SENTENCE:
            return splitter.split(text) or [text]
        return [sentence for _, sentence in split_sentences([text], splitter)] or [text]

    def sentences(self, documents: Documents | Sequence[str]) -> list[str]:
        """Split documents into sentences: see `iterate_sentences`."""
        return list(self.iterate_sentences(documents))

    def iterate_sentences(
        self, documents: Documents | Sequence[str], *, progress: Callable[[int, int], object] | None = None
    ) -> Iterator[str]:
        """Yield the sentences of documents one by one.

        If the text is tokenized, consists of lines, or is at character level, each line is a sentence. At character
        level a line keeps its whitespace. A sentence of words is cut at a space if it is longer than 100,000
        characters.

        Parameters
        ----------
        documents : Documents or sequence of str
        progress : callable, optional
            Called as ``progress(done, total)``, in characters: with 0 at the start, about a hundred times in between,
            and with the total at the end.

        Yields
        ------
        str
            Not empty.
        """
        if self.splits_sentences:
            found = split_sentences(documents, _splitter(self.abbreviations))
        elif self.level == "char":
            found = split_lines(documents, "")
        else:
            found = split_short_lines(documents, ASCII_WHITESPACE if self.tokenized else None)
        return with_progress(found, documents, progress)

    def tokenize(self, sentence: str) -> list[str]:
        """Split a sentence into tokens.

        A curly apostrophe inside a word counts as a straight one: "don’t" and "don't" give the same tokens.

        Parameters
        ----------
        sentence : str

        Returns
        -------
        list of str
        """
        return _cached_tokenize(self)(sentence)

    def token_mapper(self, function: Callable[[str], T]) -> Callable[[str], list[T]]:
        """Make a function that tokenizes a sentence and applies `function` to each token.

        It is faster than `tokenize` for many sentences, as it remembers the results for repeated words.

        Parameters
        ----------
        function : callable
            Takes a token. It must always return the same for the same token.

        Returns
        -------
        callable
            Takes a sentence; returns the list of ``function(token)`` for its tokens.

        Examples
        --------
        >>> Tokenizer().token_mapper(len)("Goodbye, moon")
        [7, 1, 4]
        """
        if self.level == "char":
            return lambda sentence: list(map(function, sentence))
        if self.tokenized:
            return lambda sentence: list(map(function, _TOKENS.findall(sentence)))
        splitter = None if self.abbreviations is None else _splitter(self.abbreviations)
        words = WordTokenizer((lambda token: function(token.lower())) if self.lowercase else function, splitter)

        def map_tokens(sentence: str) -> list[T]:
            if "’" in sentence:
                sentence = _CURLY_APOSTROPHE.sub("'", sentence)
            if splitter is not None and splitter.may_split(sentence):
                # A full stop is a token of its own wherever a sentence ends: "came. She" holds the word "came".
                sentences = splitter.split(sentence)
            else:
                sentences = [sentence]
            return [
                mapped
                for sentence in sentences
                for piece in (
                    [sentence] if len(sentence) <= LONGEST_SENTENCE else cut_at_spaces([sentence], LONGEST_SENTENCE)
                )
                for mapped in words.tokenize(piece)
            ]

        return map_tokens

    def detokenize(self, tokens: Iterable[str]) -> str:
        """Write tokens as readable text.

        Parameters
        ----------
        tokens : iterable of str

        Examples
        --------
        >>> Tokenizer().detokenize(["he", "said", "``", "no", "''", "."])
        'he said "no".'
        """
        if self.level == "char":
            return "".join(tokens)
        return _detokenize.detokenize(list(tokens), self.tokenized)

    def written_tokens(self, tokens: Sequence[str]) -> tuple[list[str], int]:
        """Return what each token adds to the text that `detokenize` writes, and how many of them are final.

        Parameters
        ----------
        tokens : sequence of str

        Returns
        -------
        written : list of str
            One for each token.
        settled : int
            How many of the first tokens are written like this whatever follows the last token: see
            `theano_rnn.text.detokenize.written_tokens`.
        """
        if self.level == "char":
            return list(tokens), len(tokens)
        return _detokenize.written_tokens(tokens, self.tokenized)

    def words_added(self, token: str) -> int:
        """Return how many whitespace-separated words a token adds to the text that `detokenize` writes.

        Parameters
        ----------
        token : str

        Returns
        -------
        int
            1 for a word, 0 for a punctuation mark or a part of a word, -1 for a mark that makes one word of two
            (``@-@`` in tokenized text), and 1 for any character at character level. The sum over the tokens of a
            sentence is ``len(text.split())`` of its text, with the exceptions that
            `theano_rnn.text.detokenize.detokenize` lists.
        """
        return 1 if self.level == "char" else _detokenize.words_added(token, self.tokenized)

    def starts_word(self, token: str) -> bool:
        """Tell whether a token starts a new whitespace-separated word: see `words_added`."""
        return self.words_added(token) > 0

    def to_configuration(self) -> dict[str, Any]:
        """Return the settings as a dict that JSON can hold and `from_configuration` reads."""
        configuration = asdict(self)
        if self.abbreviations is not None:
            configuration["abbreviations"] = [*self.abbreviations]
        if self.separator == self._usual_separator:
            del configuration["separator"]  # so that earlier versions can read the model
        return configuration

    @classmethod
    def from_configuration(cls, configuration: dict[str, Any]) -> "Tokenizer":
        """Make the tokenizer that `to_configuration` described.

        Raises
        ------
        ArgumentValueError
            If a key is unknown or missing, or its value is invalid; the message names the key.
        """
        if not isinstance(configuration, dict):
            raise ArgumentValueError(f"expected the tokenizer's settings as a dict, got {type(configuration).__name__}")
        expected = {field.name for field in fields(cls)}
        configuration = {**_DEFAULTS_OF_OLDER_MODELS, **configuration}
        for problem, keys in (
            ("unknown", configuration.keys() - expected),
            ("missing", expected - configuration.keys()),
        ):
            if keys:
                names = ", ".join(sorted(map(str, keys)))
                raise ArgumentValueError(f"{problem} key in the tokenizer's settings: {names}")
        return cls(**configuration)


# The values of settings that are missing in models from before these settings existed.
_DEFAULTS_OF_OLDER_MODELS: dict[str, Any] = {"lines": False, "abbreviations": None, "separator": None}


@functools.lru_cache(maxsize=8)
def _splitter(abbreviations: tuple[str, ...] | None) -> SentenceSplitter:
    return SentenceSplitter(abbreviations or ())


@functools.lru_cache(maxsize=8)
def _cached_tokenize(tokenizer: Tokenizer) -> Callable[[str], list[str]]:
    return tokenizer.token_mapper(str)


# In version 0.1 `theano_rnn.text` was a module, where pickles look for this class. `_MOVED` in `theano_rnn/__init__.py`
# cannot redirect them, because this package has the module's name.
vars(sys.modules["theano_rnn.text"])["Tokenizer"] = Tokenizer
