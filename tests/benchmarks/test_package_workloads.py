"""The benchmark times the functions that users call, on input of the workload's shape."""

import dataclasses
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from theano_rnn.benchmarks import package_workloads
from theano_rnn.benchmarks.package_workloads import PREPARATIONS, prepare, random_language_model
from theano_rnn.benchmarks.torch_workloads import RUN
from theano_rnn.benchmarks.workloads import KINDS, READING_KINDS, Workload

SMALL = {
    kind: Workload(kind, kind, 30, 4, 6, 1 if kind in ("sentence", "advance") else 3, "small", labels=2, beam=2)
    for kind in KINDS
}
SLOW_KINDS = ("tag", "translate", "decode")
SAMPLED = Workload("sampled", "step", 600, 4, 6, 3, "small", optimizer="adam", samples=20)
FRAMES = dataclasses.replace(SMALL["tag"], word_dim=0, frame_dim=5)


@pytest.mark.parametrize(
    "workload",
    [
        pytest.param(one, marks=pytest.mark.slow) if one.kind in SLOW_KINDS else one
        for one in (*SMALL.values(), FRAMES, SAMPLED)
    ],
    ids=[*SMALL, "frames", "sampled"],
)
def test_each_kind_calls_what_a_user_calls_with_the_shape_of_the_workload(
    workload: Workload, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = workload.kind
    calls = []

    def watch(cls: type, name: str, shape_of: Callable[..., tuple[int, int]]) -> None:
        original = getattr(cls, name)

        def call(self: Any, *arguments: Any, **keywords: Any) -> Any:
            calls.append((name, shape_of(*arguments, **keywords)))
            return original(self, *arguments, **keywords)

        monkeypatch.setattr(cls, name, call)

    watch(package_workloads.RNN, "sgd_step", lambda x, y, rate: (len(x), 1))
    watch(package_workloads.Optimizer, "step", lambda batch, rate: batch.x.shape)
    watch(package_workloads.SampledOptimizer, "step_on_candidates", lambda batch, words, rate: words.y.shape)
    watch(package_workloads.ReaderOptimizer, "step", lambda inputs, y, rate, count: inputs.ids.shape[1:])
    watch(package_workloads.WriterOptimizer, "step", lambda source, target, rate, count: target[0].shape)
    watch(package_workloads.Writer, "read", lambda source: source.x.shape)
    watch(package_workloads.LanguageModel, "score", lambda sentences: (len(sentences[0].split()) + 1, len(sentences)))
    watch(package_workloads.LanguageModel, "generate", lambda n, min_words, max_words, seed: (min_words, n))
    watch(package_workloads.LanguageModel, "advance", lambda state, word: (len(word.split()), 1))
    run_once = prepare(workload)
    assert run_once() > 0 and run_once() > 0
    if kind == "advance":
        assert calls == [("advance", (1, 1))] * 2 * workload.steps
        return
    names = {"sentence": "sgd_step", "decode": "read", **dict.fromkeys((*READING_KINDS, "translate"), "step")}
    name = "step_on_candidates" if workload.samples else names.get(kind, kind)
    assert calls == [(name, (workload.steps, workload.batch_size))] * 2


@pytest.mark.parametrize("workload", [SMALL["sentence"], SMALL["step"], SAMPLED], ids=lambda workload: workload.name)
def test_the_time_of_a_step_includes_waiting_for_all_new_parameters(
    workload: Workload, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_once = prepare(workload)
    run_once()
    waited: list[list[str]] = []
    clock = iter(range(3))

    def wait(parameters: Any) -> None:
        waited.append([parameter.name for parameter in parameters])
        next(clock)

    monkeypatch.setattr(package_workloads, "wait_for", wait)
    monkeypatch.setattr(package_workloads, "time", SimpleNamespace(perf_counter=lambda: next(clock)))
    assert run_once() == 2
    assert waited == [["U", "V", "W"]]


def test_the_network_has_the_settings_of_the_workload() -> None:
    workload = dataclasses.replace(SMALL["generate"], cell="lstm", layers=2, embedding_dim=5, bias=True)
    rnn = random_language_model(workload).rnn
    assert (rnn.word_dim, rnn.hidden_dim, rnn.cell, rnn.layers, rnn.embedding_dim, rnn.bias) == (
        30,
        4,
        "lstm",
        2,
        5,
        True,
    )


def test_every_kind_of_workload_has_an_entry_in_each_table() -> None:
    assert set(PREPARATIONS) == set(RUN) == set(KINDS)


def test_generated_texts_have_exactly_the_length_of_the_workload() -> None:
    texts = random_language_model(SMALL["generate"]).generate(3, min_words=6, max_words=6, seed=1)
    assert [len(text.split()) for text in texts] == [6, 6, 6]
