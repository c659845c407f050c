"""The lower bound of the benchmark: the time of the matrix products that a workload requires."""

import dataclasses
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from theano_rnn.benchmarks.workloads import Workload
from theano_rnn.engines.engine import block_until_ready, compile_function, scan, shared_array
from theano_rnn.networks.cells import CELLS

SCORED_ROWS = 640  # states per product in scoring; with more, the outputs would not fit in the processor's cache
WARM_UP_CALLS, TIMED_CALLS = 2, 20

Shape = tuple[int, int, int]


def lower_bound_seconds(workload: Workload) -> float:
    """Time a workload's bare matrix products in float32.

    Parameters
    ----------
    workload : Workload

    Returns
    -------
    float
        Seconds, without the overhead of calls; 0.0 if the products are too small to be timed.
    """
    if workload.kind in ("generate", "advance"):
        return generation_seconds(workload)
    call = product_seconds((1, 1, 1))
    return sum(count * max(product_seconds(shape) - call, 0) for shape, count in matrix_products(workload))


def matrix_products(workload: Workload) -> list[tuple[Shape, float]]:
    """List the matrix products that training or scoring requires.

    The recurrence is counted as if a single product could compute all of its steps.

    Parameters
    ----------
    workload : Workload

    Returns
    -------
    list of (shape, count)
        The shape (m, k, n) of a product of an (m, k) and a (k, n) matrix, and the number of such products.

    Examples
    --------
    >>> matrix_products(Workload("S", "score", word_dim=30, hidden_dim=4, steps=20, batch_size=64, description=""))
    [((640, 4, 30), 2.0), ((640, 4, 4), 2.0)]
    """
    H, n = workload.hidden_dim, workload.tokens
    compared = min(workload.samples + n, workload.word_dim) if workload.samples else workload.word_dim
    matrices = [(H, compared), *layer_matrices(workload)]
    if workload.reads:
        outputs = workload.batch_size if workload.kind == "classify" else n
        one = [product for matrix in layer_matrices(workload) for product in training_products(n, *matrix)]
        if workload.frame_dim:
            gates = layer_matrices(workload)[0][1]
            one.remove(((n, gates, workload.frame_dim), 1))  # frames need no error
        return [*training_products(outputs, 2 * H, workload.labels), *one, *one]
    if workload.kind == "decode":
        rows = workload.batch_size * workload.beam
        reading = [((n, *matrix), 1.0) for matrix in source_matrices(workload)]
        return reading + [((rows, *matrix), float(workload.steps)) for matrix in target_matrices(workload)]
    if workload.kind == "translate":
        matrices = source_matrices(workload) + target_matrices(workload)
    if workload.learns:
        return [product for matrix in matrices for product in training_products(n, *matrix)]
    rows = min(n, SCORED_ROWS)
    return [((rows, *matrix), n / rows) for matrix in matrices]


def training_products(n: int, width: int, height: int) -> list[tuple[Shape, float]]:
    """The products of a (height, width) matrix V with n states s and errors e: V s, Vᵀ e and e sᵀ."""
    return [((n, width, height), 1), ((n, height, width), 1), ((height, n, width), 1)]


def layer_matrices(workload: Workload) -> list[tuple[int, int]]:
    """Return the shapes of the matrices in the products of all layers in one direction, as (columns, rows).

    They are W of each layer, and U of each layer that reads vectors, not one-hot words.
    """
    H = workload.hidden_dim
    rows = H * len(CELLS[workload.cell]("tanh").gates)
    inputs = [workload.embedding_dim or workload.frame_dim, *[2 * H if workload.reads else H] * (workload.layers - 1)]
    return [(H, rows)] * workload.layers + [(width, rows) for width in inputs if width]


def source_matrices(workload: Workload) -> list[tuple[int, int]]:
    """The shapes of the matrices that a network that writes needs for each word of a source."""
    H = workload.hidden_dim
    one_direction = layer_matrices(dataclasses.replace(workload, kind="tag"))
    return [*one_direction, *one_direction, (2 * H, H)]


def target_matrices(workload: Workload) -> list[tuple[int, int]]:
    """The same for each word of a target. Attention reads `steps` states."""
    H, E = workload.hidden_dim, workload.embedding_dim or workload.hidden_dim
    attention = [(H, workload.steps), (workload.steps, 2 * H), (3 * H, E)]
    return [*layer_matrices(dataclasses.replace(workload, kind="step")), *attention, (E, workload.word_dim)]


def product_seconds(shape: Shape) -> float:
    """Time one matrix product in float32, compiled and called like the package's own functions.

    Parameters
    ----------
    shape : (m, k, n)

    Returns
    -------
    float
        The shortest time of several runs, in seconds.
    """
    m, k, n = shape
    a, b = _random_matrix("a", m, k), _random_matrix("b", k, n)
    return _shortest_seconds(compile_function(lambda: ([], a.dot(b), None), "float32"))


def generation_seconds(workload: Workload) -> float:
    """Time the products of generation: those of the layers and V s, where each step depends on the previous one.

    Parameters
    ----------
    workload : Workload

    Returns
    -------
    float
        The shortest time of several runs, in seconds.
    """
    H = workload.hidden_dim
    s, VT = _random_matrix("s", workload.batch_size, H), _random_matrix("VT", H, workload.word_dim)
    # An embedding counts as if it were as wide as a layer.
    matrices = [_random_matrix("M", H, rows) for _, rows in layer_matrices(workload)]

    def step(s: Any, VT: Any, *matrices: Any) -> Any:
        # The maximum uses all columns. If only some were used, XLA would compute only those.
        for matrix in matrices:
            product = s.dot(matrix)
            s = product[:, :H] + product.max(axis=1, keepdims=True)
        return s + s.dot(VT).max(axis=1, keepdims=True)

    def build() -> tuple[list[Any], Any, None]:
        states = scan(
            step,
            outputs_info=[s],
            non_sequences=[VT, *matrices],
            n_steps=workload.steps,
            strict=True,
        )
        return [], states[-1], None

    return _shortest_seconds(compile_function(build, "float32"))


def _random_matrix(name: str, rows: int, columns: int) -> Any:
    return shared_array(np.random.default_rng(0).random((rows, columns), dtype=np.float32), name)


def _shortest_seconds(function: Callable[[], Any]) -> float:
    """Return the shortest time of a compiled function without inputs, in seconds."""
    times = []
    for _ in range(WARM_UP_CALLS + TIMED_CALLS):
        start = time.perf_counter()
        block_until_ready(function())
        times.append(time.perf_counter() - start)
    return min(times[WARM_UP_CALLS:])
