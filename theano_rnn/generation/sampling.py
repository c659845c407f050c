"""Draws words from a network. A compiled scan carries the state, so the cost is linear in the length of a text.

Uniform random numbers are an argument, because compiled functions have no random state of their own.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from theano_rnn.engines.engine import Apply, Op, T, as_numpy, compile_function, jax, jnp, scan, xla_version
from theano_rnn.networks.architecture import SymbolicNetwork
from theano_rnn.networks.forward import log_probabilities, next_state, output_of_states
from theano_rnn.networks.rnn import RNN

BLOCK_WIDTH = 80  # number of ids in a block; see `_invert`


class Draw(Op):
    """Draws one id for each row of log-weights z (n, word_dim) by inverting the cumulative distribution at u (n,).

    An id of weight zero (z = -inf) is never drawn.

    Parameters
    ----------
    top_k : int or None
        Draw only from the k most probable ids. Ties are broken in favor of the lower id.
    use_top_p : bool
        Whether to draw only from the smallest set of most probable ids whose weights add up to at least the fraction
        `top_p`, an input, of the weights that `top_k` leaves.
    """

    __props__ = ("top_k", "use_top_p")

    def __init__(self, top_k: int | None = None, use_top_p: bool = False) -> None:
        self.top_k = top_k
        self.use_top_p = use_top_p

    def make_node(self, z: Any, u: Any, top_p: Any) -> Any:
        """Apply the operation to symbolic variables."""
        z, u, top_p = (T.as_tensor_variable(variable) for variable in (z, u, top_p))
        return Apply(self, [z, u, top_p], [T.ivector()])

    def perform(self, node: Any, inputs: Sequence[Any], output_storage: Any) -> None:
        """Compute the ids with NumPy."""
        z, u, top_p = inputs
        drawn = np.zeros(len(z), np.int32)
        for row, (weights, uniform) in enumerate(zip(np.exp(z - z.max(axis=1, keepdims=True)), u, strict=True)):
            order = np.argsort(-weights, kind="stable") if self.top_k or self.use_top_p else np.arange(len(weights))
            weights = weights[order[: self.top_k]]
            if self.use_top_p:
                weights = np.where(weights.cumsum() - weights < top_p * weights.sum(), weights, 0)
            sums = weights.cumsum()
            passed = np.flatnonzero((sums > uniform * sums[-1]) & (weights > 0))
            drawn[row] = order[passed[0] if len(passed) else np.argmax(weights)]
        output_storage[0][0] = drawn


@xla_version(Draw)
def xla_draw(op: Draw, **kwargs: Any) -> Callable[[Any, Any, Any], Any]:
    """Return the XLA implementation of a draw."""

    def draw(z: Any, u: Any, top_p: Any) -> Any:
        weights = jnp.exp(z - z.max(axis=1, keepdims=True))
        if not op.top_k and not op.use_top_p:
            return _invert(weights, u)
        weights, order = jax.lax.top_k(weights, min(op.top_k or z.shape[1], z.shape[1]))
        if op.use_top_p:
            before = jnp.cumsum(weights, axis=1) - weights
            weights = jnp.where(before < top_p * weights.sum(axis=1, keepdims=True), weights, 0)
        position = _invert(weights, u)
        return jnp.take_along_axis(order, position[:, None], axis=1)[:, 0].astype(jnp.int32)

    return draw


def _invert(weights: Any, u: Any) -> Any:
    """The first id at which the cumulative weight exceeds u times the total weight.

    The search has two levels: first the block, then the id in it. The cumulative sums over blocks and inside a block
    are small products with triangular matrices. A cumulative sum over the whole vocabulary is ten times slower.
    """
    count, word_dim = weights.shape
    width = min(BLOCK_WIDTH, word_dim)
    blocks = -(-word_dim // width)
    by_block = jnp.pad(weights, ((0, 0), (0, blocks * width - word_dim))).reshape(count, blocks, width)
    in_block = by_block.sum(axis=2)
    block_sums = _cumulative_sums(in_block)
    target = u * block_sums[:, -1]
    block = _first_above(block_sums, in_block, target)
    before = jnp.where(block > 0, jnp.take_along_axis(block_sums, jnp.maximum(block - 1, 0)[:, None], axis=1)[:, 0], 0)
    inside = jnp.take_along_axis(by_block, block[:, None, None], axis=1)[:, 0]
    return block * width + _first_above(_cumulative_sums(inside), inside, target - before)


def _cumulative_sums(weights: Any) -> Any:
    width = weights.shape[1]
    return weights @ jnp.triu(jnp.ones((width, width), weights.dtype))


def _first_above(sums: Any, weights: Any, target: Any) -> Any:
    """The first column of positive weight in each row whose cumulative sum exceeds the target.

    If rounding leaves none, it is the last column of positive weight, because an id of zero weight is never drawn.
    """
    columns = jnp.arange(sums.shape[1], dtype=jnp.int32)
    first = jnp.where((sums > target[:, None]) & (weights > 0), columns, sums.shape[1]).min(axis=1)
    last = jnp.where(weights > 0, columns, 0).max(axis=1)
    return jnp.minimum(first, last)


class Sampler:
    """Draws texts in parallel with a network.

    Parameters
    ----------
    rnn : RNN
    end : int
        The id that ends a text. It is not drawn before a text has the minimum number of words.
    never : sequence of int
        Ids that are never drawn.
    words_added : sequence of int
        The number of words that each id adds to the length of a text.

    Attributes
    ----------
    drawable : set of int
        The ids that may occur in a text.
    has_marks : bool
        Whether some ids, such as punctuation marks, do not count toward the length in words.
    """

    drawable: set[int]
    has_marks: bool

    def __init__(self, rnn: RNN, end: int, never: Sequence[int], words_added: Sequence[int]) -> None:
        self.rnn = rnn
        self.end = end
        self.words_added = [int(added) for added in words_added]
        self.drawable = set(range(rnn.word_dim)) - {end, *never}
        self.has_marks = any(self.words_added[index] < 1 for index in self.drawable)
        # Biases that are added to the outputs: row 0 always, row 1 while a text is too short. The value that forbids an
        # id is finite, because 0 times infinity is not a number.
        self._forbidding_bias = np.asarray(-np.finfo(rnn.dtype).max / 4, rnn.dtype)
        self._biases = np.zeros((2, rnn.word_dim), rnn.dtype)
        self._biases[0, list(never)] = self._forbidding_bias
        self._biases[1, end] = self._forbidding_bias
        self._functions: dict[tuple[int | None, bool, bool, bool], Callable[..., Any]] = {}

    def _read(self, word: Any, s_prev: Any) -> tuple[Any, Any]:
        """The ids that the network reads after `word` was drawn, and the packed states before, as expressions."""
        return word, s_prev

    def _is_too_short(self, word: Any, words: Any, min_words: Any) -> Any:
        """Whether a text may not end after `word`, as an expression."""
        return words < min_words

    def _next_word(self, word: Any, drawn: Any) -> Any:
        """The id after `word` if `drawn` was drawn, as an expression."""
        return drawn

    def _function(self, top_k: int | None, use_top_p: bool, masked: bool, scored: bool) -> Callable[..., Any]:
        rnn = self.rnn
        draw = Draw(top_k, use_top_p)

        architecture, names = rnn.architecture, rnn.parameter_names

        def transposed(parameters: Mapping[str, Any]) -> dict[str, Any]:
            # The products in the loop need transposed weights, which would otherwise be computed anew at each step. A
            # second call undoes the first.
            return {name: value.T if name[0] in "UW" else value for name, value in parameters.items()}

        def step(
            u_t: Any, forbidden_t: Any, word: Any, s_prev: Any, words: Any,
            weights: Any, words_added: Any, temperature: Any, min_words: Any, top_p: Any, *parameters: Any,
        ) -> Any:  # fmt: skip
            network = SymbolicNetwork(architecture, transposed(dict(zip(names, parameters, strict=True))))
            top, s_t = next_state(*self._read(word, s_prev), network)
            one = T.ones_like(too_short := T.cast(self._is_too_short(word, words, min_words), top.dtype)[:, None])
            inputs = [top / temperature, one, too_short, *([one / temperature] if rnn.bias else [])]
            z = T.concatenate(inputs, axis=1).dot(weights)
            if masked:
                z = T.switch(forbidden_t, self._forbidding_bias, z)
            word = self._next_word(word, draw(z, u_t, top_p))
            return word, s_t, words + words_added[word]

        def build() -> Any:
            u = T.matrix("u", dtype=rnn.dtype)
            forbidden = T.tensor3("forbidden", dtype="bool")
            word, words = T.ivector("word"), T.ivector("words")
            s_init = T.matrix("s_init", dtype=rnn.dtype)
            temperature, top_p = (T.scalar(name, dtype=rnn.dtype) for name in ("temperature", "top_p"))
            min_words = T.iscalar("min_words")
            # V s_t / temperature and the biases are one product, because adding to z is as slow as the product itself.
            c = rnn.symbolic.c
            rows = [rnn.V.T, T.constant(self._biases), *([c[None, :]] if c is not None else [])]
            words_added = T.constant(np.array(self.words_added, np.int32))
            drawn, s, counts = scan(
                step if masked else lambda u_t, *others: step(u_t, None, *others),
                sequences=[u, forbidden] if masked else u,
                outputs_info=[word, s_init, words],
                non_sequences=[
                    T.concatenate(rows, axis=0),
                    words_added,
                    temperature,
                    min_words,
                    top_p,
                    *transposed(rnn.symbolic.parameters).values(),
                ],
                n_steps=u.shape[0],
                strict=True,
            )
            inputs = [u, word, s_init, words, temperature, min_words, top_p, *([forbidden] if masked else [])]
            outputs = [drawn, s[-1], counts[-1]]
            if scored:  # outside the loop, so that the same ids are drawn with and without scores
                outputs.append(log_probabilities(output_of_states(s, rnn.symbolic), rnn.symbolic, drawn))
            return inputs, outputs, None

        return compile_function(build, rnn.dtype)

    def draw(
        self,
        u: npt.ArrayLike,
        word: npt.ArrayLike,
        s_prev: npt.ArrayLike,
        words: npt.ArrayLike,
        temperature: float = 1.0,
        min_words: int = 0,
        top_k: int | None = None,
        top_p: float | None = None,
        forbidden: npt.NDArray[np.bool_] | None = None,
    ) -> tuple[npt.NDArray[np.int32], Any, Any]:
        """Draw the next tokens of several texts.

        Parameters
        ----------
        u : array (steps, texts)
            Uniform random numbers in [0, 1).
        word : int array (texts,)
            The last id of each text.
        s_prev : array (texts, state_dim)
            The packed states before `word` is read.
        words : int array (texts,)
            Length of each text so far, in words.
        temperature : float
            Above 0; the outputs are softmax(V s_t / temperature).
        min_words : int
            Texts with fewer words do not end.
        top_k : int, optional
            Draw only from the k most probable ids.
        top_p : float, optional
            Draw only from the most probable ids that together have this probability.
        forbidden : bool array (steps, texts, word_dim), optional
            The ids that each text may not draw at each step; `top_k` and `top_p` apply to the others.

        Returns
        -------
        drawn : int32 array (steps, texts)
            Ids after the end of a text are meaningless.
        s_prev : array (texts, state_dim)
        words : int32 array (texts,)
            Arguments of the next call.
        """
        drawn, s_last, words = self._results(
            False, u, word, s_prev, words, temperature, min_words, top_k, top_p, forbidden
        )
        return as_numpy(drawn), s_last, words

    def draw_scored(self, *arguments: Any, **options: Any) -> tuple[npt.NDArray[np.int32], Any, Any, npt.NDArray[Any]]:
        """Draw like `draw`, and return the log-probabilities of the ids too.

        Parameters
        ----------
        *arguments, **options
            Those of `draw`.

        Returns
        -------
        drawn, s_prev, words
            As from `draw`: the same ids.
        log_probabilities : array (steps, texts)
            ln P of each id in nats under the network's own softmax, whatever the temperature, `top_k`, `top_p` and the
            ids that are not allowed.
        """
        drawn, s_last, words, values = self._results(True, *arguments, **options)
        return as_numpy(drawn), s_last, words, as_numpy(values)

    def _results(
        self,
        scored: bool,
        u: npt.ArrayLike,
        word: npt.ArrayLike,
        s_prev: npt.ArrayLike,
        words: npt.ArrayLike,
        temperature: float = 1.0,
        min_words: int = 0,
        top_k: int | None = None,
        top_p: float | None = None,
        forbidden: npt.NDArray[np.bool_] | None = None,
    ) -> Any:
        key = (top_k, top_p is not None, forbidden is not None, scored)
        if key not in self._functions:
            self._functions[key] = self._function(*key)
        dtype = self.rnn.dtype
        return self._functions[key](
            np.asarray(u, dtype),
            np.asarray(word, np.int32),
            s_prev,
            np.asarray(words, np.int32),
            np.asarray(temperature, dtype),
            np.asarray(min_words, np.int32),
            np.asarray(1.0 if top_p is None else top_p, dtype),
            *([] if forbidden is None else [forbidden]),
        )
