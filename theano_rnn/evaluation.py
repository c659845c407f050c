"""What an evaluation of a training run measures: losses in nats per token, and the record that history and log keep."""

import math

from theano_rnn import scoring

SENTENCES_AT_ONCE = 32
STREAMS_AT_ONCE = 10
LARGEST_EXPONENT = 700


def text_loss(rnn, text, options):
    """Mean cross-entropy of a part of a corpus; None for None."""
    if text is None:
        return None
    if options.level == "char":
        total, tokens = scoring.stream_cross_entropy(rnn, text, STREAMS_AT_ONCE, options.sequence_length)
    else:
        total, tokens = scoring.sentences_cross_entropy(rnn, text, SENTENCES_AT_ONCE)
    return total / tokens


def evaluation_record(state, train_loss, valid_loss, learning_rate, seconds):
    """What is kept of an evaluation, by name."""
    shown = train_loss if valid_loss is None else valid_loss
    return {
        "epoch": state.epoch,
        "examples_seen": state.examples_seen,
        "train_loss": train_loss,
        "valid_loss": valid_loss,
        "perplexity": math.exp(min(shown, LARGEST_EXPONENT)),
        "learning_rate": learning_rate,
        "tokens_per_second": state.loss_tokens / max(seconds - state.seconds_at_evaluation, 1e-9),
        "seconds": seconds,
    }


def decisive_loss(record, tutorial):
    """The loss of a record that decides which parameters are best: of held-out text, if there is any."""
    by_training_text = tutorial or record["valid_loss"] is None
    return record["train_loss" if by_training_text else "valid_loss"]


def best_record(history, tutorial):
    """The record whose parameters are the best of a history; None of an empty one."""
    return min(history, key=lambda record: decisive_loss(record, tutorial), default=None)
