"""The benchmark times what it says: real work of the package, rounds in turn, ratios round by round."""

import dataclasses
import statistics

import numpy as np
import pytest

from theano_rnn.benchmarks import timing
from theano_rnn.benchmarks.workloads import Workload

SMALL = {
    kind: Workload(kind, kind, 30, 4, 6, 1 if kind == "sentence" else 3, "small")
    for kind in ("sentence", "step", "score", "generate")
}


@pytest.mark.parametrize("kind", SMALL)
def test_each_kind_of_workload_calls_what_a_user_calls_with_the_workloads_shape(kind, monkeypatch):
    seen = []

    def watched(cls, name, shape_of):
        original = getattr(cls, name)

        def call(self, *arguments, **named):
            seen.append((name, shape_of(*arguments, **named)))
            return original(self, *arguments, **named)

        monkeypatch.setattr(cls, name, call)

    watched(timing.RNN, "sgd_step", lambda x, y, rate: (len(x), 1))
    watched(timing.Optimizer, "step", lambda batch, rate: batch.x.shape)
    watched(timing.LanguageModel, "score", lambda sentences: (len(sentences[0].split()) + 1, len(sentences)))
    watched(timing.LanguageModel, "generate", lambda n, min_words, max_words, seed: (min_words, n))
    once = timing.prepare_ours(SMALL[kind])
    assert once() > 0 and once() > 0
    name = {"sentence": "sgd_step"}.get(kind, kind)
    assert seen == [(name, (SMALL[kind].steps, SMALL[kind].batch_size))] * 2


def test_generated_texts_of_the_random_model_have_exactly_the_asked_length():
    texts = timing.random_model(SMALL["generate"]).generate(3, min_words=6, max_words=6, seed=1)
    assert [len(text.split()) for text in texts] == [6, 6, 6]


def test_the_products_of_a_training_step_are_those_of_forward_and_backward_pass():
    work = dataclasses.replace(SMALL["step"], word_dim=30, hidden_dim=4, steps=6, batch_size=3)
    operations = sum(2 * m * k * n * count for (m, k, n), count in timing.matrix_products(work))
    assert operations == 3 * 2 * (6 * 3) * 4 * 30 + 3 * 2 * (6 * 3) * 4 * 4
    scoring = sum(2 * m * k * n * count for (m, k, n), count in timing.matrix_products(SMALL["score"]))
    assert scoring == 2 * (6 * 3) * 4 * (30 + 4)


def test_products_of_many_rows_are_counted_in_parts():
    work = dataclasses.replace(SMALL["score"], steps=20, batch_size=256)
    assert timing.matrix_products(work) == [((640, 4, 30), 8.0), ((640, 4, 4), 8.0)]


def test_larger_products_take_longer_and_more_steps_too():
    assert timing.product_seconds((600, 600, 600)) > timing.product_seconds((20, 20, 20))
    work = dataclasses.replace(SMALL["generate"], word_dim=3000, hidden_dim=100)
    assert timing.floor_seconds(dataclasses.replace(work, steps=200)) > timing.floor_seconds(work)


def test_rounds_take_turns_and_the_peers_best_form_counts(monkeypatch):
    turns = []
    times = {("plain", False): 5.0, ("plain", True): 3.0, ("allocator", True): 4.0}

    def prepare(workload):
        def once():
            turns.append("ours")
            return 1.0

        return once

    class Peer:
        def forms(self, workload):
            return list(times)

        def seconds(self, workload, form, repeats):
            turns.append(form)
            return [times[form]] * repeats

    monkeypatch.setattr(timing, "prepare_ours", prepare)
    monkeypatch.setattr(timing, "floor_seconds", lambda workload: 0.5)
    monkeypatch.setattr(timing, "repeats_for", lambda seconds: 2)
    result = timing.measure(SMALL["step"], 5, Peer())
    assert turns[-25:] == ["ours", "ours", *times] * 5
    record = result.to_json()
    assert record["ratio"] == record["ratio_min"] == record["ratio_max"] == 3.0
    assert record["ours_over_products"] == 2.0 and record["peer_form"] == "sparse"
    assert record["tokens_per_second"] == 18.0


def test_the_ratio_is_the_median_of_the_rounds_ratios():
    result = timing.Result(SMALL["step"], [1.0, 2.0, 4.0], 1.0, [3.0, 2.0, 8.0], "dense")
    assert result.ratios == [3.0, 1.0, 2.0]
    record = result.to_json()
    assert record["ratio"] == 2.0 == statistics.median(result.ratios)
    assert (record["ratio_min"], record["ratio_max"]) == (1.0, 3.0)


def test_without_a_peer_nothing_is_said_of_one(monkeypatch):
    monkeypatch.setattr(timing, "floor_seconds", lambda workload: 0.5)
    monkeypatch.setattr(timing, "repeats_for", lambda seconds: 2)
    record = timing.measure(SMALL["sentence"], 2).to_json()
    assert len(record["ours_rounds_s"]) == 2 and "ratio" not in record


def test_growth_is_measured_in_a_process_of_its_own_with_its_own_peak_memory():
    ballast = np.ones(40_000_000)  # 320 MB in this process must not count
    record = timing.measure_growth(SMALL["step"], "cpu")
    assert record["tokens_per_second"] > 0
    assert 50 < record["peak_memory_mb"] < timing.peak_memory()
    assert record["parameters_mb"] == pytest.approx(4e-6 * (2 * 30 * 4 + 16))
    del ballast
