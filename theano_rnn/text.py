"""How text becomes tokens and tokens text again, at the level of words or of characters."""

import functools
import re
from dataclasses import asdict, dataclass, fields

from theano_rnn import detokenize as _detokenize
from theano_rnn.documents import count_characters, parts
from theano_rnn.errors import OptionError
from theano_rnn.sentence_splitter import LONGEST_PIECE, pieces, split_sentences
from theano_rnn.word_tokenizer import WordTokenizer

LEVELS = ("word", "char")

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
        The text is one sentence a line, its tokens divided by blanks, and is left as it is, capitals too.

    Raises
    ------
    OptionError
        For a value that is none of these, and for characters of a tokenized text.
    """

    level: str = "word"
    lowercase: bool = True
    tokenized: bool = False

    def __post_init__(self):
        if self.level not in LEVELS:
            raise OptionError(f"level is {self.level!r}; expected 'word' or 'char'")
        for name in ("lowercase", "tokenized"):
            if not isinstance(getattr(self, name), bool):
                raise OptionError(f"{name} is {getattr(self, name)!r}; expected True or False")
        if self.level == "char" and self.tokenized:
            raise OptionError("tokenized text has words as its tokens; use level 'word' for it, or tokenized=False")

    def sentences(self, documents):
        """Cut documents into sentences: by Punkt, or a line each if tokenized or at character level.

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
        if self.level == "word" and not self.tokenized:
            found = split_sentences(documents)
        else:
            found = _lines(documents, stripped=self.level == "word")
            if self.tokenized:
                cut = ((end, piece.strip()) for end, line in found for piece in pieces([line], LONGEST_PIECE))
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
            return lambda sentence: list(map(convert, sentence.split()))
        words = WordTokenizer((lambda token: convert(token.lower())) if self.lowercase else convert)

        def tokens(sentence):
            if "’" in sentence:
                sentence = _CURLY_APOSTROPHE.sub("'", sentence)
            if len(sentence) <= LONGEST_PIECE:
                return words.tokenize(sentence)
            return [token for piece in pieces([sentence], LONGEST_PIECE) for token in words.tokenize(piece)]

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
            See `theano_rnn.detokenize.written_tokens`.
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
            exceptions that `theano_rnn.detokenize.detokenize` names. Characters always count 1.
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
        return asdict(self)

    @classmethod
    def from_configuration(cls, configuration):
        """Make the tokenizer that `to_configuration` described.

        Raises
        ------
        ValueError
            If a key is unknown or missing, or its value is of the wrong kind; the message names the key.
        """
        if not isinstance(configuration, dict):
            raise ValueError(f"expected the tokenizer's settings as a dict, got {type(configuration).__name__}")
        expected = {field.name for field in fields(cls)}
        for problem, keys in (
            ("unknown", configuration.keys() - expected),
            ("missing", expected - configuration.keys()),
        ):
            if keys:
                raise ValueError(f"{problem} key in the tokenizer's settings: {', '.join(sorted(map(str, keys)))}")
        return cls(**configuration)


@functools.lru_cache(maxsize=8)
def _remembering_tokenizer(tokenizer):
    return tokenizer.converting(str)


def _lines(documents, stripped):
    """Yield (characters up to its end in all documents together, line) of each line that is not empty."""
    passed = 0
    for document in documents:
        begun = []  # a line's text in the parts before
        for part in parts(document):
            *whole, last = part.split("\n")
            for text in whole:
                passed += len(text)
                if begun:
                    text, begun = "".join([*begun, text]), []
                line = text.strip() if stripped else text
                if line:
                    yield passed, line
                passed += 1
            if last:
                begun.append(last)
                passed += len(last)
        line = "".join(begun)
        line = line.strip() if stripped else line
        if line:
            yield passed, line
