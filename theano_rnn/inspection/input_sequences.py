"""What a language model reads when it is given a text: sequences of word ids, each starting from s_{-1} = 0."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from theano_rnn.checks import check_count
from theano_rnn.language_models.language_model import LanguageModel


@dataclass(frozen=True)
class InputSequence:
    """One sequence that the network reads.

    Attributes
    ----------
    text : str or None
        The text of the tokens; None if the sequence is not one whole sentence or line.
    tokens : list of str
        At character level, ``"\\n"`` ends each line.
    ids : int32 array of shape (1 + number of tokens,)
        The start token, then the tokens: s_{i+1} is the state after reading ``tokens[i]``.
    """

    text: str | None
    tokens: list[str]
    ids: npt.NDArray[np.int32]


def read_input_sequences(lm: LanguageModel, lines: Iterable[str], max_tokens: int) -> tuple[list[InputSequence], bool]:
    """Turn lines of text into the sequences that a language model reads.

    At word level, each sentence of a line is a sequence of its own, as in scoring. At character level, all lines form
    one sequence, so that the state is carried over from line to line.

    Parameters
    ----------
    lm : LanguageModel
    lines : iterable of str
        Lines without their line ends. Only as many are consumed as needed.
    max_tokens : int
        Tokens after this many are left out.

    Returns
    -------
    sequences : list of InputSequence
        Sentences without tokens are left out.
    is_complete : bool
        Whether no token was left out.

    Raises
    ------
    ArgumentValueError
        If `max_tokens` is below 1.
    """
    left = check_count("max_tokens", max_tokens)
    tokenize = _characters if lm.tokenizer.level == "char" else lm.tokenize
    found: list[tuple[str | None, list[str]]] = []
    is_complete = True
    for sentence in itertools.chain.from_iterable(_sentences(lm, line) for line in lines):
        if not left:
            is_complete = False
            break
        tokens = tokenize(sentence)
        is_complete = len(tokens) <= left
        if tokens:
            found.append((sentence if is_complete else None, tokens[:left]))
        if not is_complete:
            break
        left -= len(tokens)
    if lm.tokenizer.level == "char":
        characters = [token for _, tokens in found for token in tokens]
        found = [(None, characters)] if set(characters) - {"\n"} else []
    start = np.array([lm.start], np.int32)
    sequences = [
        InputSequence(text, tokens, np.concatenate([start, lm.vocabulary.encode(tokens)])) for text, tokens in found
    ]
    return sequences, is_complete


def _sentences(lm: LanguageModel, line: str) -> list[str]:
    """The sentences of a line; a line of one sentence exactly as it is written."""
    sentences = lm.split(line)
    return [line] if len(sentences) == 1 else sentences


def _characters(line: str) -> list[str]:
    return [*line, "\n"]


def visible_tokens(tokens: Iterable[str]) -> str:
    """Join tokens with spaces, and show whitespace and control characters as quoted escapes.

    Parameters
    ----------
    tokens : iterable of str

    Returns
    -------
    str

    Examples
    --------
    >>> print(visible_tokens(["the", "é", " ", "\\n"]))
    the é ' ' '\\n'
    """
    return " ".join(one if one and one.isprintable() and not one.isspace() else ascii(one) for one in tokens)
