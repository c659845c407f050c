"""What a language model reads of a text: sequences of ids, each from s_{-1} = 0, with the tokens they stand for."""

import itertools
from dataclasses import dataclass

import numpy as np

from theano_rnn.checks import check_count


@dataclass(frozen=True)
class Reading:
    """One sequence as the network reads it.

    Attributes
    ----------
    line : str or None
        What the tokens were made of: None where they are no whole line.
    tokens : list of str
        At character level ``\\n`` ends each line.
    ids : int32 array (1 + number of tokens,)
        The start marker, then the tokens: s_{i+1} is the state after reading tokens[i].
    """

    line: str | None
    tokens: list
    ids: np.ndarray


def read_tokens(lm, lines, most_tokens):
    """Read lines as the model was trained to.

    Words: each sentence of a line is a sequence of its own, as in scoring; lines without a token are left out.
    Characters: all lines are one stream, the state carried on from line to line.

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

    def parts_of(line):
        """Its sentences, or the line as it is written."""
        sentences = lm.split(line)
        return [line] if len(sentences) == 1 else sentences

    read_line = characters_of if lm.tokenizer.level == "char" else lm.tokenize
    found, is_whole = [], True
    for line in itertools.chain.from_iterable(map(parts_of, lines)):
        if not left:
            is_whole = False
            break
        tokens = read_line(line)
        is_whole = len(tokens) <= left
        if tokens:
            found.append((line if is_whole else None, tokens[:left]))
        if not is_whole:
            break
        left -= len(tokens)
    if lm.tokenizer.level == "char":
        stream = [token for _, tokens in found for token in tokens]
        found = [(None, stream)] if set(stream) - {"\n"} else []
    start = np.array([lm.start], np.int32)
    readings = [Reading(line, tokens, np.concatenate([start, lm.vocabulary.encode(tokens)])) for line, tokens in found]
    return readings, is_whole


def listed(tokens):
    """Tokens divided by blanks; what would not be seen, a blank above all, as an escape in quotes."""
    return " ".join(one if one and one.isprintable() and not one.isspace() else ascii(one) for one in tokens)


def characters_of(line):
    return [*line, "\n"]
