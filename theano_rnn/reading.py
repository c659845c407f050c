"""What a language model reads of a text: sequences of ids, each from s_{-1} = 0, with the tokens they stand for."""

from dataclasses import dataclass

import numpy as np

from theano_rnn.checks import check_count


@dataclass(frozen=True)
class Reading:
    """One sequence as the network reads it.

    Attributes
    ----------
    tokens : list of str
        At character level ``\\n`` ends each line.
    ids : int32 array (1 + number of tokens,)
        The start marker, then the tokens: s_{i+1} is the state after reading tokens[i].
    """

    tokens: list
    ids: np.ndarray


def read_tokens(lm, lines, most_tokens):
    """Read lines as the model was trained to.

    Words: a line is a sequence of its own, as in scoring; lines without a token are left out. Characters: all lines are
    one stream, the state carried on from line to line.

    Parameters
    ----------
    lm : LanguageModel
    lines : iterable of str
        Without their ends; no more are taken than needed.
    most_tokens : int

    Returns
    -------
    list of Reading
    bool
        Whether the text ends there, so that nothing was left out.
    """
    left = check_count("most_tokens", most_tokens)
    is_stream = lm.tokenizer.level == "char"
    found, is_whole = [], True
    for line in lines:
        if not left:
            is_whole = False
            break
        tokens = [*line[: left + 1], "\n"] if is_stream else lm.tokenize(line)
        is_whole = len(tokens) <= left
        tokens = tokens[:left]
        left -= len(tokens)
        if tokens:
            found.append(tokens)
        if not is_whole:
            break
    if is_stream and any(tokens != ["\n"] for tokens in found):
        found = [[token for tokens in found for token in tokens]]
    elif is_stream:
        found = []
    start = np.array([lm.start], np.int32)
    return [Reading(tokens, np.concatenate([start, lm.vocabulary.encode(tokens)])) for tokens in found], is_whole
