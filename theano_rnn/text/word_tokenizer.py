"""From sentences to tokens: NLTK's word tokenizer, called once for each distinct segment of text.

NLTK applies some thirty regular expressions to a sentence, which would take most of the time of encoding a text. Nearly
all of them look at neighboring non-blank characters, or put spaces around what they find. So the tokens of a segment,
that is, of the characters between two spaces, do not depend on the rest of the sentence. The exceptions:

- A double quote at the very start of the sentence, and two single ones after a space, are opening quotes. So a first
  segment that begins with a quote is looked up separately.
- A full stop (before closing quotes and brackets or not), a comma and a colon are special at the end of the sentence.
  So if the last segment ends with one of these marks, it is looked up separately, together with those before it as long
  as they consist of closing marks only.
- Some rules consume the space after a segment. All that the next segment could do with this space is to add another
  one, and the number of spaces makes no difference.
- Sentences with whitespace other than single spaces between segments are passed to NLTK as they are.

NLTK detaches the full stop only of the last word in a sentence: "etc." is one token inside a sentence and two at its
end, "came." is two at the end and one before a closing bracket. With a splitter, which knows the abbreviations, the
tokenizer treats a word in the same way everywhere: abbreviations keep their full stop, and after other words it is a
token of its own.
"""

import functools
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Generic, TypeVar

from theano_rnn.text.sentence_splitter import SentenceSplitter

if TYPE_CHECKING:
    from nltk.tokenize import NLTKWordTokenizer

T = TypeVar("T")

_QUOTES = ('"', "'")
_CLOSING_MARKS = "])}>\"'»”’"
_END_MARKS = (".", ",", ":", *_CLOSING_MARKS)

# Words without a mark inside. NLTK's only rule for them is its list of contractions (cannot, gonna).
_PLAIN = re.compile(r"(\w+(?:-\w+)*)([.,:;?!]?)")

_STOPPED = re.compile(rf"[^\w\s.]*([^\W\d][\w'’]+(?:-[\w'’]+)*)\.[{re.escape(''.join(_CLOSING_MARKS))}]*")

# NLTK's contractions of plain letters and digits. They are repeated here because importing NLTK takes a second, which
# would be wasted if only one short sentence is scored.
_CONTRACTIONS = {"cannot", "gimme", "gonna", "gotta", "lemme", "wanna"}

# Limits of a cache, for texts that repeat few of their words: some tens of MB.
_MOST_TOKENS = 100_000
_LONGEST_CACHED = 64


@functools.cache
def _nltk_tokenizer() -> "NLTKWordTokenizer":
    from nltk.tokenize import NLTKWordTokenizer  # slow to import

    return NLTKWordTokenizer()


class WordTokenizer(Generic[T]):
    """Gives ``[function(token) for token in NLTKWordTokenizer().tokenize(sentence)]``, but faster.

    Parameters
    ----------
    function : callable
        Takes a token. It must always return the same for the same token, and is called once for many occurrences.
    splitter : SentenceSplitter, optional
        Knows which words are abbreviations. Without it the tokens are exactly NLTK's.

    Examples
    --------
    >>> WordTokenizer(str).tokenize("They can't come, alas.")
    ['They', 'ca', "n't", 'come', ',', 'alas', '.']
    """

    def __init__(self, function: Callable[[str], T], splitter: SentenceSplitter | None = None) -> None:
        self._function = function
        self._splitter = splitter
        # NLTK sees a segment between the neighbors that it has in the sentence.
        self._only, self._first, self._inner, self._last = (
            _SegmentCache(self, before, after) for before, after in (("", ""), ("", " x"), ("x ", " x"), ("x ", ""))
        )

    def tokenize(self, sentence: str) -> list[T]:
        """Split a sentence into tokens, and apply the function to each."""
        if not sentence:
            return []
        inner = sentence.split(" ")
        first: tuple[T, ...] = ()
        last: tuple[T, ...] = ()
        try:
            if sentence.endswith(_END_MARKS):
                end = len(inner) - 1
                while end and not inner[end].strip(_CLOSING_MARKS):
                    end -= 1
                segment = " ".join(inner[end:])
                last = self._last[segment] if end else self._only[segment]
                del inner[end:]
            if inner and inner[0].startswith(_QUOTES):
                first = self._first[inner[0]]
                del inner[0]
            return [*first, *chain.from_iterable(map(self._inner.__getitem__, inner)), *last]
        except _OtherWhitespace:
            if self._splitter:
                return self.tokenize(" ".join(sentence.split()))
            return list(map(self._function, _nltk_tokenizer().tokenize(sentence)))

    def map_segment(self, segment: str, before: str, after: str) -> tuple[T, ...]:
        """Split a segment between these neighbors into tokens, and apply the function to each."""
        if self._splitter and after and self._is_stopped(segment, self._splitter):
            after = ""
        tokens = _plain_tokens(segment, after) or _nltk_tokens(segment, before, after)
        if self._splitter and "." in segment:
            tokens = list(_with_even_full_stops(tokens, self._splitter.is_abbreviation))
        return tuple(map(self._function, tokens))

    def _is_stopped(self, segment: str, splitter: SentenceSplitter) -> bool:
        """Tell whether a segment is an ordinary word with a full stop, and perhaps closing marks, after it."""
        match = _STOPPED.fullmatch(segment)
        return match is not None and not splitter.may_be_abbreviation(match.group(1))


class _SegmentCache(dict[str, tuple[T, ...]]):
    """The results for each segment that was looked up between the same neighbors."""

    def __init__(self, tokenizer: WordTokenizer[T], before: str, after: str) -> None:
        self._tokenizer = tokenizer
        self._neighbors = before, after
        self._tokens = 0

    def __missing__(self, segment: str) -> tuple[T, ...]:
        if not segment or " ".join(segment.split()) != segment:
            raise _OtherWhitespace
        found = self._tokenizer.map_segment(segment, *self._neighbors)
        if len(segment) <= _LONGEST_CACHED:
            self._tokens += len(found)
            if self._tokens > _MOST_TOKENS:
                self.clear()
                self._tokens = len(found)
            self[segment] = found
        return found


class _OtherWhitespace(Exception):
    """A sentence has whitespace other than single spaces."""


def _plain_tokens(segment: str, after: str) -> list[str] | None:
    """Return what NLTK makes of an ordinary word with or without a mark after it, or None for other segments."""
    match = _PLAIN.fullmatch(segment)
    if not match:
        return None
    word, mark = match.groups()
    if _may_be_contraction(word):
        return None
    if mark == "." and after:  # a full stop inside the sentence
        return [segment]
    return [word, mark] if mark else [word]


def _with_even_full_stops(tokens: list[str], is_abbreviation: Callable[[str], bool]) -> Iterator[str]:
    """Attach the full stops of abbreviations, and detach those of other words that are not last."""
    last = len(tokens) - 1
    for i, token in enumerate(tokens):
        if token == "." and i and is_abbreviation(tokens[i - 1]):
            continue  # attached already
        if i < last and _STOPPED.fullmatch(token) and not is_abbreviation(token[:-1]):
            yield from _nltk_tokens(token[:-1], "x ", " x")  # can't, before the ellipsis of "can't...."
            yield "."
        elif i < last and tokens[i + 1] == "." and is_abbreviation(token):
            yield token + "."
        else:
            yield token


def _may_be_contraction(word: str) -> bool:
    """Tell whether a word holds one of NLTK's contractions. Its rules ignore case, also of non-ASCII letters."""
    if word.isascii() and "-" not in word:
        return word.lower() in _CONTRACTIONS
    nltk = _nltk_tokenizer()
    rules: Iterable[re.Pattern[str]] = chain(nltk.CONTRACTIONS2, nltk.CONTRACTIONS3)
    return any(rule.search(f" {word} ") for rule in rules)


def _nltk_tokens(segment: str, before: str, after: str) -> list[str]:
    tokens = _nltk_tokenizer().tokenize(before + segment + after)
    return tokens[bool(before) : len(tokens) - bool(after)]
