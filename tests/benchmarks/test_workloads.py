"""The table of workloads: the agreed shapes, selected by name."""

import dataclasses

import numpy as np
import pytest

from theano_rnn import OptionError
from theano_rnn.benchmarks.workloads import (
    GPU,
    GRID,
    GROWTH,
    LARGE,
    MAX_REPEATS,
    MIN_REPEATS,
    NETWORKS,
    SCALING,
    SECONDS_PER_ROUND,
    STANDARD,
    STARTUP,
    TASKS,
    Workload,
    on_devices,
    repeats_per_round,
    select_workloads,
)


def test_the_standard_workloads_have_the_agreed_shapes() -> None:
    shapes = {work.name: (work.word_dim, work.hidden_dim, work.steps, work.batch_size) for work in STANDARD}
    assert shapes == {
        "W1": (8000, 100, 20, 1),
        "W2": (8000, 100, 20, 32),
        "W2p": (10000, 200, 35, 20),
        "W3": (65, 128, 50, 50),
        "W3x": (65, 512, 50, 50),
        "S1": (8000, 100, 20, 256),
        "G1": (8000, 100, 100, 1),
        "G32": (8000, 100, 100, 32),
    }
    assert [work.name for work in STANDARD if work.learns] == ["W1", "W2", "W2p", "W3", "W3x"]
    assert sum(work.tokens for work in STANDARD if work.name in ("W1", "S1")) == 20 + 5120


def test_grid_and_growth_cover_the_reported_sizes() -> None:
    assert {(work.hidden_dim, work.batch_size) for work in GRID} == {
        (h, b) for h in (100, 512, 1024) for b in (32, 256)
    }
    assert [work.word_dim for work in GROWTH][:4] == [1000, 8000, 50000, 100000]
    assert [work.hidden_dim for work in GROWTH][4:9] == [50, 100, 200, 500, 1000]
    assert [(work.word_dim, work.samples) for work in GROWTH][9:] == [(10**n, 500) for n in (4, 5, 6)]


def test_large_vocabularies_are_those_of_a_corpus_and_larger_with_both_of_pytorchs_softmaxes() -> None:
    assert {(work.word_dim, work.adaptive) for work in LARGE} == {(V, a) for V in (17_000, 100_000) for a in (0, 1)}
    assert all(work.samples and work.learns and work.optimizer == "adam" for work in LARGE)


def test_words_of_sampled_workloads_have_the_frequencies_of_a_text() -> None:
    workload = dataclasses.replace(LARGE[0], steps=1000, batch_size=100)
    words = workload.draw_words(np.random.default_rng(0))
    assert words.shape == (1000, 100) and words.min() >= 1 and words.max() < 17_000
    for rank in (1, 10, 1000):
        expected = np.log((rank + 1) / rank) / np.log(17_000)
        assert np.mean(words == rank) == pytest.approx(expected, rel=0.15, abs=2e-4)


def test_networks_cover_cells_sizes_and_depths_and_are_the_same_model_in_pytorch() -> None:
    steps = [work for work in NETWORKS if work.kind == "step"]
    assert {(work.word_dim, work.steps, work.batch_size, work.bias, work.optimizer) for work in steps} == {
        (65, 50, 50, True, "adam")
    }
    assert {(work.cell, work.hidden_dim, work.layers) for work in steps if work.one_hot} == {
        (cell, size, layers) for cell in ("gru", "lstm") for size in (128, 512) for layers in (1, 2)
    }
    assert all(work.one_hot == (work.embedding_dim is None) for work in NETWORKS)
    assert [(work.kind, work.cell) for work in NETWORKS if not work.learns] == [
        ("generate", "lstm"),
        ("advance", "lstm"),
    ]


def test_tasks_cover_gated_cells_on_texts_of_different_lengths() -> None:
    reading = [work for work in TASKS if work.reads]
    assert {(work.kind, work.cell) for work in reading} == {
        (kind, cell) for kind in ("classify", "tag") for cell in ("gru", "lstm")
    }
    assert {(work.cell, work.frame_dim) for work in reading} == {(cell, n) for n in (0, 40) for cell in ("gru", "lstm")}
    lengths = TASKS[0].lengths
    assert len(lengths) == 32 and max(lengths) == lengths[0] == 32 and min(lengths) == lengths[-1] == 16
    assert lengths == sorted(lengths, reverse=True) and TASKS[0].tokens == sum(lengths)


def test_tasks_cover_translation_in_training_and_in_beam_search() -> None:
    training, decoding = (work for work in TASKS if not work.reads)
    assert (training.name, training.kind, decoding.name, decoding.kind) == (
        *("translation", "translate"),
        *("decoding", "decode"),
    )
    assert training.learns and training.lengths[0] == 15 and training.lengths[-1] == 7
    assert not decoding.learns and decoding.lengths == [15] * 100 and decoding.beam == 5


def test_the_table_of_a_gpu_has_aims_for_training_steps_and_a_lower_one_for_the_lstm() -> None:
    aims = {work.name: work.aim for work in GPU}
    training = ("W1", "W2", "W2p", "W3", "W3x", "V100k", "V100k-A")
    assert aims == {
        **dict.fromkeys(training, 1.3),
        **dict.fromkeys(("LSTM-512", "LSTM-1024"), 1.0),
        **dict.fromkeys(("S1", "G1", "G32"), 0.0),
    }
    lstm = {work.hidden_dim: work for work in GPU if work.cell == "lstm"}
    assert list(lstm) == [512, 1024] and all(work.one_hot and work.word_dim == 65 for work in lstm.values())
    assert all(work.word_dim == 100_000 and work.samples for work in GPU if work.name.startswith("V100k"))


def test_scaling_covers_w2p_with_a_minibatch_8_times_as_large_and_sampled_softmax() -> None:
    (standard,) = (work for work in STANDARD if work.name == "W2p")
    large, sampled = SCALING[:2]
    changes = {"name": large.name, "description": large.description}
    assert large == dataclasses.replace(standard, batch_size=8 * standard.batch_size, **changes)
    assert sampled.samples == 500 and sampled.batch_size == large.batch_size
    assert {work.word_dim for work in SCALING if work.samples} == {10_000, 100_000}
    assert all(work.kind == "step" for work in SCALING)


def test_startup_covers_a_two_layer_lstm() -> None:
    assert [work.name for work in STARTUP] == ["W3", "GRU-128", "LSTM-128", "LSTM-128x2"]


def test_workloads_are_selected_by_name_in_the_given_order() -> None:
    assert [work.name for work in select_workloads(STANDARD, ["S1", "W1"])] == ["S1", "W1"]
    assert select_workloads(STANDARD, None) == list(STANDARD)


@pytest.mark.parametrize("workloads", [STANDARD, GRID, NETWORKS, TASKS, STARTUP, GROWTH, GPU, SCALING])
def test_names_contain_no_comma_which_separates_them_on_the_command_line(workloads: tuple[Workload, ...]) -> None:
    names = ",".join(work.name for work in workloads)
    assert select_workloads(workloads, names.split(",")) == list(workloads)


def test_an_unknown_name_is_rejected_with_a_list_of_the_known_ones() -> None:
    with pytest.raises(OptionError, match="expected one of W1, W2, .*G32, got 'W9'"):
        select_workloads(STANDARD, ["W1", "W9"])


def test_a_round_takes_about_a_second_within_bounds_on_the_number_of_repeats() -> None:
    assert repeats_per_round(0.01) == round(SECONDS_PER_ROUND / 0.01)
    assert repeats_per_round(100.0) == MIN_REPEATS
    assert repeats_per_round(1e-6) == MAX_REPEATS


def test_training_steps_on_minibatches_can_be_split_over_devices():
    steps = select_workloads(STANDARD, ["W2", "W3"])
    assert [workload.devices for workload in on_devices(steps, 2)] == [2, 2]
    assert on_devices(STANDARD, 1) == list(STANDARD)
    for name in ("W1", "S1"):
        with pytest.raises(OptionError, match=f"^devices: {name} is not a training step on a minibatch"):
            on_devices(select_workloads(STANDARD, [name]), 2)
