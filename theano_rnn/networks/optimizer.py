"""Minibatch training steps: owns the update rule's accumulators and compiles the step. Knows no files and no epochs."""

import functools

import numpy as np

from theano_rnn.checks import check_choice
from theano_rnn.engines.engine import T, as_numpy, compile_function, shared_array
from theano_rnn.errors import ArgumentValueError
from theano_rnn.networks import graph
from theano_rnn.networks.updates import UPDATE_RULES, clip_by_norm, common_norm


class Optimizer:
    """Minimises the mean cross-entropy per token, a minibatch at a time.

    Parameters
    ----------
    rnn : RNN
    rule : {"sgd", "momentum", "adagrad", "rmsprop", "adam"}
    clip : float or None
        Upper limit of the common Euclidean norm of all gradients.
    measures_norm : bool
        Whether that norm is measured also where there is no limit to it.

    Attributes
    ----------
    step_number : int
        Steps since the last reset.
    gradient_norm : scalar array or None
        The norm, before clipping, of the last step's gradients, not yet waited for; None if it is not measured.
    """

    gradient_norm = None

    def __init__(self, rnn, rule="adam", clip=None, measures_norm=False):
        self.rnn = rnn
        self.rule, self.accumulator_names, _ = UPDATE_RULES[check_choice("optimizer", rule, UPDATE_RULES)]
        self.clip = clip
        self.measures_norm = measures_norm or clip is not None
        self.step_number = 0
        self.accumulators = {
            f"{name}.{parameter}": shared_array(np.zeros(shape, rnn.dtype), name, rnn.lies_transposed(parameter))
            for parameter, shape in rnn.parameter_shapes.items()
            for name in self.accumulator_names
        }

    def get_state(self):
        """The accumulators' values by name, as NumPy arrays; `step_number` is not among them."""
        return {name: as_numpy(shared.get_value(borrow=True)) for name, shared in self.accumulators.items()}

    def set_state(self, arrays, step_number):
        """Set the accumulators; KeyError or ValueError, and nothing is set, if an array is missing or does not fit."""
        for name, shared in self.accumulators.items():
            expected = shared.get_value(borrow=True).shape
            if np.shape(arrays[name]) != expected:
                raise ArgumentValueError(f"{name}: expected shape {expected}, got {np.shape(arrays[name])}")
        for name, shared in self.accumulators.items():
            shared.set_value(np.array(arrays[name], dtype=self.rnn.dtype), borrow=True)
        self.step_number = step_number

    def reset(self):
        """Forget all past gradients."""
        self.set_state({name: np.zeros_like(value) for name, value in self.get_state().items()}, 0)

    @functools.cached_property
    def _step(self):
        rnn = self.rnn

        def build():
            x, y, mask = T.imatrix("x"), T.imatrix("y"), T.bmatrix("mask")
            s_init = T.matrix("s_init", dtype=rnn.dtype)
            learning_rate = T.scalar("learning_rate", dtype=rnn.dtype)
            step_number = T.scalar("step_number", dtype=rnn.dtype)
            tokens = T.scalar("tokens", dtype=rnn.dtype)
            U, V, W = rnn.parameters
            a = graph.input_activations(x, U)
            s = graph.hidden_states(a, W, s_init, rnn.activation)
            loss, ds, dV = graph.cross_entropy(s, V, y, mask)
            delta = graph.backpropagation_through_time(ds, s, W, rnn.activation, rnn.bptt_truncate)
            dU, dW = graph.recurrence_gradients(delta, x, s, s_init, U)
            # Rules work element by element: with all arrays as they lie in memory, nothing needs to be transposed.
            gradients = {"U": dU, "V": dV, "W": dW}
            gradients = [rnn.as_it_lies(name, gradient) / tokens for name, gradient in gradients.items()]
            norm = [common_norm(gradients)] if self.measures_norm else []
            if self.clip is not None:
                gradients = clip_by_norm(gradients, np.asarray(self.clip, rnn.dtype), *norm)
            updates = []
            for name, parameter, gradient in zip(rnn.parameter_shapes, rnn.parameters, gradients, strict=True):
                shared = [parameter, *(self.accumulators[f"{slot}.{name}"] for slot in self.accumulator_names)]
                value, *slots = (rnn.as_it_lies(name, array) for array in shared)
                value, slots = self.rule(value, gradient, slots, learning_rate, step_number)
                new = [T.cast(rnn.as_it_lies(name, array), rnn.dtype) for array in (value, *slots)]
                updates += zip(shared, new, strict=True)
            return [x, y, mask, s_init, learning_rate, step_number, tokens], [loss, s[-1], *norm], updates

        return compile_function(build, rnn.dtype)

    def step(self, batch, learning_rate, s_init=None, tokens=None):
        """One update on a minibatch.

        Parameters
        ----------
        batch : theano_rnn.text.minibatches.Batch
        learning_rate : float
        s_init : array (batch_size, hidden_dim), optional
            The states before the first step; default zero.
        tokens : float, optional
            What the summed gradients are divided by; default the minibatch's own number of tokens. The same number for
            all minibatches of a corpus lets every token weigh the same, however few share its minibatch.

        Returns
        -------
        loss : scalar array
            Summed over the minibatch's tokens, before the update, in nats; not yet waited for.
        s_last : array (batch_size, hidden_dim)
            The states after the last step.
        """
        dtype = self.rnn.dtype
        s_init = self.rnn.zero_states(batch.x.shape[1]) if s_init is None else s_init
        self.step_number += 1
        loss, s_last, *norm = self._step(
            batch.x,
            batch.y,
            batch.mask.view(np.int8),
            s_init,
            np.asarray(learning_rate, dtype),
            np.asarray(self.step_number, dtype),
            np.asarray(batch.tokens if tokens is None else tokens, dtype),
        )
        self.gradient_norm = norm[0] if norm else None
        return loss, s_last
