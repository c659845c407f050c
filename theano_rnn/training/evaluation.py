"""What an evaluation of a training run measures: losses in nats per token, and the record that history and log keep."""

import itertools
import math

from theano_rnn.errors import CorpusError
from theano_rnn.language_models import scoring
from theano_rnn.language_models.continuous_text import continuous_cross_entropy
from theano_rnn.text.documents import read_documents
from theano_rnn.text.encoding import character_ids

SENTENCES_AT_ONCE, SENTENCES_IN_MEMORY = 32, 4096
# Characters: streams and tokens of each that are computed at once. The result does not depend on them.
STREAMS_AT_ONCE, STREAMS_OF_A_LONG_TEXT, LONG_TEXT = 10, 50, 100_000
STEPS_AT_ONCE = 50
LARGEST_EXPONENT = 700


def text_loss(rnn, text, options):
    """Mean cross-entropy of a part of a corpus; None for None."""
    if text is None:
        return None
    if options.level == "char":
        return continuous_loss(rnn, text)
    total, tokens = scoring.sentences_cross_entropy(rnn, text, SENTENCES_AT_ONCE)
    return total / tokens


def continuous_loss(rnn, ids):
    """Mean cross-entropy of characters as one continuous text.

    Parameters
    ----------
    rnn : RNN
    ids : int array
        Each but the first is predicted.
    """
    streams = STREAMS_OF_A_LONG_TEXT if len(ids) > LONG_TEXT else STREAMS_AT_ONCE
    total, tokens = continuous_cross_entropy(rnn, ids, streams, STEPS_AT_ONCE)
    return total / tokens


def training_perplexity(lm, paths, column=None, scored_sentences=None):
    """The perplexity of text files as training measures it.

    Training joins the lines of a paragraph before it looks for sentences, and leaves out blank lines; characters are
    one continuous text. Scoring takes each line by itself.

    Parameters
    ----------
    lm : LanguageModel
    paths : sequence of paths
        Read as training reads them.
    column : str, optional
        Of CSV files: see `theano_rnn.text.documents.read_documents`.
    scored_sentences : int, optional
        How many sentences scoring found, line by line.

    Returns
    -------
    float or None
        None where training finds as many sentences as scoring, of words, so that both measure the same; and where the
        files are blank, from which nothing can be learnt.
    """
    try:
        documents = read_documents(paths, column=column, joins_lines=lm.tokenizer.lines)
    except CorpusError:
        return None
    if lm.tokenizer.level == "char":
        text = documents.joined().excerpt()
        return perplexity(continuous_loss(lm.rnn, character_ids(text, lm.vocabulary)))
    if sum(1 for _ in lm.tokenizer.iterate_sentences(documents)) == scored_sentences:
        return None
    sentences = map(lm.encode, lm.tokenizer.iterate_sentences(documents))
    total, tokens = 0.0, 0
    while some := list(itertools.islice(sentences, SENTENCES_IN_MEMORY)):
        found = scoring.sentences_cross_entropy(lm.rnn, some, SENTENCES_AT_ONCE)
        total, tokens = total + found[0], tokens + found[1]
    return perplexity(total / tokens)


def evaluation_record(state, train_loss, valid_loss, learning_rate, seconds):
    """What is kept of an evaluation, by name.

    Parameters
    ----------
    state : TrainingState
    train_loss : float or None
        The mean while learning, when the parameters changed with every step. Where the training text decides which
        parameters are best, it is measured with the parameters as they are.
    valid_loss : float or None
        Measured on held-out text.
    learning_rate, seconds : float
    """
    return {
        "epoch": state.epoch,
        "examples_seen": state.examples_seen,
        "train_loss": train_loss,
        "valid_loss": valid_loss,
        "perplexity": perplexity(train_loss if valid_loss is None else valid_loss),
        "learning_rate": learning_rate,
        "tokens_per_second": state.loss_tokens / max(seconds - state.seconds_at_evaluation, 1e-9),
        "seconds": seconds,
    }


def perplexity(loss):
    """exp of a loss in nats per token, at most a very large number."""
    return math.exp(min(loss, LARGEST_EXPONENT))


def decisive_loss(record, tutorial):
    """The loss of a record that decides which parameters are best: of held-out text, if there is any.

    Infinite where it was not measured, as in records of runs that an older version began.
    """
    by_training_text = tutorial or record["valid_loss"] is None
    loss = record["train_loss" if by_training_text else "valid_loss"]
    return math.inf if loss is None else loss


def best_record(history, tutorial):
    """The record whose parameters are the best of a history; None of an empty one."""
    return min(history, key=lambda record: decisive_loss(record, tutorial), default=None)
