"""The formulas of a network that reads: from ids or vectors to labels, the loss, and its gradients.

Symbolic expressions only. A reader has three parts, each written on its own: the input (here), the layers (`encoder`)
and the head (`heads`).

    ids (features, steps, batch_size)          frames (steps, batch_size, frame_dim)
         |  a row of E per id, side by side          |
         +------------------+------------------------+
                            | vectors (steps, batch_size, input_dim)
                         encoder     states of all layers, in one direction or both
                            | outputs (steps, batch_size, output_dim)
                          head       softmax over the labels

If the labels are the words of the first feature, the softmax can read the words' embeddings instead of weights of its
own: o = softmax(V P s + c), where the rows of V are the embeddings (Press & Wolf 2017) and P makes the states as small
as these.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np

from theano_rnn.checks import check_choice, check_count, check_flag
from theano_rnn.encoders.encoder import Encoder, EncoderSettings, Encoding, encode, encoder_gradients
from theano_rnn.encoders.heads import HEADS, POOLINGS, Head
from theano_rnn.engines.chunked_softmax import FEW_WORDS
from theano_rnn.engines.engine import T, split_along, with_last_axis_length
from theano_rnn.engines.tensor_types import TensorVariable
from theano_rnn.errors import ArgumentValueError
from theano_rnn.networks.architecture import layer_name
from theano_rnn.networks.bptt import add_by_word
from theano_rnn.networks.cells import Cell
from theano_rnn.networks.forward import by_step, columns, with_bias
from theano_rnn.networks.softmax import log_softmax, softmax_cross_entropy, softmax_log_probability


@dataclass(frozen=True)
class ReaderSettings:
    """The settings that determine the formulas of a reader.

    Parameters
    ----------
    labels : int
        The number of labels.
    embeddings : sequence of (int, int)
        For each feature of a step, such as the word or its ending: the number of ids, and the size of their vectors.
    frame_dim : int
        Size of the vectors that are read as they are, beside the embeddings; 0 if there are none.
    head : str
        A name in `theano_rnn.encoders.heads.HEADS`.
    pooling : {"max", "mean", "last"}
        How the head "text" reads the states.
    tied : bool
        Whether the output weights V are also the embeddings of the only feature, whose ids are the labels.
    hidden_dim, cell, activation, layers, bidirectional, mixed, bias, dropout
        As for `theano_rnn.encoders.encoder.EncoderSettings`.

    Raises
    ------
    TypeError, ValueError
        If a setting is not valid.
    """

    labels: int
    embeddings: tuple[tuple[int, int], ...] = ()
    frame_dim: int = 0
    head: str = "text"
    pooling: str = "max"
    hidden_dim: int = 100
    cell: str = "lstm"
    activation: str = "tanh"
    layers: int = 1
    bidirectional: bool = True
    mixed: bool = True
    bias: bool = True
    dropout: float = 0.0
    tied: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", check_count("labels", self.labels))
        check_choice("head", self.head, HEADS)
        check_choice("pooling", self.pooling, POOLINGS)
        object.__setattr__(self, "frame_dim", check_count("frame_dim", self.frame_dim, 0))
        tables = tuple(tuple(check_count("embeddings", size) for size in table) for table in self.embeddings)
        if any(len(table) != 2 for table in tables):
            raise ArgumentValueError("embeddings: expected pairs of two sizes")
        object.__setattr__(self, "embeddings", tables)
        if not self.input_dim:
            raise ArgumentValueError("embeddings: expected at least one, or a `frame_dim`, got neither")
        if self.head == "gap" and self.bidirectional and self.mixed:
            raise ArgumentValueError("mixed: expected False with head 'gap', where no word may read itself, got True")
        object.__setattr__(self, "tied", check_flag("tied", self.tied))
        if self.tied and [count for count, _ in self.embeddings] != [self.labels]:
            raise ArgumentValueError(f"tied: expected embeddings of the {self.labels} labels, and no others, got True")
        for name in ("hidden_dim", "layers", "bidirectional", "mixed", "bias", "dropout"):
            object.__setattr__(self, name, getattr(self.encoder, name))

    @property
    def input_dim(self) -> int:
        """Size of the vectors that the first layer reads."""
        return self.frame_dim + sum(size for _, size in self.embeddings)

    @property
    def encoder(self) -> EncoderSettings:
        """The settings of the layers."""
        names = ("hidden_dim", "cell", "activation", "layers", "bidirectional", "mixed", "bias", "dropout")
        return EncoderSettings(self.input_dim, **{name: getattr(self, name) for name in names})

    @property
    def label_head(self) -> Head:
        """The formulas of the head."""
        return HEADS[self.head](self.pooling)

    @property
    def recurrent_cell(self) -> Cell:
        """The formulas of the cell."""
        return self.encoder.recurrent_cell

    @property
    def has_embedding(self) -> bool:
        """True: no word enters through U."""
        return True

    @property
    def has_few_words(self) -> bool:
        """Whether V is so small that it is not stored transposed."""
        return self.labels <= FEW_WORDS

    @property
    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes by name, in the order of gradients, updates and files: layers, V, c, then E, E2, … of each feature.

        A tied reader has P before V, and no E.
        """
        shapes: dict[str, tuple[int, ...]] = dict(self.encoder.parameter_shapes)
        width = self.encoder.output_dim
        if self.tied:
            shapes["P"] = (self.input_dim, width)
            width = self.input_dim
        shapes["V"] = (self.labels, width)
        if self.bias:
            shapes["c"] = (self.labels,)
        if self.tied:
            return shapes
        return shapes | {layer_name("E", number): table for number, table in enumerate(self.embeddings)}

    @property
    def dropout_dim(self) -> int:
        """Number of columns of a dropout mask: see `EncoderSettings.dropout_dim`."""
        return self.encoder.dropout_dim

    def to_configuration(self) -> dict[str, Any]:
        """Return the settings as a dict that JSON can write."""
        return asdict(self)


class ReaderInputs(NamedTuple):
    """What a reader reads: the symbolic inputs of its functions, or the arrays of a minibatch.

    Attributes
    ----------
    ids : int32 tensor (features, steps, batch_size)
        Without embeddings, one feature of zeros.
    frames : tensor (steps, batch_size, frame_dim) or None
    lengths : int32 vector (batch_size,)
        The number of steps of each text. Padding is at the end. 0 for an empty column.
    """

    ids: Any
    frames: Any
    lengths: Any

    def arrays(self) -> list[Any]:
        """Those that are not None, in order."""
        return [one for one in self if one is not None]


class SymbolicReader(NamedTuple):
    """Settings with symbolic parameters by name: what graphs are built from."""

    settings: ReaderSettings
    parameters: Mapping[str, TensorVariable]

    @property
    def encoder(self) -> Encoder:
        """The layers."""
        return Encoder(self.settings.encoder, self.parameters)

    @property
    def embeddings(self) -> list[TensorVariable]:
        """E of each feature; V if the reader is tied."""
        if self.settings.tied:
            return [self.V]
        return [self.parameters[layer_name("E", number)] for number in range(len(self.settings.embeddings))]

    @property
    def V(self) -> TensorVariable:
        """Output weights."""
        return self.parameters["V"]

    @property
    def P(self) -> TensorVariable | None:
        """What makes the states as small as the embeddings, if the reader is tied."""
        return self.parameters.get("P")

    def projected(self, s: TensorVariable) -> TensorVariable:
        """What V is multiplied with: P s for each row s of a tied reader, else s itself."""
        return s if self.P is None else s.dot(self.P.T)

    @property
    def c(self) -> TensorVariable | None:
        """Output bias."""
        return self.parameters.get("c")


def symbolic_inputs(settings: ReaderSettings, dtype: str) -> ReaderInputs:
    """Variables for the inputs of a function."""
    frames = split_along(1, T.tensor3("frames", dtype=dtype)) if settings.frame_dim else None
    return ReaderInputs(split_along(2, T.itensor3("ids")), frames, split_along(0, T.ivector("lengths")))


def symbolic_labels(settings: ReaderSettings) -> TensorVariable:
    """The variable y of the labels: (steps, batch_size) or (batch_size,)."""
    return split_along(1, T.imatrix("y")) if settings.label_head.per_step else split_along(0, T.ivector("y"))


class FeatureGroup(NamedTuple):
    """Consecutive features with vectors of the same size, which are looked up together: XLA compiles this faster.

    Attributes
    ----------
    first : int
        The number of the first feature.
    sizes : list of int
        The number of ids of each feature.
    width : int
        The size of the vectors.
    """

    first: int
    sizes: list[int]
    width: int

    def rows(self, inputs: ReaderInputs) -> TensorVariable:
        """Rows of the E of all features, one below the other: (features * steps, batch_size) of int."""
        starts = np.cumsum([0, *self.sizes[:-1]], dtype=np.int32)
        ids = inputs.ids[self.first : self.first + len(self.sizes)] + starts[:, None, None]
        return ids.reshape((-1, ids.shape[2]))


def feature_groups(settings: ReaderSettings) -> list[FeatureGroup]:
    """The features in groups; see `FeatureGroup`."""
    groups: list[FeatureGroup] = []
    for number, (size, width) in enumerate(settings.embeddings):
        if not groups or groups[-1].width != width:
            groups.append(FeatureGroup(number, [], width))
        groups[-1].sizes.append(size)
    return groups


def input_vectors(inputs: ReaderInputs, reader: SymbolicReader) -> TensorVariable:
    """What the first layer reads: the embeddings of all features and the frames, side by side."""
    x, parts = inputs.ids[0], []
    for group in feature_groups(reader.settings):
        count = len(group.sizes)
        if count == 1:
            parts.append(columns(inputs.ids[group.first], reader.embeddings[group.first].T))
            continue
        E = T.concatenate(reader.embeddings[group.first : group.first + count], axis=0)
        found = E[group.rows(inputs).reshape((-1,))].reshape((count, x.shape[0], x.shape[1], group.width))
        side_by_side = found.dimshuffle(1, 2, 0, 3).reshape((x.shape[0], x.shape[1], -1))
        parts.append(with_last_axis_length(side_by_side, count * group.width))
    if inputs.frames is not None:
        parts.append(with_last_axis_length(inputs.frames, reader.settings.frame_dim))
    return parts[0] if len(parts) == 1 else T.concatenate(parts, axis=-1)


def input_gradients(inputs: ReaderInputs, error: TensorVariable, reader: SymbolicReader) -> dict[str, TensorVariable]:
    """The gradients of the embeddings, from the error of `input_vectors`."""
    x, gradients, at = inputs.ids[0], {}, 0
    for group in feature_groups(reader.settings):
        count = len(group.sizes)
        of_group = error[..., at : at + count * group.width]
        of_group = of_group.reshape((x.shape[0], x.shape[1], count, group.width)).dimshuffle(2, 0, 1, 3)
        E = T.concatenate(reader.embeddings[group.first : group.first + count], axis=0)
        of_all = add_by_word(T.zeros_like(E), group.rows(inputs), of_group)
        ends = np.cumsum([0, *group.sizes])
        for number in range(count):
            gradients[layer_name("E", group.first + number)] = of_all[ends[number] : ends[number + 1]]
        at += count * group.width
    return gradients


def encoding(inputs: ReaderInputs, reader: SymbolicReader, dropout_mask: TensorVariable | None = None) -> Encoding:
    """The states of all layers."""
    return encode(inputs.ids[0], input_vectors(inputs, reader), inputs.lengths, reader.encoder, dropout_mask)


def log_probabilities(inputs: ReaderInputs, reader: SymbolicReader) -> TensorVariable:
    """ln P of all labels in nats: (steps * batch_size, labels), or (batch_size, labels) for labels of whole texts."""
    s = reader.settings.label_head.read(encoding(inputs, reader), inputs.lengths)
    return log_softmax(with_bias(reader.projected(s).dot(reader.V.T), reader.c))


def log_probabilities_at(places: TensorVariable, inputs: ReaderInputs, reader: SymbolicReader) -> TensorVariable:
    """ln P of all labels at one step of each text, in nats: (batch_size, labels)."""
    found = encoding(inputs, reader)
    s = by_step(reader.settings.label_head.read(found, inputs.lengths), found.x)
    at_places = s[places, T.arange(places.shape[0])]
    return log_softmax(with_bias(reader.projected(at_places).dot(reader.V.T), reader.c))


def loss_of_labels(inputs: ReaderInputs, y: TensorVariable, reader: SymbolicReader) -> TensorVariable:
    """-Σ ln P(label) over all labels of a minibatch, in nats, without the outputs for all labels at once."""
    head, found = reader.settings.label_head, encoding(inputs, reader)
    s = reader.projected(head.read(found, inputs.lengths))
    log_p = softmax_log_probability(s, reader.V, reader.c, y.reshape((-1,)))
    counts = head.weights(found, inputs.lengths)
    return -T.sum(T.switch(counts, log_p, T.zeros_like(log_p)), acc_dtype=log_p.dtype)


def loss_and_gradients(
    inputs: ReaderInputs, y: TensorVariable, reader: SymbolicReader, dropout_mask: TensorVariable | None = None
) -> tuple[TensorVariable, dict[str, TensorVariable]]:
    """The forward and the backward pass over a minibatch.

    Parameters
    ----------
    inputs : ReaderInputs
    y : matrix (steps, batch_size) or vector (batch_size,) of int
        The labels; those of padding are ignored.
    reader : SymbolicReader
    dropout_mask : matrix (batch_size, dropout_dim), optional

    Returns
    -------
    loss : scalar
        -Σ ln P(label) over all labels of the minibatch, in nats.
    gradients : dict of str to tensor
        One for each parameter, by name, in the order of `ReaderSettings.parameter_shapes`.
    """
    head = reader.settings.label_head
    found = encoding(inputs, reader, dropout_mask)
    s = head.read(found, inputs.lengths)
    weights = T.cast(head.weights(found, inputs.lengths), s.dtype)
    loss, ds, dV, dc = softmax_cross_entropy(reader.projected(s), reader.V, reader.c, y.reshape((-1,)), weights)
    gradients = {"V": dV} if dc is None else {"V": dV, "c": dc}
    if reader.P is not None:
        gradients["P"] = ds.T.dot(s)
        ds = ds.dot(reader.P)
    of_encoder = encoder_gradients(found, head.error(found, inputs.lengths, ds), reader.encoder)
    gradients |= of_encoder.parameters
    of_embeddings = input_gradients(inputs, of_encoder.vectors, reader)
    gradients |= {"V": gradients["V"] + of_embeddings["E"]} if reader.settings.tied else of_embeddings
    return loss, {name: gradients[name] for name in reader.settings.parameter_shapes}
