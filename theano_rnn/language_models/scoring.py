"""Log-probabilities of encoded sentences and texts, batched. Knows ids, not words."""

import math

import numpy as np

from theano_rnn.language_models.score_minibatches import score_batches
from theano_rnn.text import minibatches

LONGEST = 1280  # steps at once; a text without line ends would otherwise fill the memory with its states
_LARGE_PERPLEXITY = 1e7


def token_log_probabilities(rnn, sentences):
    """ln P(token | the tokens before it) for every token after the first of each sentence.

    Parameters
    ----------
    rnn : RNN
    sentences : sequence of int arrays
        Each starts with the start marker and ends with the end marker.

    Returns
    -------
    list of float arrays
        In the order of the sentences; natural logarithms.
    """
    # Each distinct sentence once: lines of a text repeat, blank ones above all.
    places = {}
    for place, sentence in enumerate(sentences):
        places.setdefault(sentence.tobytes(), []).append(place)
    distinct = [sentences[same[0]] for same in places.values()]
    results = [None] * len(sentences)
    for values, same in zip(distinct_log_probabilities(rnn, distinct), places.values(), strict=True):
        for place in same:
            results[place] = values.copy() if place != same[0] else values
    return results


def distinct_log_probabilities(rnn, sentences):
    short = [i for i, sentence in enumerate(sentences) if len(sentence) - 1 <= LONGEST]
    results = [None] * len(sentences)
    for batch, chosen in score_batches([sentences[i] for i in short], rnn.word_dim, rnn.hidden_dim):
        values = rnn.log_probabilities(batch.x, batch.y)[0].astype(np.float64)
        for column, i in enumerate(chosen):
            results[short[i]] = values[: len(sentences[short[i]]) - 1, column].copy()
    return [long_log_probabilities(rnn, sentences[i]) if found is None else found for i, found in enumerate(results)]


def long_log_probabilities(rnn, sentence):
    """Those of one sentence, a part at a time, the hidden state carried on."""
    values, states = np.empty(len(sentence) - 1), None
    for start in range(0, len(values), LONGEST):
        part = sentence[start : start + LONGEST + 1]
        batch = minibatches.pad([part], 1)
        found, states = rnn.log_probabilities(batch.x, batch.y, states)
        values[start : start + len(part) - 1] = found[: len(part) - 1, 0]
    return values


def perplexity(log_probability, tokens):
    """exp of the mean cross-entropy per token; infinite where that is beyond all numbers.

    Parameters
    ----------
    log_probability : float
        Summed over the tokens, in nats.
    tokens : int
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


def sentences_cross_entropy(rnn, sentences, batch_size):
    """(summed cross-entropy in nats, number of tokens) of encoded sentences."""
    total, tokens = 0.0, 0
    for batch in minibatches.sentence_batches(sentences, batch_size):
        values = rnn.log_probabilities(batch.x, batch.y)[0]
        total -= float(values[batch.mask].sum(dtype=np.float64))
        tokens += batch.tokens
    return total, tokens
