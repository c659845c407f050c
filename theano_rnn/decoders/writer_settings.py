"""Settings of a network that writes: the names and shapes of its parameters, and its symbolic inputs.

    x_source, z                 the source: word ids, or a vector of features
    U_source, U_back_source …   the encoder's layers; E_source: its embeddings
    B, d                        the bridge
    U, W, b, r, U2 …            the decoder's layers
    A                           attention
    O, a, V, c, E               q_t, the output, and the embeddings of the target

`theano_rnn.decoders.writer_graph` has the formulas.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from theano_rnn.checks import check_count, check_flag
from theano_rnn.encoders.encoder import Encoder, EncoderSettings
from theano_rnn.engines.chunked_softmax import FEW_WORDS
from theano_rnn.engines.engine import T, split_along, typed_tensor
from theano_rnn.engines.tensor_types import TensorVariable
from theano_rnn.errors import ArgumentValueError
from theano_rnn.networks.cells import Cell

SOURCE = "_source"  # end of the names of the encoder's parameters


@dataclass(frozen=True)
class WriterSettings:
    """The settings that determine the formulas of a network that writes.

    Parameters
    ----------
    words : int
        Size of the target's vocabulary.
    source_words : int
        Size of the source's vocabulary; 0 if the source is a vector of features.
    feature_dim : int
        Size of that vector; 0 if the source is words.
    attention : bool
        Whether each step reads all states of the source. It needs source words.
    embedding_dim : int
        Size of the embeddings, and of q_t.
    hidden_dim : int
        Size of the state of each layer, in each direction.
    cell, activation, layers, bias
        As for `theano_rnn.encoders.encoder.EncoderSettings`, for encoder and decoder.
    bidirectional : bool
        Whether the encoder reads in both directions.
    dropout : float
        Share of the values of the embeddings, of the states of each layer, and of q_t that training sets to zero.
    tied : bool
        Whether V is also the embedding matrix E of the target.
    shared : bool
        Whether source and target have one vocabulary, and the same embeddings.
    repeats_z : bool
        Whether, without attention, q_t depends on z at each step, as in [1]_, and not only through the first state.

    Raises
    ------
    TypeError, ValueError
        If a setting is not valid.

    References
    ----------
    .. [1] K. Cho et al., "Learning phrase representations using RNN encoder–decoder for statistical machine
           translation", EMNLP 2014.
    """

    words: int
    source_words: int = 0
    feature_dim: int = 0
    attention: bool = True
    embedding_dim: int = 128
    hidden_dim: int = 128
    cell: str = "gru"
    activation: str = "tanh"
    layers: int = 1
    bidirectional: bool = True
    bias: bool = True
    dropout: float = 0.0
    tied: bool = True
    shared: bool = False
    repeats_z: bool = False

    def __post_init__(self) -> None:
        for name, minimum in (("words", 1), ("source_words", 0), ("feature_dim", 0), ("embedding_dim", 1)):
            object.__setattr__(self, name, check_count(name, getattr(self, name), minimum))
        for name in ("attention", "tied", "shared", "repeats_z"):
            object.__setattr__(self, name, check_flag(name, getattr(self, name)))
        if (self.source_words > 0) == (self.feature_dim > 0):
            raise ArgumentValueError(
                f"source_words: expected either `source_words` or `feature_dim`, got {self.source_words} and "
                f"{self.feature_dim}"
            )
        if self.attention and not self.source_words:
            raise ArgumentValueError("attention: expected False with `feature_dim`, which has no steps, got True")
        if self.repeats_z and self.attention:
            raise ArgumentValueError("repeats_z: expected False with attention, got True")
        if self.shared and self.source_words != self.words:
            raise ArgumentValueError(f"shared: expected `source_words` equal to `words`, got {self.source_words}")
        for name in ("hidden_dim", "layers", "bidirectional", "bias", "dropout"):
            object.__setattr__(self, name, getattr(self.encoder, name))

    def _layers(self, bidirectional: bool) -> EncoderSettings:
        names = ("hidden_dim", "cell", "activation", "layers", "bias", "dropout")
        settings = {name: getattr(self, name) for name in names}
        return EncoderSettings(self.embedding_dim, bidirectional=bidirectional, **settings)

    @property
    def encoder(self) -> EncoderSettings:
        """The layers that read the source."""
        return self._layers(self.bidirectional)

    @property
    def decoder(self) -> EncoderSettings:
        """The layers that write the target."""
        return self._layers(bidirectional=False)

    @property
    def source_dim(self) -> int:
        """Size of z."""
        return self.feature_dim or self.encoder.output_dim

    @property
    def state_dim(self) -> int:
        """Size of a packed state of the decoder: the matrices of all layers side by side."""
        return self.layers * len(self.recurrent_cell.state_names) * self.hidden_dim

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
        return self.words <= FEW_WORDS

    @property
    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes by name, in the order of gradients, updates and files."""
        H, size = self.hidden_dim, self.embedding_dim
        shapes: dict[str, tuple[int, ...]] = {}
        if self.source_words:
            shapes |= {name + SOURCE: shape for name, shape in self.encoder.parameter_shapes.items()}
            if not self.shared:
                shapes["E" + SOURCE] = (self.source_words, size)
        shapes["B"] = (self.state_dim, self.source_dim)
        shapes |= self.decoder.parameter_shapes
        if self.attention:
            shapes["A"] = (H, self.source_dim)
        shapes["O"] = (size, H + self.source_dim if self.attention or self.repeats_z else H)
        shapes["V"] = (self.words, size)
        if self.bias:
            shapes |= {"d": (self.state_dim,), "a": (size,), "c": (self.words,)}
        return shapes if self.tied else {**shapes, "E": (self.words, size)}

    @property
    def source_dropout_dim(self) -> int:
        """Number of columns of a dropout mask that belong to the source: those of the encoder, or of the features."""
        return self.encoder.dropout_dim if self.source_words else self.feature_dim

    @property
    def dropout_dim(self) -> int:
        """Number of columns of a dropout mask: those of the source, of the decoder, and of q_t."""
        return self.source_dropout_dim + self.decoder.dropout_dim + self.embedding_dim

    def to_configuration(self) -> dict[str, Any]:
        """Return the settings as a dict that JSON can write."""
        return asdict(self)


class SymbolicWriter(NamedTuple):
    """Settings with symbolic parameters by name: what graphs are built from."""

    settings: WriterSettings
    parameters: Mapping[str, TensorVariable]

    @property
    def B(self) -> TensorVariable:
        """Weights of the bridge (state_dim, source_dim)."""
        return self.parameters["B"]

    @property
    def d(self) -> TensorVariable | None:
        """Bias of the bridge (state_dim,)."""
        return self.parameters.get("d")

    @property
    def A(self) -> TensorVariable:
        """Weights of attention (hidden_dim, source_dim)."""
        return self.parameters["A"]

    @property
    def O(self) -> TensorVariable:  # noqa: E743  # the name in the formula
        """What makes q_t of the state and the context (embedding_dim, hidden_dim + source_dim).

        Without a context (embedding_dim, hidden_dim).
        """
        return self.parameters["O"]

    @property
    def a(self) -> TensorVariable | None:
        """Bias of q_t (embedding_dim,)."""
        return self.parameters.get("a")

    @property
    def V(self) -> TensorVariable:
        """Output weights (words, embedding_dim)."""
        return self.parameters["V"]

    @property
    def c(self) -> TensorVariable | None:
        """Output bias (words,)."""
        return self.parameters.get("c")

    @property
    def encoder(self) -> Encoder:
        """The layers that read the source."""
        of_source = {name.removesuffix(SOURCE): value for name, value in self.parameters.items() if SOURCE in name}
        return Encoder(self.settings.encoder, of_source)

    @property
    def decoder(self) -> Encoder:
        """The layers that write the target."""
        return Encoder(self.settings.decoder, self.parameters)

    @property
    def embeddings(self) -> TensorVariable:
        """E of the target."""
        return self.parameters["V" if self.settings.tied else "E"]

    @property
    def source_embeddings(self) -> TensorVariable:
        """E of the source."""
        return self.embeddings if self.settings.shared else self.parameters["E" + SOURCE]


class Source(NamedTuple):
    """A minibatch of sources: the symbolic inputs of functions, or arrays.

    Attributes
    ----------
    x : int32 matrix (source_steps, batch_size), or None
        The ids of the words. Padding is at the end.
    lengths : int32 vector (batch_size,), or None
        The number of words of each source; 0 for an empty column.
    features : matrix (batch_size, feature_dim), or None
    """

    x: Any
    lengths: Any
    features: Any

    def arrays(self) -> list[Any]:
        """Those that are not None, in order."""
        return [one for one in self if one is not None]


def symbolic_source(settings: WriterSettings, dtype: str) -> Source:
    """Variables for the source of a minibatch."""
    if settings.feature_dim:
        return Source(None, None, split_along(0, typed_tensor("features", dtype, (None, settings.feature_dim))))
    return Source(split_along(1, T.imatrix("x_source")), split_along(0, T.ivector("source_lengths")), None)
