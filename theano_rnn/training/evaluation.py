"""Evaluations of a training run: how the loss is measured, recorded, compared and shown.

Losses are means in nats per token. Must not know the training loop.
"""

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from theano_rnn.errors import CorpusError
from theano_rnn.language_models import scoring
from theano_rnn.language_models.continuous_text import continuous_cross_entropy
from theano_rnn.language_models.language_model import LanguageModel
from theano_rnn.language_models.text_model import deciding_figure
from theano_rnn.networks.rnn import RNN
from theano_rnn.text.documents import read_documents
from theano_rnn.text.encoded_sentences import EncodedSentences, EncodedSentencesWriter
from theano_rnn.text.encoding import character_ids
from theano_rnn.training.training_state import TrainingState

SENTENCES_AT_ONCE, SENTENCES_IN_MEMORY = 32, 4096
# A continuous text: the number of streams, and of tokens in each, computed at once. The result does not depend on them.
STREAMS_AT_ONCE, STREAMS_OF_A_LONG_TEXT, LONG_TEXT = 10, 50, 100_000
STEPS_AT_ONCE = 50
LARGEST_EXPONENT = 700

# Measuring


def text_loss(rnn: RNN, text: EncodedSentences | np.ndarray, continuous: bool = False) -> float:
    """Measure the mean cross-entropy of the training text or the held-out text.

    Parameters
    ----------
    rnn : RNN
    text : EncodedSentences, or at character level array of int
    continuous : bool
        Whether the state is carried from each sentence to the next. At character level it always is.
    """
    if isinstance(text, np.ndarray):
        return continuous_loss(rnn, text)
    if continuous:
        return continuous_loss(rnn, text.ids, start=int(text.ids[0]))
    total, tokens = scoring.sentences_cross_entropy(rnn, text, SENTENCES_AT_ONCE)
    return total / tokens


def continuous_loss(rnn: RNN, ids: np.ndarray, start: int | None = None) -> float:
    """Measure the mean cross-entropy of one continuous text.

    Parameters
    ----------
    rnn : RNN
    ids : array of int
        Each id but the first is predicted.
    start : int, optional
        The id that begins each sentence and is not predicted.
    """
    streams = STREAMS_OF_A_LONG_TEXT if len(ids) > LONG_TEXT else STREAMS_AT_ONCE
    total, tokens = continuous_cross_entropy(rnn, ids, streams, STEPS_AT_ONCE, unpredicted=start)
    return total / tokens


def training_perplexity(
    lm: LanguageModel, paths: Sequence[str], column: str | None = None, scored_sentences: int | None = None
) -> float | None:
    """Compute the perplexity of text files as training measures it.

    Training joins the lines of a paragraph before it splits sentences, and skips blank lines. Characters are one
    continuous text, and so are words if the model was trained with `continuous`. Scoring takes each line by itself.

    Parameters
    ----------
    lm : LanguageModel
    paths : sequence of paths
        They are read as training reads them.
    column : str, optional
        The column of CSV files: see `theano_rnn.text.documents.read_documents`.
    scored_sentences : int, optional
        The number of sentences that scoring found, line by line.

    Returns
    -------
    float or None
        None at word level if training finds as many sentences as scoring, so that both measure the same, and the text
        is not continuous. None also if the files are blank.
    """
    try:
        documents = read_documents(paths, column=column, joins_lines=lm.tokenizer.lines)
    except CorpusError:
        return None
    if lm.tokenizer.level == "char":
        text = documents.joined().excerpt()
        return perplexity(continuous_loss(lm.rnn, character_ids(text, lm.vocabulary)))
    if not lm.continuous and sum(1 for _ in lm.tokenizer.iterate_sentences(documents)) == scored_sentences:
        return None
    sentences = map(lm.encode, lm.tokenizer.iterate_sentences(documents))
    writer, total, tokens = EncodedSentencesWriter(), 0.0, 0
    while block := list(itertools.islice(sentences, SENTENCES_IN_MEMORY)):
        if lm.continuous:
            encoded = EncodedSentences(block)
            writer.add(encoded.ids, np.diff(encoded.offsets))
            continue
        found = scoring.sentences_cross_entropy(lm.rnn, block, SENTENCES_AT_ONCE)
        total, tokens = total + found[0], tokens + found[1]
    return perplexity(text_loss(lm.rnn, writer.finish(), continuous=True) if lm.continuous else total / tokens)


# Recording


def evaluation_record(
    state: TrainingState,
    train_loss: float | None,
    valid_loss: float | None,
    learning_rate: float,
    tokens_per_second: float,
    seconds: float,
    figures: dict[str, float],
) -> dict[str, Any]:
    """Return the record of an evaluation, which the history and the log keep.

    Parameters
    ----------
    state : TrainingState
    train_loss : float or None
        The mean loss of the steps since the last evaluation, each before its update. If the training text decides which
        parameters are the best, it is measured with the current parameters instead.
    valid_loss : float or None
        Measured on held-out text.
    learning_rate : float
    tokens_per_second : float
        The speed of training since the last evaluation; 0 if it was not measured.
    seconds : float
        The time since the run began.
    figures : dict of str to float
        What the task says beside the losses, such as the perplexity: see `theano_rnn.tasks.task.Task.figures`.
    """
    return {
        "epoch": state.epoch,
        "examples_seen": state.examples_seen,
        "train_loss": train_loss,
        "valid_loss": valid_loss,
        **figures,
        "learning_rate": learning_rate,
        "tokens_per_second": tokens_per_second,
        "seconds": seconds,
    }


def figures(loss: float, level: str) -> dict[str, float]:
    """Return what a record tells about a loss: the perplexity, and at character level the bits per character.

    Examples
    --------
    >>> figures(1.0, "char")
    {'perplexity': 2.718281828459045, 'bits_per_character': 1.4426950408889634}
    """
    found = {"perplexity": perplexity(loss)}
    if level == "char":
        found["bits_per_character"] = loss / math.log(2)
    return found


def perplexity(loss: float) -> float:
    """Return exp(loss), at most a very large number.

    Examples
    --------
    >>> round(perplexity(4.6052), 2)
    100.0
    """
    return math.exp(min(loss, LARGEST_EXPONENT))


# Comparing


def decisive_loss(record: dict[str, Any], tutorial: bool) -> float:
    """Return the loss of a record that decides which parameters are the best.

    It is infinite if it was not measured, as in some records of version 0.1.
    """
    loss = record[deciding_figure(record, tutorial)]
    return math.inf if loss is None else loss


def evaluations_without_improvement(losses: Sequence[float]) -> int:
    """Count the evaluations since the best one; 0 before the first.

    Parameters
    ----------
    losses : sequence of float
        The decisive loss of each evaluation. Only a loss below all earlier ones is an improvement.

    Examples
    --------
    >>> evaluations_without_improvement([3.0, 2.0, 2.5, 2.0])
    2
    """
    return len(losses) - 1 - losses.index(min(losses)) if losses else 0


# Showing


def quality(record: dict[str, Any]) -> list[str]:
    """Return how good the parameters are, with units: the accuracy, or the perplexity per token after the bits per
    character.

    Examples
    --------
    >>> quality({"accuracy": 0.7753})
    ['accuracy 77.5 %']
    >>> quality({"perplexity": 5.9644})
    ['perplexity 5.96']
    >>> quality({"perplexity": 5.3146, "bits_per_character": 2.40995})
    ['2.41 bits/char', 'perplexity 5.31']
    """
    if "accuracy" in record:
        return [f"accuracy {100 * record['accuracy']:.1f} %"]
    bits = record.get("bits_per_character")
    return [*([] if bits is None else [f"{bits:.2f} bits/char"]), f"perplexity {record['perplexity']:.2f}"]


def losses(record: dict[str, Any]) -> list[str]:
    """Return the losses of a record, those that were measured, with their names."""
    named = (("training", record["train_loss"]), ("held-out", record["valid_loss"]))
    return [f"{name} loss {loss:.4f}" for name, loss in named if loss is not None]


def speed(tokens_per_second: float) -> list[str]:
    """Return the speed of training with its unit, or nothing if it was not measured.

    Before training and in the first steps, which include compilation, there is no meaningful speed.

    Examples
    --------
    >>> speed(12345.6), speed(0.0)
    (['12,346 tokens/s'], [])
    """
    return [f"{tokens_per_second:,.0f} tokens/s"] if tokens_per_second else []


def summary(record: dict[str, Any]) -> str:
    """Return an evaluation as a line of the log."""
    rate, seconds = f"learning rate {record['learning_rate']:g}", f"{record['seconds']:.0f} s"
    fields = [*losses(record), *quality(record), rate, *speed(record["tokens_per_second"]), seconds]
    return f"epoch {record['epoch']:g}: {', '.join(fields)}"


def epoch_summary(state: TrainingState, tokens_per_second: float) -> str:
    """Return an epoch that ended without an evaluation as a line of the log."""
    loss = state.loss_sum / state.loss_tokens
    fields = [f"training loss {loss:.4f} since the last evaluation", *speed(tokens_per_second)]
    return f"epoch {state.epoch}: {', '.join(fields)}"


def patience_note(patience: int | None, epochs: int, option_name: str) -> str:
    """Return why a run has ended that has run out of patience, and how to continue it."""
    evaluations = "the last evaluation" if patience == 1 else f"{patience} evaluations in a row"
    return (
        f"the loss has not fallen in {evaluations}: the run has ended after {epochs} epochs; "
        f"to continue, raise {option_name} or set it to 0"
    )
