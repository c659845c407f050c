"""The benchmark's workloads on the original Theano: ours, and the tutorial's own formulation. See `main`.

Runs in a process of its own, of an interpreter that has theano_rnn with Theano.
"""

import functools
import json
import sys
import time

import numpy as np

from theano_rnn.benchmarks import timing
from theano_rnn.benchmarks.torch_workloads import answer
from theano_rnn.benchmarks.workloads import LEARNING_RATE, Workload
from theano_rnn.engines.engine import T, compile_function, scan, shared_array, theano, versions

DTYPE = "float32"


def tutorial_sgd_step(parameters):
    """The SGD step of the tutorial's class (part 2): softmax inside `scan`, `theano.grad`, dense updates.

    The gradient is that through the whole sentence: with ``truncate_gradient=4`` `scan` would differentiate only the
    last four steps, which is less work, but not what the tutorial means.

    Parameters
    ----------
    parameters : list of Theano shared variables
        U, V, W, as the tutorial stores them.

    Returns
    -------
    CompiledFunction
        Of (x, y, learning_rate): the loss before the step, in nats (summed).
    """

    def build():
        x, y, learning_rate = T.ivector("x"), T.ivector("y"), T.scalar("learning_rate", dtype=DTYPE)
        U, V, W = parameters

        def forward_prop_step(x_t, s_prev, U, V, W):
            s_t = T.tanh(U[:, x_t] + W.dot(s_prev))
            o_t = T.nnet.softmax(V.dot(s_t))[0]
            return [o_t, s_t]

        o, _ = scan(
            forward_prop_step,
            sequences=x,
            outputs_info=[None, T.zeros((W.shape[0],), dtype=DTYPE)],
            non_sequences=[U, V, W],
            strict=True,
        )
        loss = T.sum(T.nnet.categorical_crossentropy(o, y))
        gradients = theano.grad(loss, parameters)
        updates = [(p, p - learning_rate * d) for p, d in zip(parameters, gradients, strict=True)]
        return [x, y, learning_rate], loss, updates

    return compile_function(build, DTYPE)


def tutorial_parameters(word_dim, hidden_dim):
    """U, V and W as the tutorial initialises and stores them."""
    generator = np.random.default_rng(1)
    shapes = {"U": (hidden_dim, word_dim), "V": (word_dim, hidden_dim), "W": (hidden_dim, hidden_dim)}
    bounds = {name: np.sqrt(1 / shape[1]) for name, shape in shapes.items()}
    return [
        shared_array(generator.uniform(-bounds[name], bounds[name], shape).astype(DTYPE), name)
        for name, shape in shapes.items()
    ]


def prepare_tutorial(workload):
    """A function without arguments that does a sentence in the tutorial's way and returns the seconds it took."""
    sgd_step = tutorial_sgd_step(tutorial_parameters(workload.word_dim, workload.hidden_dim))
    batches = timing.minibatches(workload, np.random.default_rng(0))
    learning_rate = np.asarray(LEARNING_RATE, DTYPE)

    def once():
        batch = next(batches)
        start = time.perf_counter()
        float(sgd_step(batch.x[:, 0], batch.y[:, 0], learning_rate))
        return time.perf_counter() - start

    return once


@functools.cache
def prepared(workload, form):
    return prepare_tutorial(workload) if form == "tutorial" else timing.prepare_ours(workload)


def main():
    """Answer requests until the input ends: a JSON object a line in, a JSON list of seconds a line out.

    The first line out tells the versions; a request has the attributes of a `Workload`, a form ("ours" or, for one
    sentence a step, "tutorial") and repeats.
    """
    answer({"versions": versions()})
    for line in sys.stdin:
        request = json.loads(line)
        once = prepared(Workload(**request["workload"]), request["form"])
        answer([once() for _ in range(request["repeats"])])
