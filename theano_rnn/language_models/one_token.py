"""Whether a string is one token, as a decoder hands them over one by one. Knows how text is cut, not the vocabulary."""

import functools
import itertools

from theano_rnn.errors import ArgumentValueError
from theano_rnn.text.tokenizer import Tokenizer

# What may stand around a word: a full stop, for example, is cut off at the end of a sentence only. The last ones before
# it are marks and contractions whose second part, cut off, would be cut again alone: ",a" of ",,a", or "'ye" of "d'ye".
_NEIGHBOURS = tuple(itertools.product(("", "x ", ", ", ",", ":", "d"), ("", " x")))


@functools.lru_cache(maxsize=65_536)
def one_token(tokenizer: Tokenizer, word: str) -> str:
    """The token that `word` is.

    Parameters
    ----------
    tokenizer : Tokenizer
    word : str
        Something that `tokenizer` gives as one token in some text, as it is written there: "The" is "the" if words
        are lower-cased.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If it is none, or several; the message names them.
    """
    tokens = tokenizer.tokenize(word)
    is_plain_text = tokenizer.level == "word" and not tokenizer.tokenized
    if is_plain_text and word and not any(map(str.isspace, word)):
        found = [_between(tokenizer, word, *neighbours) for neighbours in _NEIGHBOURS]
        single = [cut for cut in found if len(cut) == 1]
        if single:
            written = word.lower() if tokenizer.lowercase else word
            return written if [written] in single else single[0][0]
    elif tokens == [word]:
        return word
    kind = "character" if tokenizer.level == "char" else "word"
    message = f"word: expected one {kind} or SENTENCE_END, got {_shortened(word)}"
    if len(tokens) == 1:
        message += f"; leave out the whitespace around {_shortened(tokens[0])}"
    elif tokens:
        message += f", which is {len(tokens)} tokens ({_shown(tokens)}); advance by one after the other"
    raise ArgumentValueError(message)


def _between(tokenizer, word, before, after):
    """What becomes of a word between neighbours: its tokens; none where they are not told from a neighbour's."""
    tokens = tokenizer.tokenize(before + word + after)
    for neighbour, place in ((before.strip(), 0), (after.strip(), -1)):
        if neighbour:
            if not tokens or tokens[place] != neighbour:
                return []
            del tokens[place]
    return tokens


def _shown(tokens, most=5):
    shown = ", ".join(map(_shortened, tokens[:most]))
    return f"{shown}, …" if len(tokens) > most else shown


def _shortened(text, longest=60):
    return repr(text) if len(text) <= longest else f"{text[:longest]!r}…"
