"""What learns: the network, one update per minibatch, the learning rate, and the best parameters so far."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from theano_rnn.networks.optimizer import Optimizer, draw_dropout_mask
from theano_rnn.networks.parameters import check_shapes
from theano_rnn.networks.rnn import RNN
from theano_rnn.text.corpus import Corpus
from theano_rnn.text.minibatches import Batch
from theano_rnn.training.options import TrainingOptions
from theano_rnn.training.training_data import log_frequencies
from theano_rnn.training.training_state import TrainingState

# The first steps after a reset of the optimizer are large and raise the loss. A small text has only a few steps per
# epoch, so each evaluation would lead to the next halving until nothing is learned.
STEPS_BEFORE_HALVING = 50
DROPOUT_SEED = 2  # 0 chooses the held-out text, and 1 the order of the sentences
LOWEST_RATE = 1 / 1024  # as a share of the initial learning rate; it is not halved below this


class Learner:
    """A network in training.

    Parameters
    ----------
    corpus : Corpus
        The text to learn. Its vocabulary decides the size of the network. If the network has biases, those of the
        outputs start from the frequencies of the tokens.
    options : TrainingOptions
    tokens_per_step : float
        The mean number of tokens in a minibatch.
    parameters : dict of str to array, optional
        Initial parameters; default: random ones.

    Attributes
    ----------
    rnn : RNN
    optimizer : Optimizer
    best : dict of str to array
        The parameters with the lowest loss at an evaluation.
    stream_states : array (batch_size, state_dim) or None
        In a continuous text, the packed states that the next minibatch starts from.
    """

    def __init__(
        self,
        corpus: Corpus,
        options: TrainingOptions,
        tokens_per_step: float,
        parameters: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        self._options = options
        self._tokens_per_step = tokens_per_step
        architecture = options.architecture(len(corpus.vocabulary))
        self.rnn = RNN(**architecture.settings(), bptt_truncate=options.bptt_truncate, seed=options.seed)
        if parameters is not None:
            self.rnn.set_values(parameters)
        elif self.rnn.bias:
            self.rnn.set_values({**self.rnn.get_values(), "c": log_frequencies(corpus)})
        # The norm is always measured, so that the same function is compiled with and without a plot.
        self.optimizer = Optimizer(self.rnn, options.optimizer, options.clip, measures_norm=True)
        self.best: dict[str, np.ndarray] = self.rnn.get_values()
        self.stream_states: Any = None

    def start_epoch(self) -> None:
        """Start the text from its beginning, with hidden states of zero."""
        self.stream_states = None

    def step(self, batch: Batch, learning_rate: float, place: tuple[int, int]) -> Any:
        """Update the parameters once.

        Parameters
        ----------
        batch : Batch
        learning_rate : float
        place : tuple of int
            The epoch, and the number of steps before this one in it. With the seed, they alone decide which values
            dropout sets to zero, so that a resumed run draws the same masks.

        Returns
        -------
        scalar array
            The cross-entropy before the update, in nats, summed over the minibatch: with dropout, that of the network
            with these values at zero. The step may still be running; reading the value waits for it.
        """
        mask = self._dropout_mask(batch.x.shape[1], place)
        loss, states = self.optimizer.step(batch, learning_rate, self.stream_states, self._tokens_per_step, mask)
        if self._options.continuous:
            self.stream_states = states
        return loss

    def _dropout_mask(self, batch_size: int, place: tuple[int, int]) -> np.ndarray | None:
        if not self.rnn.dropout:
            return None
        generator = np.random.default_rng([self._options.seed, DROPOUT_SEED, *place])
        return draw_dropout_mask(self.rnn.architecture, batch_size, generator)

    def tutorial_step(self, batch: Batch, learning_rate: float) -> Any:
        """Update the parameters with one sentence by plain SGD, as the tutorial does; returns the same as `step`."""
        return self.rnn.sgd_step(*_sentence(batch), learning_rate)

    def tutorial_gradient_norm(self, batch: Batch) -> float:
        """Compute the norm of one sentence's gradients, which `tutorial_step` does not have as a whole."""
        return math.hypot(*map(np.linalg.norm, self.rnn.bptt(*_sentence(batch))))

    def learning_rate(self, state: TrainingState, epoch: int) -> float:
        """Return the learning rate in an epoch, counted from 0: rate / (1 + rate_decay · epoch)."""
        return state.learning_rate / (1 + self._options.rate_decay * epoch)

    def take_evaluation(self, state: TrainingState, loss: float) -> None:
        """Keep the parameters if they are the best so far; otherwise lower the learning rate.

        The tutorial halves the learning rate whenever the loss has risen since the last evaluation. Otherwise training
        goes back to the best parameters and continues from there with half the learning rate.
        """
        previous, state.last_loss = state.last_loss, loss
        is_best = loss < state.best_loss
        if is_best:
            state.best_loss, self.best = loss, self.rnn.get_values()
        if self._options.tutorial:
            if loss > previous:
                state.learning_rate *= 0.5
        elif not is_best and self.optimizer.step_number >= STEPS_BEFORE_HALVING:
            self._go_back(state)

    def _go_back(self, state: TrainingState) -> None:
        """Halve the learning rate and continue from the best parameters with a fresh optimizer."""
        lowest = self._options.initial_learning_rate * LOWEST_RATE
        state.learning_rate = min(state.learning_rate, max(state.learning_rate / 2, lowest))
        self.rnn.set_values(self.best)
        self.optimizer.reset()

    def is_finite(self) -> bool:
        """Return whether all parameters are finite."""
        return all(np.isfinite(value).all() for value in self.rnn.get_values().values())

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return everything that decides how learning continues, by name: what `restore` takes."""
        arrays = {**self.rnn.get_values(), **self.optimizer.get_state()}
        arrays |= {f"best.{name}": value for name, value in self.best.items()}
        if self.stream_states is not None:
            arrays["stream_states"] = np.asarray(self.stream_states)
        return arrays

    def restore(self, arrays: Mapping[str, np.ndarray], step_number: int) -> None:
        """Continue from what `to_arrays` returned.

        Parameters
        ----------
        arrays : dict of str to array
        step_number : int
            The number of steps since the optimizer was last reset.

        Raises
        ------
        KeyError, ValueError
            If an array is missing, is not finite, or has another shape.
        """
        self.rnn.set_values(arrays)
        best = {name: arrays[f"best.{name}"] for name in self.rnn.parameter_names}
        check_shapes(best, self.rnn.parameter_shapes)
        self.best = best
        self.optimizer.set_state(arrays, step_number)
        self.stream_states = arrays.get("stream_states")
        if self.stream_states is not None:
            assert self._options.batch_size is not None
            check_shapes(arrays, {"stream_states": (self._options.batch_size, self.rnn.architecture.state_dim)})


def _sentence(batch: Batch) -> tuple[np.ndarray, np.ndarray]:
    """Return x and y of a minibatch of one sentence, without padding."""
    return batch.x[: batch.tokens, 0], batch.y[: batch.tokens, 0]
