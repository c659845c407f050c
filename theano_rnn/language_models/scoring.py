"""Log-probabilities and losses of encoded sentences, in minibatches; perplexity. Must not know words."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from theano_rnn.language_models.score_minibatches import score_batches
from theano_rnn.networks.rnn import RNN
from theano_rnn.text import minibatches
from theano_rnn.text.encoded_sentences import EncodedSentences

STEPS_AT_ONCE = 1280  # of a long sentence; the states of a text without line ends would otherwise fill the memory
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
    # Each distinct sentence is computed once: lines of a text repeat, above all blank ones.
    places: dict[bytes, list[int]] = {}
    for place, sentence in enumerate(sentences):
        places.setdefault(sentence.tobytes(), []).append(place)
    found = _distinct_log_probabilities(rnn, [sentences[same[0]] for same in places.values()])
    results: dict[int, npt.NDArray[np.float64]] = {}
    for values, same in zip(found, places.values(), strict=True):
        for place in same:
            results[place] = values.copy() if place != same[0] else values
    return [results[place] for place in range(len(sentences))]


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
    """The log-probabilities of one sentence, computed in parts that pass on the hidden state."""
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
    """Format a perplexity for people to read: two decimals, or three digits if it is very large.

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
