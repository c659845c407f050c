"""The network that writes: from a source to the words of a target, the loss and its gradients. Symbolic expressions.

    source words x_j, or features z of the source
     |   encoder: states h_j in both directions; z: the last ones, joined
    s_{-1} = tanh(B z + d)                 the bridge, for all matrices of the state
     |   decoder: the layers of a language model, which read the words before y_t
    s_t = f(U E[y_{t-1}] + W s_{t-1})
     |   attention: c_t = Σ_j α_tj h_j
    q_t = tanh(O [s_t; c_t] + a)           without attention c_t = z if the network repeats z, else O s_t + a
     |
    o_t = softmax(V q_t + c)

The parameters of the decoder have the names of a language model's; those of the encoder end with "_source".
"""

from typing import NamedTuple

from theano_rnn.decoders.attention import Attention, Memory, attend, attention_gradients, by_text, memory
from theano_rnn.decoders.writer_settings import SOURCE, Source, SymbolicWriter, WriterSettings
from theano_rnn.encoders.encoder import Encoding, encode, encoder_gradients, is_word
from theano_rnn.encoders.heads import Text
from theano_rnn.engines.array_functions import concatenate, tanh
from theano_rnn.engines.engine import T
from theano_rnn.engines.tensor_types import TensorVariable
from theano_rnn.networks.bptt import add_by_word
from theano_rnn.networks.forward import by_step, columns, dropped, recurrent_activations, rows, with_bias
from theano_rnn.networks.softmax import softmax_cross_entropy, softmax_log_probability

LAST_STATES = Text("last")


class ReadSource(NamedTuple):
    """The forward pass over the source.

    Attributes
    ----------
    encoding : Encoding or None
        The states of all layers, if the source is words.
    memory : Memory or None
        What attention reads.
    z : matrix (batch_size, source_dim)
        What the bridge reads.
    initial : matrix (batch_size, state_dim)
        The packed states of the decoder before the first step.
    """

    encoding: Encoding | None
    memory: Memory | None
    z: TensorVariable
    initial: TensorVariable


def read_source(source: Source, writer: SymbolicWriter, mask: TensorVariable | None = None) -> ReadSource:
    """Read a minibatch of sources. The mask has the columns of dropout that belong to the source."""
    encoding = found = None
    if source.features is not None:
        z = source.features if mask is None else source.features * mask
    else:
        vectors = columns(source.x, writer.source_embeddings.T)
        encoding = encode(source.x, vectors, source.lengths, writer.encoder, mask)
        z = LAST_STATES.read(encoding, source.lengths)
        if writer.settings.attention:
            found = memory(encoding.output, source.x, source.lengths, writer.A)
    return ReadSource(encoding, found, z, tanh(with_bias(z.dot(writer.B.T), writer.d)))


def unpacked(state: TensorVariable, settings: WriterSettings) -> list[list[TensorVariable]]:
    """Split packed states (batch_size, state_dim) into the matrices of each layer, (batch_size, hidden_dim)."""
    H, count = settings.hidden_dim, len(settings.recurrent_cell.state_names)
    matrices = [state[:, begin : begin + H] for begin in range(0, settings.state_dim, H)]
    return [matrices[begin : begin + count] for begin in range(0, len(matrices), count)]


def output_vectors(s: TensorVariable, contexts: TensorVariable | None, writer: SymbolicWriter) -> TensorVariable:
    """q = tanh(O [s; c] + a) for rows of s and of the contexts: (n, embedding_dim)."""
    read = s if contexts is None else concatenate([s, contexts], axis=1)
    return tanh(with_bias(read.dot(writer.O.T), writer.a))


def repeated(z: TensorVariable, s: TensorVariable) -> TensorVariable:
    """z for each step or hypothesis: an array with all axes of s, but the last one of z."""
    return T.zeros_like(s[:, :, 0]).dimshuffle(0, 1, "x") + z


class WrittenTarget(NamedTuple):
    """The forward pass over the target.

    Attributes
    ----------
    encoding : Encoding
        The states of the decoder.
    attention : Attention or None
    contexts : matrix (steps * batch_size, source_dim) or None
        c_t.
    q : matrix (steps * batch_size, embedding_dim)
        q_t, without dropout.
    """

    encoding: Encoding
    attention: Attention | None
    contexts: TensorVariable | None
    q: TensorVariable


def write_target(
    x: TensorVariable,
    lengths: TensorVariable,
    read: ReadSource,
    writer: SymbolicWriter,
    mask: TensorVariable | None = None,
) -> WrittenTarget:
    """Compute q_t for the words x (steps, batch_size) that are before those of the target."""
    initial = unpacked(read.initial, writer.settings)
    encoding = encode(x, columns(x, writer.embeddings.T), lengths, writer.decoder, mask, initial)
    if read.memory is None:
        contexts = rows(repeated(read.z, encoding.output)) if writer.settings.repeats_z else None
        return WrittenTarget(encoding, None, contexts, output_vectors(rows(encoding.output), contexts, writer))
    attention = attend(by_text(encoding.output), read.memory)
    contexts = rows(by_text(attention.contexts))
    return WrittenTarget(encoding, attention, contexts, output_vectors(rows(encoding.output), contexts, writer))


def log_probabilities_of_targets(
    source: Source, x: TensorVariable, y: TensorVariable, lengths: TensorVariable, writer: SymbolicWriter
) -> TensorVariable:
    """ln o_t[y_t] in nats: (steps, batch_size), 0 on padding."""
    written = write_target(x, lengths, read_source(source, writer), writer)
    values = softmax_log_probability(written.q, writer.V, writer.c, y.reshape((-1,)))
    values = values.reshape((x.shape[0], x.shape[1]))
    return T.switch(is_word(x, lengths), values, T.zeros_like(values))


def loss_and_gradients(
    source: Source,
    x: TensorVariable,
    y: TensorVariable,
    lengths: TensorVariable,
    writer: SymbolicWriter,
    dropout_mask: TensorVariable | None = None,
) -> tuple[TensorVariable, dict[str, TensorVariable]]:
    """The forward and the backward pass over a minibatch.

    Parameters
    ----------
    source : Source
    x, y : matrices (steps, batch_size)
        The words before each word of the target, and those words.
    lengths : vector (batch_size,) of int
        The number of words of each target; 0 for an empty column.
    writer : SymbolicWriter
    dropout_mask : matrix (batch_size, dropout_dim), optional

    Returns
    -------
    loss : scalar
        -Σ ln o_t[y_t] over all words of all targets, in nats.
    gradients : dict of str to tensor
        One for each parameter, by name, in the order of `WriterSettings.parameter_shapes`.
    """
    of_source, of_decoder, of_q = split_mask(dropout_mask, writer.settings)
    read = read_source(source, writer, of_source)
    written = write_target(x, lengths, read, writer, of_decoder)
    weights = T.cast(is_word(x, lengths), written.q.dtype).reshape((-1,))
    q = rows(dropped(by_step(written.q, x), of_q))
    loss, dq, dV, dc = softmax_cross_entropy(q, writer.V, writer.c, y.reshape((-1,)), weights)
    gradients = {"V": dV, "c": dc}

    dq = rows(dropped(by_step(dq, x), of_q)) * (1 - written.q**2)
    s = rows(written.encoding.output)
    gradients |= {
        "O": dq.T.dot(s if written.contexts is None else T.concatenate([s, written.contexts], axis=1)),
        "a": dq.sum(axis=0, acc_dtype=dq.dtype),
    }
    H = writer.settings.hidden_dim
    ds, dh, dz = by_step(dq.dot(writer.O[:, :H]), x), None, None
    if writer.settings.repeats_z:
        dz = by_step(dq.dot(writer.O[:, H:]), x).sum(axis=0, acc_dtype=dq.dtype)
    if written.attention is not None and read.memory is not None:
        d_contexts = by_text(by_step(dq.dot(writer.O[:, H:]), x))
        s_by_text = by_text(written.encoding.output)
        found = attention_gradients(d_contexts, s_by_text, read.memory, written.attention, writer.A)
        ds, dh = ds + by_text(found.s), by_text(found.h)
        gradients["A"] = found.A
    of_layers = encoder_gradients(written.encoding, ds, writer.decoder)
    gradients |= of_layers.parameters
    dE = add_by_word(T.zeros_like(writer.embeddings), x, of_layers.vectors)

    d_initial = T.concatenate([one for layer in of_layers.initial for one in layer], axis=1) * (1 - read.initial**2)
    gradients |= {"B": d_initial.T.dot(read.z), "d": d_initial.sum(axis=0, acc_dtype=dq.dtype)}
    if read.encoding is not None:
        dz = d_initial.dot(writer.B) if dz is None else d_initial.dot(writer.B) + dz
        gradients |= source_gradients(source, read.encoding, dz, dh, writer)
        if writer.settings.shared:
            dE = dE + gradients["E" + SOURCE]
    gradients |= {"V": gradients["V"] + dE} if writer.settings.tied else {"E": dE}
    return loss, {name: gradients[name] for name in writer.settings.parameter_shapes}


def source_gradients(
    source: Source, encoding: Encoding, dz: TensorVariable, dh: TensorVariable | None, writer: SymbolicWriter
) -> dict[str, TensorVariable]:
    """The gradients of the encoder and of the source's embeddings, from the errors of z and of the states h."""
    error = LAST_STATES.error(encoding, source.lengths, dz)
    found = encoder_gradients(encoding, error if dh is None else error + dh, writer.encoder)
    gradients = {name + SOURCE: gradient for name, gradient in found.parameters.items()}
    E = writer.source_embeddings
    return {**gradients, "E" + SOURCE: add_by_word(T.zeros_like(E), source.x, found.vectors)}


def split_mask(mask: TensorVariable | None, settings: WriterSettings) -> list[TensorVariable | None]:
    """The parts of a dropout mask: of the source, of the decoder, of q_t."""
    ends = [0, settings.source_dropout_dim, settings.dropout_dim - settings.embedding_dim, settings.dropout_dim]
    return [None if mask is None else mask[:, begin:end] for begin, end in zip(ends[:-1], ends[1:], strict=True)]


class NextWord(NamedTuple):
    """One step: q_t (n, embedding_dim), the packed states (n, state_dim), and attention weights or None."""

    q: TensorVariable
    states: TensorVariable
    weights: TensorVariable | None


def next_word(
    word: TensorVariable, packed: TensorVariable, source: Memory | TensorVariable | None, writer: SymbolicWriter
) -> NextWord:
    """Compute one step for several hypotheses of each source.

    Parameters
    ----------
    word : matrix (batch_size, hypotheses) of int
        The last word of each hypothesis.
    packed : matrix (batch_size * hypotheses, state_dim)
        The states before it.
    source : Memory, or z without attention, or None if the network does not repeat z
    writer : SymbolicWriter

    Returns
    -------
    NextWord
        The weights are (batch_size, hypotheses, source_steps).
    """
    settings = writer.settings
    states: list[TensorVariable] = []
    vector = writer.embeddings[word.reshape((-1,))]
    for number, previous in enumerate(unpacked(packed, settings)):
        layer = writer.decoder.layer(number, "")
        q = recurrent_activations(previous[0], layer.W.T, layer.r)
        state = settings.recurrent_cell.next_state(with_bias(vector.dot(layer.U.T), layer.b), q, *previous)
        states += state
        vector = state[0]
    new = T.concatenate(states, axis=1) if len(states) > 1 else states[0]
    if source is None:
        return NextWord(output_vectors(vector, None, writer), new, None)
    s = vector.reshape((word.shape[0], word.shape[1], settings.hidden_dim))
    if not isinstance(source, Memory):
        contexts = rows(repeated(source.dimshuffle(0, "x", 1), s))
        return NextWord(output_vectors(vector, contexts, writer), new, None)
    attention = attend(s, source)
    return NextWord(output_vectors(vector, rows(attention.contexts), writer), new, attention.weights)
