"""The benchmark's workloads on the original Theano: theano_rnn's functions, and the tutorial's own graph.

Runs in a separate process (see `main`), in an interpreter that has theano_rnn and Theano.
"""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from theano_rnn.benchmarks.contender_process import answer_requests
from theano_rnn.benchmarks.package_workloads import prepare, random_minibatches, stopwatch
from theano_rnn.benchmarks.workloads import LEARNING_RATE, Workload
from theano_rnn.engines.engine import T, compile_function, scan, shared_array, theano, versions

DTYPE = "float32"


def tutorial_sgd_step(parameters: list[Any]) -> Any:
    """Compile the SGD step of the tutorial's class (part 2): softmax inside `scan`, `theano.grad`, dense updates.

    The gradient flows through the whole sentence. With ``truncate_gradient=4``, `scan` would differentiate only the
    last four steps. That is less work, but not the truncation that the tutorial describes.

    Parameters
    ----------
    parameters : list of Theano shared variables
        U, V and W, stored as in the tutorial.

    Returns
    -------
    CompiledFunction
        Takes (x, y, learning_rate) and returns the loss before the step, in nats, summed over the words.
    """

    def build() -> tuple[list[Any], Any, list[tuple[Any, Any]]]:
        x, y, learning_rate = T.ivector("x"), T.ivector("y"), T.scalar("learning_rate", dtype=DTYPE)
        U, V, W = parameters

        def forward_prop_step(x_t: Any, s_prev: Any, U: Any, V: Any, W: Any) -> list[Any]:
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


def tutorial_parameters(word_dim: int, hidden_dim: int) -> list[Any]:
    """Initialize U, V and W as the tutorial does: uniform within ±1/√n, where n is the number of inputs.

    Parameters
    ----------
    word_dim, hidden_dim : int

    Returns
    -------
    list of Theano shared variables
        U (hidden_dim, word_dim), V (word_dim, hidden_dim), W (hidden_dim, hidden_dim).
    """
    generator = np.random.default_rng(1)
    shapes = {"U": (hidden_dim, word_dim), "V": (word_dim, hidden_dim), "W": (hidden_dim, hidden_dim)}
    bounds = {name: np.sqrt(1 / shape[1]) for name, shape in shapes.items()}
    return [
        shared_array(generator.uniform(-bounds[name], bounds[name], shape).astype(DTYPE), name)
        for name, shape in shapes.items()
    ]


def prepare_tutorial(workload: Workload) -> Callable[[], float]:
    """Build the tutorial's model for a workload of kind "sentence", and return a function that times one run.

    Parameters
    ----------
    workload : Workload

    Returns
    -------
    callable
        See `theano_rnn.benchmarks.package_workloads.prepare`.
    """
    sgd_step = tutorial_sgd_step(tutorial_parameters(workload.word_dim, workload.hidden_dim))
    batches = random_minibatches(workload)
    learning_rate = np.asarray(LEARNING_RATE, DTYPE)

    def draw() -> tuple[np.ndarray, np.ndarray]:
        batch = next(batches)
        return batch.x[:, 0], batch.y[:, 0]

    return stopwatch(draw, lambda x, y: float(sgd_step(x, y, learning_rate)))


@functools.cache
def _prepared(workload: Workload, variant: str) -> Callable[[], float]:
    return prepare_tutorial(workload) if variant == "tutorial" else prepare(workload)


def main() -> None:
    """Answer requests until standard input ends.

    The greeting contains the versions. A request has the attributes of a `Workload`, a ``variant`` ("ours" or, for
    workloads of kind "sentence", "tutorial") and ``repeats``; the answer is a list of seconds.
    """

    def answer(workload: dict[str, Any], variant: str, repeats: int) -> list[float]:
        run_once = _prepared(Workload(**workload), variant)
        return [run_once() for _ in range(repeats)]

    answer_requests({"versions": versions()}, answer)
