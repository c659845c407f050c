"""One step of a beam search with the network, for all its texts at once: which tokens most probably follow."""

import numpy as np

from theano_rnn.engines.engine import Apply, Op, T, as_numpy, compile_function, jax, xla_version
from theano_rnn.networks.cells import simple_step


class Largest(Op):
    """The k largest of each row of z (n, m), and where they are: (n, k) and int32 (n, k); of equals the first."""

    __props__ = ("k",)

    def __init__(self, k):
        self.k = k

    def make_node(self, z):
        z = T.as_tensor_variable(z)
        return Apply(self, [z], [z.type(), T.imatrix()])

    def perform(self, node, inputs, output_storage):
        (z,) = inputs
        order = np.argsort(-z, axis=1, kind="stable")[:, : self.k].astype(np.int32)
        output_storage[0][0] = np.take_along_axis(z, order, axis=1)
        output_storage[1][0] = order


@xla_version(Largest)
def xla_largest(op, **kwargs):
    return lambda z: jax.lax.top_k(z, op.k)


class BeamStep:
    """Finds how texts can go on.

    Parameters
    ----------
    rnn : RNN
    end : int
        The id that ends a text.
    never : sequence of int
        Ids that no text goes on with.
    words_added : array (word_dim,) of int
        By how much each id lengthens a text, in words.
    """

    def __init__(self, rnn, end, never, words_added):
        self.rnn = rnn
        self.end = end
        self.words_added = np.array(words_added, np.int32)
        self.others = np.zeros(rnn.word_dim, rnn.dtype)
        self.others[[end, *never]] = -np.inf
        self._functions = {}

    def _function(self, k, masked):
        rnn = self.rnn

        def build():
            word, words = T.ivector("word"), T.ivector("words")
            s_prev = T.matrix("s_prev", dtype=rnn.dtype)
            min_words, max_words = T.iscalar("min_words"), T.iscalar("max_words")
            forbidden = T.matrix("forbidden", dtype="bool")
            U, V, W = rnn.parameters
            s_t = simple_step(U.T[word], s_prev, W, rnn.activation)
            z = s_t.dot(V.T)
            z = z - z.max(axis=1, keepdims=True)
            log_o = z - T.log(T.exp(z).sum(axis=1, keepdims=True, acc_dtype=z.dtype))
            impossible = np.asarray(-np.inf, rnn.dtype)
            ends = T.switch(words < min_words, impossible, log_o[:, self.end])
            too_long = words[:, None] + T.constant(self.words_added)[None, :] > max_words
            goes_on = T.switch(too_long, impossible, log_o + T.constant(self.others))
            if masked:
                goes_on = T.switch(forbidden, impossible, goes_on)
            inputs = [word, s_prev, words, min_words, max_words, *([forbidden] if masked else [])]
            return inputs, [ends, *Largest(k)(goes_on), s_t], None

        return compile_function(build, rnn.dtype)

    def __call__(self, k, word, s_prev, words, min_words, max_words, forbidden=None):
        """How each of several texts can end or go on.

        Parameters
        ----------
        k : int
            At most word_dim.
        word : array (texts,)
            The last id of each text, and
        s_prev : array (texts, hidden_dim)
            the state before it.
        words : array (texts,)
            Length of each text in words.
        min_words, max_words : int
            A shorter text does not end, and none gets longer.
        forbidden : array (texts, word_dim) of bool, optional
            Ids that a text may not go on with.

        Returns
        -------
        ends : array (texts,)
            ln P(end | text) in nats, under the whole softmax; -inf where it may not end.
        log_probabilities, ids : arrays (texts, k)
            The k most probable other ids, most probable first, ln P of each; -inf for what is not allowed.
        s_t : array (texts, hidden_dim)
        """
        key = (k, forbidden is not None)
        if key not in self._functions:
            self._functions[key] = self._function(*key)
        results = self._functions[key](
            np.asarray(word, np.int32),
            np.asarray(s_prev, self.rnn.dtype),
            np.asarray(words, np.int32),
            np.asarray(min_words, np.int32),
            np.asarray(max_words, np.int32),
            *([] if forbidden is None else [forbidden]),
        )
        return [as_numpy(result) for result in results]
