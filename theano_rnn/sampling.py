"""Drawing words with the network: a compiled scan that carries the state, so that the cost is linear in the length.

Random numbers come in as an array of uniforms: compiled functions keep no random state of their own.
"""

import jax
import jax.numpy as jnp
import numpy as np
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op
from pytensor.link.jax.dispatch import jax_funcify

from theano_rnn.cells import simple_step
from theano_rnn.engine import T, as_numpy, compile_function, theano

BLOCK = 128


class Draw(Op):
    """Draw one id for each row of log-weights z (n, word_dim) by inverting the cumulative distribution at u (n,).

    Of equal weights the lower id counts as the more probable one. `top_k` keeps the k most probable ids; the input
    top_p keeps the fewest most probable ids that together reach that share of what `top_k` has left. An id of weight
    zero (z = -inf) is never drawn.

    Parameters
    ----------
    top_k : int or None
    use_top_p : bool
    """

    __props__ = ("top_k", "use_top_p")

    def __init__(self, top_k=None, use_top_p=False):
        self.top_k = top_k
        self.use_top_p = use_top_p

    def make_node(self, z, u, top_p):
        z, u, top_p = (T.as_tensor_variable(variable) for variable in (z, u, top_p))
        return Apply(self, [z, u, top_p], [T.ivector()])

    def perform(self, node, inputs, output_storage):
        z, u, top_p = inputs
        drawn = np.zeros(len(z), np.int32)
        for row, (weights, uniform) in enumerate(zip(np.exp(z - z.max(axis=1, keepdims=True)), u, strict=True)):
            order = np.argsort(-weights, kind="stable") if self.top_k or self.use_top_p else np.arange(len(weights))
            weights = weights[order[: self.top_k]]
            if self.use_top_p:
                weights = np.where(weights.cumsum() - weights < top_p * weights.sum(), weights, 0)
            cumulated = weights.cumsum()
            passed = np.flatnonzero((cumulated > uniform * cumulated[-1]) & (weights > 0))
            drawn[row] = order[passed[0] if len(passed) else np.argmax(weights)]
        output_storage[0][0] = drawn


@jax_funcify.register(Draw)
def xla_draw(op, **kwargs):
    def draw(z, u, top_p):
        weights = jnp.exp(z - z.max(axis=1, keepdims=True))
        if not op.top_k and not op.use_top_p:
            return invert(weights, u)
        weights, order = jax.lax.top_k(weights, min(op.top_k or z.shape[1], z.shape[1]))
        if op.use_top_p:
            before = jnp.cumsum(weights, axis=1) - weights
            weights = jnp.where(before < top_p * weights.sum(axis=1, keepdims=True), weights, 0)
        position = invert(weights, u)
        return jnp.take_along_axis(order, position[:, None], axis=1)[:, 0].astype(jnp.int32)

    return draw


def invert(weights, u):
    """The id at which the cumulated weights pass u times their sum, found in two levels: block, then id in the block.

    Sums over blocks, and inside one block, are small products with triangular matrices: a cumulative sum over the
    whole vocabulary is ten times slower.
    """
    count, word_dim = weights.shape
    width = min(BLOCK, word_dim)
    blocks = -(-word_dim // width)
    by_block = jnp.pad(weights, ((0, 0), (0, blocks * width - word_dim))).reshape(count, blocks, width)
    block_sums = by_block.sum(axis=2) @ jnp.triu(jnp.ones((blocks, blocks), weights.dtype))
    target = u * block_sums[:, -1]
    block = jnp.minimum((block_sums <= target[:, None]).sum(axis=1), blocks - 1)
    before = jnp.where(block > 0, jnp.take_along_axis(block_sums, jnp.maximum(block - 1, 0)[:, None], axis=1)[:, 0], 0)
    inside = jnp.take_along_axis(by_block, block[:, None, None], axis=1)[:, 0]
    sums = inside @ jnp.triu(jnp.ones((width, width), weights.dtype))
    position = jnp.minimum((sums <= (target - before)[:, None]).sum(axis=1), width - 1)
    drawn = jnp.minimum(block * width + position, word_dim - 1)
    # Rounding can lead just past the last id of positive weight; the most probable id then stands in.
    weight = jnp.take_along_axis(weights, drawn[:, None], axis=1)[:, 0]
    return jnp.where(weight > 0, drawn, jnp.argmax(weights, axis=1)).astype(jnp.int32)


class Sampler:
    """Draws texts side by side with a network.

    Parameters
    ----------
    rnn : RNN
    end : int
        The id that ends a text; it is not drawn while a text has fewer than the asked number of words.
    never : sequence of int
        Ids that are never drawn.
    words_added : array (word_dim,) of int
        By how much each id lengthens a text, in words.
    """

    def __init__(self, rnn, end, never, words_added):
        self.rnn = rnn
        self.end = end
        self.words_added = np.asarray(words_added, np.int32)
        self.bias = np.zeros(rnn.word_dim, rnn.dtype)
        self.bias[list(never)] = -np.inf
        self.end_bias = np.zeros(rnn.word_dim, rnn.dtype)
        self.end_bias[end] = -np.inf
        self._functions = {}

    def _function(self, top_k, use_top_p):
        rnn = self.rnn
        draw = Draw(top_k, use_top_p)

        def step(u_t, word, s_prev, words, U, V, W, bias, end_bias, words_added, temperature, min_words, top_p):
            s_t = simple_step(U.T[word], s_prev, W, rnn.activation)
            z = s_t.dot(V.T) / temperature + bias
            z = T.switch((words < min_words)[:, None], z + end_bias, z)
            word = draw(z, u_t, top_p)
            return T.specify_shape(word, (None,)), s_t, words + words_added[word]

        def build():
            u = T.matrix("u", dtype=rnn.dtype)
            word, words = T.ivector("word"), T.ivector("words")
            s_init = T.matrix("s_init", dtype=rnn.dtype)
            temperature, top_p = (T.scalar(name, dtype=rnn.dtype) for name in ("temperature", "top_p"))
            min_words = T.iscalar("min_words")
            constants = [T.constant(value) for value in (self.bias, self.end_bias, self.words_added)]
            drawn, s, counts = theano.scan(
                step,
                sequences=u,
                outputs_info=[word, s_init, words],
                non_sequences=[rnn.U, rnn.V, rnn.W, *constants, temperature, min_words, top_p],
                n_steps=u.shape[0],
                strict=True,
                return_updates=False,
            )
            return [u, word, s_init, words, temperature, min_words, top_p], [drawn, s[-1], counts[-1]], None

        return compile_function(build, rnn.dtype)

    def draw(self, u, word, s_prev, words, temperature=1.0, min_words=0, top_k=None, top_p=None):
        """Draw the next words of several texts.

        Parameters
        ----------
        u : array (steps, texts)
            Uniform random numbers from [0, 1).
        word : array (texts,)
            The last word of each text, and
        s_prev : array (texts, hidden_dim)
            the state before it.
        words : array (texts,)
            Length of each text so far, in words.
        temperature : float
            Above 0; the outputs are softmax(V s_t / temperature).
        min_words : int
            Below this length no text ends.
        top_k : int, optional
        top_p : float, optional

        Returns
        -------
        drawn : array (steps, texts) of int32; what follows a text's end has no meaning
        s_prev, words : as the arguments, for the next call
        """
        key = (top_k, top_p is not None)
        if key not in self._functions:
            self._functions[key] = self._function(*key)
        dtype = self.rnn.dtype
        drawn, s_last, words = self._functions[key](
            np.asarray(u, dtype),
            np.asarray(word, np.int32),
            s_prev,
            np.asarray(words, np.int32),
            np.asarray(temperature, dtype),
            np.asarray(min_words, np.int32),
            np.asarray(1.0 if top_p is None else top_p, dtype),
        )
        return as_numpy(drawn), s_last, words
