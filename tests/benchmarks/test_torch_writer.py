"""A network that writes and the equal one in PyTorch: loss, gradients and beam search with the same weights."""

from typing import Any

import numpy as np
import pytest

from theano_rnn.benchmarks.torch_writer import beam_search, build_writer
from theano_rnn.decoders.beam_search import BeamSettings, search
from theano_rnn.decoders.writer import Writer
from theano_rnn.decoders.writer_settings import Source, WriterSettings

torch = pytest.importorskip("torch", reason="PyTorch is not installed; theano_rnn does not need it")

SIZES = {"words": 11, "source_words": 9, "embedding_dim": 4, "hidden_dim": 3}
SOURCE_LENGTHS, LENGTHS, STEPS = (5, 4, 2), (3, 6, 1), 6
CASES: dict[str, dict[str, Any]] = {
    "GRU": {},
    "LSTM, two layers, untied": {"cell": "lstm", "layers": 2, "tied": False},
    "simple, forward, no bias": {"cell": "simple", "bidirectional": False, "bias": False},
    "GRU, two layers, no attention": {"layers": 2, "attention": False},
    "LSTM, forward, no attention, no bias": {
        "cell": "lstm", "bidirectional": False, "attention": False, "bias": False,
    },
}  # fmt: skip
NAMES = {
    "E_source": "source_embedding.weight", "B": "bridge.weight", "d": "bridge.bias", "A": "attention.weight",
    "O": "combination.weight", "a": "combination.bias", "V": "output.weight", "c": "output.bias",
    "E": "embedding.weight",
}  # fmt: skip
KINDS = {"U": "weight_ih", "W": "weight_hh", "b": "bias_ih", "r": "bias_hh"}


def torch_name(name: str) -> str:
    """PyTorch's name of a parameter."""
    if name in NAMES:
        return NAMES[name]
    layers = "encoder" if name.endswith("_source") else "decoder"
    kind = name.removesuffix("_source")
    end = "_reverse" if kind.endswith("_back") else ""
    kind = kind.removesuffix("_back")
    return f"{layers}.{KINDS[kind[0]]}_l{int(kind[1:] or 1) - 1}{end}"


def both(case: str, **changes: int) -> tuple[Writer, Any]:
    """A writer, and PyTorch's network with the same weights; all of PyTorch's second biases but r are zero."""
    settings = WriterSettings(**{**SIZES, **CASES[case], **changes})
    writer, generator = Writer(settings, seed=1, dtype="float64"), np.random.default_rng(0)
    values = {name: value + generator.normal(size=value.shape) / 2 for name, value in writer.get_values().items()}
    writer.set_values(values)
    names = ("words", "source_words", "embedding_dim", "hidden_dim", "cell", "layers", "bidirectional", "attention")
    network = build_writer(**{name: getattr(settings, name) for name in (*names, "tied", "bias")}).double()
    with torch.no_grad():
        for parameter_name, parameter in network.named_parameters():
            if "bias_hh" in parameter_name:
                parameter.zero_()
        for name, value in values.items():
            network.get_parameter(torch_name(name))[-len(value) :] = torch.tensor(value)
    return writer, network


@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=pytest.mark.slow) if case != "GRU" else case for case in CASES]
)
def test_loss_and_gradients_are_equal(case: str) -> None:
    writer, network = both(case)
    generator, shape = np.random.default_rng(1), (STEPS, len(LENGTHS))
    x_source = generator.integers(0, SIZES["source_words"], (max(SOURCE_LENGTHS), len(LENGTHS))).astype(np.int32)
    x, y = (generator.integers(0, SIZES["words"], shape).astype(np.int32) for _ in range(2))
    source_lengths, lengths = (np.array(one, np.int32) for one in (SOURCE_LENGTHS, LENGTHS))
    logits = network(torch.tensor(x_source).long(), torch.tensor(SOURCE_LENGTHS), torch.tensor(x).long())
    labels = torch.tensor(np.where(np.arange(STEPS)[:, None] < lengths, y, -100)).long().T
    criterion = torch.nn.CrossEntropyLoss(reduction="sum", ignore_index=-100)
    loss = criterion(logits.reshape(-1, SIZES["words"]), labels.reshape(-1))
    loss.backward()
    arguments = (Source(x_source, source_lengths, None), x, y, lengths)
    assert writer.loss(*arguments) == pytest.approx(loss.item(), abs=1e-8)
    for name, gradient in writer.gradients(*arguments).items():
        expected = network.get_parameter(torch_name(name)).grad.numpy()[-len(gradient) :]
        np.testing.assert_allclose(gradient, expected, atol=1e-8, err_msg=name)
        assert np.abs(gradient).max() > 1e-4, name


@pytest.mark.parametrize("longest", [1, 6])
def test_beam_searches_find_the_same(longest: int) -> None:
    writer, network = both("GRU")
    generator = np.random.default_rng(2)
    x_source = generator.integers(0, SIZES["source_words"], (max(SOURCE_LENGTHS), len(LENGTHS))).astype(np.int32)
    memory = writer.read(Source(x_source, np.array(SOURCE_LENGTHS, np.int32), None))
    found = search(writer, memory, len(LENGTHS), longest, BeamSettings(4, 0.7, start=0, end=1))
    ids, scores = beam_search(
        network.double(), torch.tensor(x_source).long(), torch.tensor(SOURCE_LENGTHS), 4, longest, 0.7, start=0, end=1
    )
    for ours, their_ids, their_scores in zip(found, ids, scores, strict=True):
        assert [one.score for one in ours] == pytest.approx(their_scores, abs=1e-6)
        assert [one.ids for one in ours] == [[word for word in target if word != 1] for target in their_ids]
