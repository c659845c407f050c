"""Log-probabilities of encoded sentences and texts, batched. Knows ids, not words."""

import numpy as np

from theano_rnn import batches

BATCH_SIZES = (1, 32, 256)  # few, so that few shapes are compiled: one sentence, a page, a corpus


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
    size = next((size for size in BATCH_SIZES if len(sentences) <= size), BATCH_SIZES[-1])
    results = [None] * len(sentences)
    for batch in batches.sentence_batches(sentences, size):
        values = rnn.log_probabilities(batch.x, batch.y)[0]
        for column, sentence in enumerate(batch.sentences):
            results[sentence] = values[: len(sentences[sentence]) - 1, column].astype(np.float64)
    return results


def sentences_cross_entropy(rnn, sentences, batch_size):
    """(summed cross-entropy in nats, number of tokens) of encoded sentences."""
    total, tokens = 0.0, 0
    for batch in batches.sentence_batches(sentences, batch_size):
        values = rnn.log_probabilities(batch.x, batch.y)[0]
        total -= float(values[batch.mask].sum(dtype=np.float64))
        tokens += batch.tokens
    return total, tokens


def stream_cross_entropy(rnn, ids, batch_size, sequence_length):
    """(summed cross-entropy in nats, number of tokens) of one continuous text of at least two ids.

    The text is cut into `batch_size` parallel streams; within each the hidden state is carried on.
    """
    total, tokens, states = 0.0, 0, None
    for batch in batches.stream_batches(ids, batch_size, sequence_length):
        values, states = rnn.log_probabilities(batch.x, batch.y, states)
        total -= float(values[batch.mask].sum(dtype=np.float64))
        tokens += batch.tokens
    return total, tokens
