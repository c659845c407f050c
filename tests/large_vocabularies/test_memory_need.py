"""A network that does not fit into memory is refused before training begins, with the number of bytes."""

import resource

import pytest

from theano_rnn.errors import OptionError
from theano_rnn.large_vocabularies import memory_need
from theano_rnn.large_vocabularies.memory_need import bytes_available, bytes_needed, check_memory
from theano_rnn.networks.architecture import Architecture
from theano_rnn.training.train_model import train


def test_the_bytes_are_those_of_copies_of_all_parameters_and_accumulators():
    architecture = Architecture(1000, 7, cell="gru", bias=True, tied=True)
    parameters = 21 * 7 + 1000 * 7 + 21 * 7 + 21 + 7 + 1000
    assert bytes_needed(architecture, "sgd") == 4 * 3 * parameters
    assert bytes_needed(architecture, "adam") == 4 * 5 * parameters


def test_each_core_has_its_own_parameters_and_accumulators_and_each_gpu_its_own_memory(monkeypatch):
    architecture = Architecture(10**6)
    assert bytes_needed(architecture, "adam", devices=4) == bytes_needed(architecture, "adam") // 5 * (2 + 4 * 3)
    monkeypatch.setattr(memory_need, "bytes_available", lambda: 4_000_200_000)
    with pytest.raises(OptionError, match="6,400,320,000 bytes .*; choose fewer `devices`, a smaller vocabulary with "):
        check_memory(architecture, "adam", 10**6, devices=2)
    with pytest.raises(OptionError, match="; choose fewer `devices`, or a smaller `hidden_dim`$"):
        check_memory(architecture, "adam", None, devices=2)
    monkeypatch.setattr(memory_need, "device_name", lambda: "Graphics 9000")
    check_memory(architecture, "adam", 10**6, devices=2)


def test_a_network_that_is_too_large_is_refused(monkeypatch):
    monkeypatch.setattr(memory_need, "bytes_available", lambda: 4_000_199_999)
    with pytest.raises(OptionError) as error:
        check_memory(Architecture(10**6), "adam", 10**6)
    assert str(error.value) == (
        "vocabulary_size: training a network with 1,000,000 words and `hidden_dim` 100 needs 4,000,200,000 bytes of "
        "memory, and 4,000,199,999 are available; choose a smaller vocabulary with `vocabulary_size` or `min_count`, "
        "or a smaller `hidden_dim`"
    )


@pytest.mark.parametrize("available", [None, 4_000_200_000])
def test_a_network_that_fits_or_may_fit_is_not_refused(monkeypatch, available):
    monkeypatch.setattr(memory_need, "bytes_available", lambda: available)
    check_memory(Architecture(10**6), "adam", 10**6)


def test_a_run_is_refused_before_it_makes_the_network(tmp_path, monkeypatch):
    monkeypatch.setattr(memory_need, "bytes_available", lambda: 100)
    text = tmp_path / "text.txt"
    text.write_text("The dog sees the cat. The cat sees the bird. " * 20)
    with pytest.raises(OptionError, match="^vocabulary_size: training a network with 9 words .* 100 are available"):
        train(text, model=tmp_path / "m.npz")
    assert not (tmp_path / "m.npz").exists()


@pytest.mark.parametrize(
    ("task", "data"),
    [
        ("classify", "label\ttext\n" + "good\tthe dog sleeps\nbad\tthe cat barks\n" * 20),
        ("tag", "the\tDET\ndog\tNOUN\nsleeps\tVERB\n\n" * 20),
        ("fill", "The dog sees the cat. The cat sees the bird.\n" * 20),
        ("translate", "the dog sleeps\tder Hund schläft\n" * 20),
    ],
)
def test_a_network_of_a_task_is_refused_as_well(task, data, tmp_path, monkeypatch):
    monkeypatch.setattr(memory_need, "bytes_available", lambda: 100)
    path = tmp_path / "data.tsv"
    path.write_text(data if task != "fill" else f"text\n{data}")
    with pytest.raises(OptionError, match="^vocabulary_size: training a network with .* bytes of memory, and 100 are"):
        train(path, model=tmp_path / "m.npz", task=task)


def test_without_a_vocabulary_the_size_of_the_states_is_named(monkeypatch):
    monkeypatch.setattr(memory_need, "bytes_available", lambda: 100)
    with pytest.raises(OptionError, match="^hidden_dim: .* `hidden_dim` 100 needs .* choose a smaller `hidden_dim`$"):
        check_memory(Architecture(5), "adam", None)


def test_the_smallest_limit_counts(tmp_path, monkeypatch):
    monkeypatch.setattr(memory_need, "MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(memory_need, "CGROUP", tmp_path)
    monkeypatch.setattr(resource, "getrlimit", lambda which: (resource.RLIM_INFINITY,) * 2)
    assert bytes_available() is None
    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\nMemAvailable:   70 kB\nSwapFree: 2 kB\n")
    assert bytes_available() == 72 * 1024
    (tmp_path / "memory.current").write_text("1000\n")
    (tmp_path / "memory.max").write_text("max\n")
    assert bytes_available() == 72 * 1024
    (tmp_path / "memory.max").write_text("5000\n")
    assert bytes_available() == 4000
    monkeypatch.setattr(resource, "getrlimit", lambda which: (300, 300))
    assert bytes_available() == 300
