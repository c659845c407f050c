"""NLTK's word tokenizer, asked once for each distinct piece of text between blanks instead of for every sentence.

NLTK runs some thirty regular expressions over a sentence, and they take most of the time of encoding a text. Nearly all
of them look at neighbouring characters that are not blanks, or put blanks around what they find, so what becomes of the
characters between two blanks does not depend on the rest of the sentence. The exceptions:

- A double quote at the very start of the sentence, and two single ones after a blank, are opening quotes. So a first
  piece that begins with a quote is looked up apart from the others.
- A full stop, before closing quotes and brackets or not, a comma and a colon are special at the end of the sentence.
  So if it ends in one of these marks, the last piece, and with it those before it as long as they are closing marks
  only, is looked up apart.
- Some rules take in the blank after a piece. What the next piece could still do with that blank is to get another
  one, and the number of blanks makes no difference.
- White space other than single blanks between pieces: such a sentence goes to NLTK as it is.

NLTK detaches the full stop of a sentence's last word only: "etc." is one token inside a sentence and two at its end,
"came." two at the end and one before a closing bracket. Given a splitter, which knows the abbreviations, the tokenizer
treats a word alike wherever it stands: abbreviations keep their full stop; for other words it is a separate token.
"""

import functools
import re
from itertools import chain

_QUOTES = ('"', "'")
_CLOSING_MARKS = "])}>\"'»”’"
_MARKS_OF_THE_END = (".", ",", ":", *_CLOSING_MARKS)

# Words without a mark inside, for which NLTK has no rule but its list of contractions (cannot, gonna).
_PLAIN = re.compile(r"(\w+(?:-\w+)*)([.,:;?!]?)")

_STOPPED = re.compile(rf"[^\w\s.]*([^\W\d][\w'’]+(?:-[\w'’]+)*)\.[{re.escape(''.join(_CLOSING_MARKS))}]*")

# What NLTK's contractions are of words in plain letters and digits. Importing NLTK takes a second, which those who have
# one short sentence scored would wait for in vain.
_CUT_WORDS = {"cannot", "gimme", "gonna", "gotta", "lemme", "wanna"}

# A text need not repeat its words: what is remembered stays within some tens of MB.
_MOST_TOKENS = 100_000
_LONGEST_REMEMBERED = 64


@functools.cache
def _nltk_tokenizer():
    from nltk.tokenize import NLTKWordTokenizer  # slow to import

    return NLTKWordTokenizer()


class WordTokenizer:
    """Gives ``[convert(token) for token in NLTKWordTokenizer().tokenize(sentence)]``, sooner.

    Parameters
    ----------
    convert : callable, optional
        Given a token, always gives the same; called once for many occurrences.
    splitter : SentenceSplitter, optional
        Knows which words are abbreviations. Without it the tokens are exactly NLTK's.
    """

    def __init__(self, convert=str, splitter=None):
        self._convert = convert
        self._splitter = splitter
        # A piece is shown to NLTK with a neighbour where it has one.
        self._only, self._first, self._inner, self._last = (
            _Remembered(self, before, after) for before, after in (("", ""), ("", " x"), ("x ", " x"), ("x ", ""))
        )

    def tokenize(self, sentence):
        """Cut a sentence into tokens, each converted.

        Parameters
        ----------
        sentence : str

        Returns
        -------
        list
        """
        if not sentence:
            return []
        inner = sentence.split(" ")
        first = last = ()
        try:
            if sentence.endswith(_MARKS_OF_THE_END):
                end = len(inner) - 1
                while end and not inner[end].strip(_CLOSING_MARKS):
                    end -= 1
                piece = " ".join(inner[end:])
                last = self._last[piece] if end else self._only[piece]
                del inner[end:]
            if inner and inner[0].startswith(_QUOTES):
                first = self._first[inner[0]]
                del inner[0]
            return [*first, *chain.from_iterable(map(self._inner.__getitem__, inner)), *last]
        except _OtherWhiteSpace:
            if self._splitter:
                return self.tokenize(" ".join(sentence.split()))
            return list(map(self._convert, _nltk_tokenizer().tokenize(sentence)))

    def convert_piece(self, piece, before, after):
        """The converted tokens of a piece between these neighbours."""
        if self._splitter and after and self._is_stopped(piece):
            after = ""
        tokens = _plain_tokens(piece, after) or _asked_tokens(piece, before, after)
        if self._splitter and "." in piece:
            tokens = list(_with_even_full_stops(tokens, self._splitter.is_abbreviation))
        return tuple(map(self._convert, tokens))

    def _is_stopped(self, piece):
        """Whether a piece is an ordinary word with a full stop, and perhaps closing marks, after it."""
        match = _STOPPED.fullmatch(piece)
        return match and not self._splitter.may_be_abbreviation(match.group(1))


class _Remembered(dict):
    """The converted tokens of each piece of text that was looked up, as long as there are not too many."""

    def __init__(self, tokenizer, before, after):
        self._tokenizer = tokenizer
        self._neighbours = before, after
        self._tokens = 0

    def __missing__(self, piece):
        if not piece or " ".join(piece.split()) != piece:
            raise _OtherWhiteSpace
        found = self._tokenizer.convert_piece(piece, *self._neighbours)
        if len(piece) <= _LONGEST_REMEMBERED:
            self._tokens += len(found)
            if self._tokens > _MOST_TOKENS:
                self.clear()
                self._tokens = len(found)
            self[piece] = found
        return found


class _OtherWhiteSpace(Exception):
    """A sentence is divided by something else than single blanks."""


def _plain_tokens(piece, after):
    """What NLTK makes of an ordinary word with or without a mark after it, or None if it is no such thing."""
    match = _PLAIN.fullmatch(piece)
    if not match:
        return None
    word, mark = match.groups()
    if _may_be_cut(word):
        return None
    if mark == "." and after:  # a full stop that does not end the sentence
        return [piece]
    return [word, mark] if mark else [word]


def _with_even_full_stops(tokens, is_abbreviation):
    """Attach the full stops of abbreviations, and detach those of other words that something follows."""
    last = len(tokens) - 1
    for i, token in enumerate(tokens):
        if token == "." and i and is_abbreviation(tokens[i - 1]):
            continue  # attached already
        if i < last and _STOPPED.fullmatch(token) and not is_abbreviation(token[:-1]):
            yield from _asked_tokens(token[:-1], "x ", " x")  # can't, before the ellipsis of "can't...."
            yield "."
        elif i < last and tokens[i + 1] == "." and is_abbreviation(token):
            yield token + "."
        else:
            yield token


def _may_be_cut(word):
    """Whether one of NLTK's contractions is in a word. Its rules ignore case, also of letters that are not ASCII."""
    if word.isascii() and "-" not in word:
        return word.lower() in _CUT_WORDS
    nltk = _nltk_tokenizer()
    return any(rule.search(f" {word} ") for rule in chain(nltk.CONTRACTIONS2, nltk.CONTRACTIONS3))


def _asked_tokens(piece, before, after):
    tokens = _nltk_tokenizer().tokenize(before + piece + after)
    return tokens[bool(before) : len(tokens) - bool(after)]
