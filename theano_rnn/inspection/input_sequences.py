"""Converts a text to the sequences of word ids that a language model reads, each starting from s_{-1} = 0."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from theano_rnn.checks import check_count
from theano_rnn.language_models.language_model import LanguageModel


@dataclass(frozen=True)
class InputSequence:
    """A sequence that the network reads.

    Attributes
    ----------
    text : str or None
        The text of the tokens; None if the sequence is not a complete sentence or line.
    tokens : list of str
        At character level, each line ends with ``"\\n"``.
    ids : int32 array of shape (1 + number of tokens,)
        The start token, followed by the tokens: s_{i+1} is the state after reading ``tokens[i]``.
    """

    text: str | None
    tokens: list[str]
    ids: npt.NDArray[np.int32]


def read_input_sequences(lm: LanguageModel, lines: Iterable[str], max_tokens: int) -> tuple[list[InputSequence], bool]:
    """Convert lines of text to the sequences that a language model reads.

    At word level, each sentence of a line is a separate sequence, as in scoring. At character level, all lines form one
    sequence, so the state is carried from line to line.

    Parameters
    ----------
    lm : LanguageModel
    lines : iterable of str
        Lines without line ends. Only as many as needed are consumed.
    max_tokens : int
        Maximum number of tokens. The rest of the text is left out.

    Returns
    -------
    sequences : list of InputSequence
        Sentences without tokens are left out.
    is_complete : bool
        Whether the whole text was read.

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
    """Return the sentences of a line. A line with a single sentence is returned unchanged."""
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
    return " ".join(
        token if token and token.isprintable() and not token.isspace() else ascii(token) for token in tokens
    )
