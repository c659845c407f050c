"""How text becomes tokens and tokens text again, at the level of words or of characters."""

import functools
import re
import sys
from dataclasses import asdict, dataclass, fields, replace

from theano_rnn.errors import ArgumentValueError, OptionError
from theano_rnn.text import detokenize as _detokenize
from theano_rnn.text.documents import count_characters, parts
from theano_rnn.text.sentence_splitter import (
    LONGEST_PIECE,
    SentenceSplitter,
    learned_abbreviations,
    pieces,
    split_sentences,
)
from theano_rnn.text.word_tokenizer import WordTokenizer

LEVELS = ("word", "char")

# The characters at which KenLM, SRILM and Moses split: a no-break space is part of a token.
ASCII_WHITESPACE = " \t\n\r\f\v"
_TOKENS = re.compile(f"[^{ASCII_WHITESPACE}]+")
_CURLY_APOSTROPHE = re.compile(r"(?<=\w)’(?=\w)")
_CALLS_OF_PROGRESS = 100


@dataclass(frozen=True)
class Tokenizer:
    """How text becomes tokens, and tokens text again.

    Parameters
    ----------
    level : {"word", "char"}
        Words by NLTK's word tokenizer, or the text as it is, every character a token.
    lowercase : bool
        Whether words are lower-cased. Characters never are.
    tokenized : bool
        The text is one sentence a line, its tokens divided by ASCII whitespace, and is left as it is, capitals too.
    lines : bool
        Each line is one item, with no sentence boundary inside. `tokenized` implies it.
    abbreviations : tuple of str, or None
        What the training text showed to be abbreviations, beyond those that `theano_rnn.text.abbreviations` knows: in
        lower case, without the final full stop. None: of a model older than this setting, which detaches full stops
        exactly as NLTK does.

    Raises
    ------
    OptionError
        For a value that is none of these, and for characters of a tokenized text.
    """

    level: str = "word"
    lowercase: bool = True
    tokenized: bool = False
    lines: bool = False
    abbreviations: tuple[str, ...] | None = ()

    def __post_init__(self):
        if self.level not in LEVELS:
            raise OptionError(f"level: expected 'word' or 'char', got {self.level!r}")
        for name in ("lowercase", "tokenized", "lines"):
            if not isinstance(getattr(self, name), bool):
                raise OptionError(f"{name}: expected True or False, got {getattr(self, name)!r}")
        if self.level == "char" and self.tokenized:
            raise OptionError("tokenized: needs words as tokens; use `level=word`, or leave `tokenized` out")
        if self.level == "char" and self.lines:
            raise OptionError("lines: at level 'char' each line is one item anyway; leave `lines` out")
        if self.tokenized:
            object.__setattr__(self, "lines", True)
        if self.abbreviations is not None:
            abbreviations = self.abbreviations
            if not isinstance(abbreviations, (tuple, list)) or not all(isinstance(one, str) for one in abbreviations):
                raise OptionError(f"abbreviations: expected a sequence of str, or None, got {abbreviations!r}")
            object.__setattr__(self, "abbreviations", tuple(abbreviations))

    @property
    def splits_sentences(self):
        """Whether a line may hold several sentences."""
        return self.level == "word" and not self.lines

    def fitted(self, documents):
        """This tokenizer with the abbreviations that documents show.

        Parameters
        ----------
        documents : Documents or sequence of str

        Returns
        -------
        Tokenizer
        """
        if self.level == "char" or self.tokenized:
            return self
        return replace(self, abbreviations=learned_abbreviations(documents))

    def split(self, text):
        """Cut one text, a line mostly, into the sentences that it is read as.

        Parameters
        ----------
        text : str

        Returns
        -------
        list of str
            At least one: a blank text is one sentence without tokens.
        """
        if not self.splits_sentences:
            return [text]
        splitter = _splitter(self.abbreviations)
        if "\n" not in text and len(text) <= LONGEST_PIECE:
            return splitter.split(text) or [text]
        return [sentence for _, sentence in split_sentences([text], splitter)] or [text]

    def sentences(self, documents):
        """Cut documents into sentences; if tokenized, of lines or at character level, a line is a sentence.

        Parameters
        ----------
        documents : Documents or sequence of str

        Returns
        -------
        list of str
            None of them empty. At character level a line keeps its white space; a line of words that is longer than
            100,000 characters is cut where there is a blank.
        """
        return list(self.iterate_sentences(documents))

    def iterate_sentences(self, documents, *, progress=None):
        """Give the sentences of `sentences` one by one, for texts so large that there should be no list of them.

        Parameters
        ----------
        documents : Documents or sequence of str
        progress : callable, optional
            Called as ``progress(done, total)``, in characters: with 0 at once, then about a hundred times, the last
            time with the total.

        Yields
        ------
        str
        """
        if self.splits_sentences:
            found = split_sentences(documents, _splitter(self.abbreviations))
        elif self.level == "char":
            found = _lines(documents, "")
        else:
            whitespace = ASCII_WHITESPACE if self.tokenized else None
            found = _lines(documents, whitespace)
            cut = ((end, piece.strip(whitespace)) for end, line in found for piece in pieces([line], LONGEST_PIECE))
            found = ((end, piece) for end, piece in cut if piece)
        if progress is None:
            yield from (sentence for _, sentence in found)
            return
        total = count_characters(documents)
        reported = 0
        progress(0, total)
        for end, sentence in found:
            yield sentence
            if total > end >= reported + total / _CALLS_OF_PROGRESS:
                reported = end
                progress(end, total)
        progress(total, total)

    def tokenize(self, sentence):
        """Cut one sentence into tokens.

        A curly apostrophe inside a word counts as a straight one, so that "don’t" and "don't" are the same tokens.

        Parameters
        ----------
        sentence : str

        Returns
        -------
        list of str
        """
        return _remembering_tokenizer(self)(sentence)

    def converting(self, convert):
        """A function like `tokenize` whose tokens are converted, fast for a great many sentences.

        Parameters
        ----------
        convert : callable
            Given a token, always gives the same; may be called once for many occurrences of a word.

        Returns
        -------
        callable
            Given a sentence, returns the list of ``convert(token)`` of its tokens.
        """
        if self.level == "char":
            return lambda sentence: list(map(convert, sentence))
        if self.tokenized:
            return lambda sentence: list(map(convert, _TOKENS.findall(sentence)))
        splitter = None if self.abbreviations is None else _splitter(self.abbreviations)
        words = WordTokenizer((lambda token: convert(token.lower())) if self.lowercase else convert, splitter)

        def tokens(sentence):
            if "’" in sentence:
                sentence = _CURLY_APOSTROPHE.sub("'", sentence)
            if splitter is not None and splitter.may_split(sentence):
                # A full stop is a token of its own wherever a sentence ends: "came. She" holds the word "came".
                parts = splitter.split(sentence)
            else:
                parts = [sentence]
            return [
                token
                for part in parts
                for piece in ([part] if len(part) <= LONGEST_PIECE else pieces([part], LONGEST_PIECE))
                for token in words.tokenize(piece)
            ]

        return tokens

    def detokenize(self, tokens):
        """Write tokens as readable text: ``he said `` no '' .`` becomes ``he said "no".``

        Parameters
        ----------
        tokens : iterable of str

        Returns
        -------
        str
        """
        if self.level == "char":
            return "".join(tokens)
        return _detokenize.detokenize(tokens, self.tokenized)

    def written_tokens(self, tokens):
        """What each token adds to what `detokenize` writes, and how many of the first of them stay whatever follows.

        Parameters
        ----------
        tokens : sequence of str

        Returns
        -------
        (list of str, int)
            See `theano_rnn.text.detokenize.written_tokens`.
        """
        if self.level == "char":
            return list(tokens), len(tokens)
        return _detokenize.written_tokens(tokens, self.tokenized)

    def words_added(self, token):
        """How many blank-separated words a token adds to what `detokenize` writes.

        Parameters
        ----------
        token : str

        Returns
        -------
        int
            1 for a word; 0 for a mark or a part of a word; -1 for a mark that makes one word of two (``@-@`` in
            tokenized text). The sum over a sentence's tokens is ``len(text.split())`` of its text, with the
            exceptions that `theano_rnn.text.detokenize.detokenize` names. Characters always count 1.
        """
        return 1 if self.level == "char" else _detokenize.words_added(token, self.tokenized)

    def starts_word(self, token):
        """Whether the written text gets one more blank-separated word with this token.

        As `words_added`, which also knows that the word after ``@-@`` is not one more.

        Parameters
        ----------
        token : str

        Returns
        -------
        bool
        """
        return self.words_added(token) > 0

    def to_configuration(self):
        """A plain dict that JSON can write and `from_configuration` reads."""
        configuration = asdict(self)
        if self.abbreviations is not None:
            configuration["abbreviations"] = [*self.abbreviations]
        return configuration

    @classmethod
    def from_configuration(cls, configuration):
        """Make the tokenizer that `to_configuration` described.

        Raises
        ------
        ValueError
            If a key is unknown or missing, or its value is of the wrong kind; the message names the key.
        """
        if not isinstance(configuration, dict):
            raise ArgumentValueError(f"expected the tokenizer's settings as a dict, got {type(configuration).__name__}")
        expected = {field.name for field in fields(cls)}
        configuration = {**_OF_OLDER_MODELS, **configuration}
        for problem, keys in (
            ("unknown", configuration.keys() - expected),
            ("missing", expected - configuration.keys()),
        ):
            if keys:
                raise ArgumentValueError(
                    f"{problem} key in the tokenizer's settings: {', '.join(sorted(map(str, keys)))}"
                )
        return cls(**configuration)


# Settings that models saved before they existed lack.
_OF_OLDER_MODELS = {"lines": False, "abbreviations": None}


@functools.lru_cache(maxsize=8)
def _splitter(abbreviations):
    return SentenceSplitter(abbreviations or ())


@functools.lru_cache(maxsize=8)
def _remembering_tokenizer(tokenizer):
    return tokenizer.converting(str)


def _lines(documents, stripped):
    """Yield (characters up to its end in all documents together, line) of each line that is not empty.

    The characters of `stripped` are taken off its ends; None: all whitespace.
    """
    passed = 0
    for document in documents:
        begun = []  # a line's text in the parts before
        for part in parts(document):
            *whole, last = part.split("\n")
            for text in whole:
                passed += len(text)
                if begun:
                    text, begun = "".join([*begun, text]), []
                line = text.strip(stripped)
                if line:
                    yield passed, line
                passed += 1
            if last:
                begun.append(last)
                passed += len(last)
        line = "".join(begun)
        line = line.strip(stripped)
        if line:
            yield passed, line


# Pickles of version 0.1 look for it there.
vars(sys.modules["theano_rnn.text"])["Tokenizer"] = Tokenizer
