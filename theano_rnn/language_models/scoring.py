"""Log-probabilities, losses and perplexities of encoded sentences. Must not know words."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from theano_rnn.language_models.score_minibatches import score_batches
from theano_rnn.networks.rnn import RNN
from theano_rnn.text import minibatches
from theano_rnn.text.encoded_sentences import EncodedSentences

# Steps of a long sentence per call. Without this limit, the states of a text without line ends would fill the memory.
STEPS_AT_ONCE = 1280
_LARGE_PERPLEXITY = 1e7


def token_log_probabilities(rnn: RNN, sentences: Sequence[npt.NDArray[np.int32]]) -> list[npt.NDArray[np.float64]]:
    """Return ln P(token | tokens before it) of every token after the first.

    Parameters
    ----------
    rnn : RNN
    sentences : sequence of int32 arrays
        Each from its start marker to its end marker.

    Returns
    -------
    list of float64 arrays
        In the order of the sentences.
    """
    # Each distinct sentence is computed once, because many texts contain repeated lines, especially blank ones.
    indices_by_content: dict[bytes, list[int]] = {}
    for index, sentence in enumerate(sentences):
        indices_by_content.setdefault(sentence.tobytes(), []).append(index)
    groups = list(indices_by_content.values())
    results: dict[int, npt.NDArray[np.float64]] = {}
    for values, group in zip(_distinct_log_probabilities(rnn, [sentences[i] for i, *_ in groups]), groups, strict=True):
        for index in group:
            results[index] = values.copy() if index != group[0] else values
    return [results[index] for index in range(len(sentences))]


def _distinct_log_probabilities(rnn: RNN, sentences: Sequence[npt.NDArray[np.int32]]) -> list[npt.NDArray[np.float64]]:
    short = [i for i, sentence in enumerate(sentences) if len(sentence) - 1 <= STEPS_AT_ONCE]
    results: dict[int, npt.NDArray[np.float64]] = {}
    for batch, chosen in score_batches([sentences[i] for i in short], rnn.word_dim, rnn.hidden_dim):
        values = rnn.log_probabilities(batch.x, batch.y)[0].astype(np.float64)
        for column, i in enumerate(chosen):
            results[short[i]] = values[: len(sentences[short[i]]) - 1, column].copy()
    return [
        results[i] if i in results else _long_log_probabilities(rnn, sentence) for i, sentence in enumerate(sentences)
    ]


def _long_log_probabilities(rnn: RNN, sentence: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
    """The log-probabilities of one sentence, computed in parts. The state is carried from part to part."""
    values = np.empty(len(sentence) - 1)
    states = None
    for start in range(0, len(values), STEPS_AT_ONCE):
        part = sentence[start : start + STEPS_AT_ONCE + 1]
        batch = minibatches.pad([part], 1)
        found, states = rnn.log_probabilities(batch.x, batch.y, states)
        values[start : start + len(part) - 1] = found[: len(part) - 1, 0]
    return values


def perplexity(log_probability: float, tokens: int) -> float:
    """Return exp(-log_probability / tokens); infinite if it is too large for a float.

    Parameters
    ----------
    log_probability : float
        Sum over the tokens, in nats.
    tokens : int
        Number of tokens, sentence ends included.

    Examples
    --------
    >>> round(perplexity(-17.85, 10), 2)
    5.96
    """
    try:
        return math.exp(-log_probability / tokens)
    except OverflowError:
        return math.inf


def format_perplexity(value: float) -> str:
    """Format a perplexity: two decimals, or three significant digits if it is very large.

    Examples
    --------
    >>> format_perplexity(5.9613)
    '5.96'
    """
    return f"{value:,.2f}" if value < _LARGE_PERPLEXITY else f"{value:.2e}"


def format_loss(loss: float, level: str) -> str:
    """Format a mean loss with its unit: bits per character at character level, perplexity per token at word level.

    Parameters
    ----------
    loss : float
        In nats per token.
    level : {"word", "char"}

    Examples
    --------
    >>> format_loss(1.785, "word")
    'perplexity 5.96'
    >>> format_loss(1.67, "char")
    '2.41 bits/char'
    """
    if level == "char":
        return f"{loss / math.log(2):.2f} bits/char"
    return f"perplexity {format_perplexity(perplexity(-loss, 1))}"


def sentences_cross_entropy(
    rnn: RNN, sentences: EncodedSentences | Sequence[npt.NDArray[np.int32]], batch_size: int
) -> tuple[float, int]:
    """Return the summed cross-entropy of encoded sentences.

    Parameters
    ----------
    rnn : RNN
    sentences : EncodedSentences or sequence of int32 arrays
        Each from its start marker to its end marker.
    batch_size : int
        Sentences per minibatch.

    Returns
    -------
    cross_entropy : float
        In nats.
    tokens : int
        Number of predictions.
    """
    total, tokens = 0.0, 0
    for batch in minibatches.sentence_batches(sentences, batch_size):
        values = rnn.log_probabilities(batch.x, batch.y)[0]
        total -= float(values[batch.mask].sum(dtype=np.float64))
        tokens += batch.tokens
    return total, tokens
