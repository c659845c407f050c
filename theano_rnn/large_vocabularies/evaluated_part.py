"""The part of a text that is evaluated where evaluating all of it would take longer than learning.

With sampled softmax a token is learned in a time that does not depend on the size of the vocabulary, but its exact loss
is a sum over the whole vocabulary. Each evaluation then measures a part of the text that the seed decides.
"""

import math

import numpy as np
import numpy.typing as npt

from theano_rnn.networks.architecture import Architecture
from theano_rnn.text.encoded_sentences import EncodedSentences

SHARE_OF_TRAINING = 0.2  # the time of an evaluation, in relation to that of the epochs before it
LEAST_TOKENS = 1000
BLOCK_LENGTH = 1000  # tokens of a continuous text that stay together
PART_SEED = 4  # 0 to 3 choose the held-out text, the order of sentences, dropout and the candidates


def tokens_to_evaluate(architecture: Architecture, candidates: int, learned: int) -> int:
    """Return how many tokens can be evaluated in a fifth of the time that it takes to learn so many.

    Only products count. Learning takes three times those of the forward pass over the candidates.

    Parameters
    ----------
    architecture : Architecture
    candidates : int
        The number of words that each step of training compares.
    learned : int
        The number of tokens that are learned between two evaluations.

    Examples
    --------
    >>> tokens_to_evaluate(Architecture(word_dim=100_000), candidates=1500, learned=1_000_000)
    9590
    """
    H, V = architecture.hidden_dim, architecture.word_dim
    of_layers = sum(math.prod(shape) for shape in architecture.parameter_shapes.values() if V not in shape)
    learning = 3 * (of_layers + candidates * H)
    return max(LEAST_TOKENS, int(SHARE_OF_TRAINING * learned * learning / (of_layers + V * H)))


def part_of(
    text: EncodedSentences | npt.NDArray[np.integer], tokens: int, continuous: bool, seed: int
) -> EncodedSentences | npt.NDArray[np.integer]:
    """Return a part of a text with about so many tokens, or the text itself if it has no more.

    Parameters
    ----------
    text : EncodedSentences, or at character level array of int
    tokens : int
    continuous : bool
        Whether the state is carried over the ends of sentences. The part then consists of blocks of 1,000 tokens.
    seed : int
    """
    length = len(text) if isinstance(text, np.ndarray) else text.tokens
    if length <= tokens:
        return text
    generator = np.random.default_rng([seed, PART_SEED])
    if isinstance(text, np.ndarray):
        return np.concatenate([text[start : start + BLOCK_LENGTH] for start in _starts(length, tokens, generator)])
    ends = np.cumsum(text.steps)
    size = BLOCK_LENGTH if continuous else 1
    block_of = (ends - 1) // size if continuous else np.arange(len(text))
    order = generator.permutation(int(block_of[-1]) + 1)
    chosen = np.zeros(len(order), bool)
    tokens_of = np.bincount(block_of, weights=text.steps, minlength=len(order))[order]
    chosen[order[: max(1, int(np.searchsorted(np.cumsum(tokens_of), tokens)))]] = True
    return text.select(chosen[block_of])


def _starts(length: int, tokens: int, generator: np.random.Generator) -> npt.NDArray[np.integer]:
    """The first places of the blocks of a text without sentences, in order."""
    blocks = generator.permutation(length // BLOCK_LENGTH)[: max(1, tokens // BLOCK_LENGTH)]
    return np.sort(blocks) * BLOCK_LENGTH
