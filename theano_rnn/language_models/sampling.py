"""Drawing words with the network: a compiled scan that carries the state, so that the cost is linear in the length.

Random numbers come in as an array of uniforms: compiled functions keep no random state of their own.
"""

import numpy as np

from theano_rnn.engines.engine import Apply, Op, T, as_numpy, compile_function, jax, jnp, scan, xla_version

BLOCK = 80


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


@xla_version(Draw)
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
    """The first id at which the cumulated weights exceed u times their sum, found in two levels: block, then id in it.

    Sums over blocks, and inside one block, are small products with triangular matrices: a cumulative sum over the
    whole vocabulary is ten times slower.
    """
    count, word_dim = weights.shape
    width = min(BLOCK, word_dim)
    blocks = -(-word_dim // width)
    by_block = jnp.pad(weights, ((0, 0), (0, blocks * width - word_dim))).reshape(count, blocks, width)
    in_block = by_block.sum(axis=2)
    block_sums = cumulated(in_block)
    target = u * block_sums[:, -1]
    block = first_beyond(block_sums, in_block, target)
    before = jnp.where(block > 0, jnp.take_along_axis(block_sums, jnp.maximum(block - 1, 0)[:, None], axis=1)[:, 0], 0)
    inside = jnp.take_along_axis(by_block, block[:, None, None], axis=1)[:, 0]
    return block * width + first_beyond(cumulated(inside), inside, target - before)


def cumulated(weights):
    width = weights.shape[1]
    return weights @ jnp.triu(jnp.ones((width, width), weights.dtype))


def first_beyond(sums, weights, target):
    """In each row the first place of positive weight whose cumulated sum exceeds the target.

    Where rounding leaves none, the last place of positive weight: nothing is ever drawn that has no weight.
    """
    places = jnp.arange(sums.shape[1], dtype=jnp.int32)
    first = jnp.where((sums > target[:, None]) & (weights > 0), places, sums.shape[1]).min(axis=1)
    last = jnp.where(weights > 0, places, 0).max(axis=1)
    return jnp.minimum(first, last)


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

    Attributes
    ----------
    drawable : set of int
        The ids that a text can be made of.
    has_marks : bool
        Whether a text can be continued without becoming longer in words.
    """

    def __init__(self, rnn, end, never, words_added):
        self.rnn = rnn
        self.end = end
        self.words_added = [int(added) for added in words_added]
        self.drawable = set(range(rnn.word_dim)) - {end, *never}
        self.has_marks = any(self.words_added[index] < 1 for index in self.drawable)
        # Added to the outputs always, and while a text is too short; finite, because 0 times infinity is no number.
        self.forbidding = np.asarray(-np.finfo(rnn.dtype).max / 4, rnn.dtype)
        self.biases = np.zeros((2, rnn.word_dim), rnn.dtype)
        self.biases[0, list(never)] = self.forbidding
        self.biases[1, end] = self.forbidding
        self._functions = {}

    def _function(self, top_k, use_top_p, masked):
        rnn = self.rnn
        draw = Draw(top_k, use_top_p)

        U, V, *recurrent_weights = rnn.parameters
        cell = rnn.recurrent_cell

        def step(
            u_t, forbidden_t, word, s_prev, words,
            UT, VT_and_biases, words_added, temperature, min_words, top_p, *weights,
        ):  # fmt: skip
            s_t = cell.next_state(UT[word], s_prev, *weights)
            too_short = T.cast(words < min_words, s_t.dtype)[:, None]
            z = T.concatenate([s_t / temperature, T.ones_like(too_short), too_short], axis=1).dot(VT_and_biases)
            if masked:
                z = T.switch(forbidden_t, self.forbidding, z)
            word = draw(z, u_t, top_p)
            return word, s_t, words + words_added[word]

        def build():
            u = T.matrix("u", dtype=rnn.dtype)
            forbidden = T.tensor3("forbidden", dtype="bool")
            word, words = T.ivector("word"), T.ivector("words")
            s_init = T.matrix("s_init", dtype=rnn.dtype)
            temperature, top_p = (T.scalar(name, dtype=rnn.dtype) for name in ("temperature", "top_p"))
            min_words = T.iscalar("min_words")
            # V s_t / temperature and what forbids words, in one product: adding to z is as slow as the product itself.
            VT_and_biases = T.concatenate([V.T, T.constant(self.biases)], axis=0)
            words_added = T.constant(np.array(self.words_added, np.int32))
            drawn, s, counts = scan(
                step if masked else lambda u_t, *others: step(u_t, None, *others),
                sequences=[u, forbidden] if masked else u,
                outputs_info=[word, s_init, words],
                non_sequences=[U.T, VT_and_biases, words_added, temperature, min_words, top_p, *recurrent_weights],
                n_steps=u.shape[0],
                strict=True,
            )
            inputs = [u, word, s_init, words, temperature, min_words, top_p, *([forbidden] if masked else [])]
            return inputs, [drawn, s[-1], counts[-1]], None

        return compile_function(build, rnn.dtype)

    def draw(self, u, word, s_prev, words, temperature=1.0, min_words=0, top_k=None, top_p=None, forbidden=None):
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
        forbidden : array (steps, texts, word_dim) of bool, optional
            What each text may not draw at each step; `top_k` and `top_p` choose from the rest.

        Returns
        -------
        drawn : array (steps, texts) of int32; what follows a text's end has no meaning
        s_prev, words : as the arguments, for the next call
        """
        key = (top_k, top_p is not None, forbidden is not None)
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
            *([] if forbidden is None else [forbidden]),
        )
        return as_numpy(drawn), s_last, words
