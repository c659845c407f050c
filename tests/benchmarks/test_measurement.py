"""Contenders take turns in each round, ratios are computed per round, and growth is measured in a separate process."""

import statistics
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from theano_rnn.benchmarks import measurement
from theano_rnn.benchmarks.measurement import (
    Measurement,
    measure,
    measure_growth,
    measure_scaling,
    measure_startup,
    peak_memory_mb,
)
from theano_rnn.benchmarks.scaling_model import efficiency
from theano_rnn.benchmarks.workloads import Workload

SENTENCE = Workload("sentence", "sentence", 30, 4, 6, 1, "small")
STEP = Workload("step", "step", 30, 4, 6, 3, "small")


def test_rounds_take_turns_and_the_fastest_variant_of_the_contender_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    turns: list[Any] = []
    times = {("plain", False): 5.0, ("plain", True): 3.0, ("malloc", True): 4.0}

    def prepare(workload: Workload) -> Callable[[], float]:
        def run_once() -> float:
            turns.append("theano_rnn")
            return 1.0

        return run_once

    class FakeContender:
        version = "9.9"

        def variants(self, workload: Workload) -> list[Any]:
            return list(times)

        def seconds(self, workload: Workload, variant: Any, repeats: int) -> list[float]:
            turns.append(variant)
            return [times[variant]] * repeats

        def describe(self, workload: Workload, variant: Any) -> str:
            return " ".join(map(str, variant))

    monkeypatch.setattr(measurement, "prepare", prepare)
    monkeypatch.setattr(measurement, "lower_bound_seconds", lambda workload: 0.5)
    monkeypatch.setattr(measurement, "repeats_per_round", lambda seconds: 2)
    record = measure(STEP, 5, FakeContender()).to_json()
    assert turns[-25:] == ["theano_rnn", "theano_rnn", *times] * 5
    assert record["ratio"] == record["ratio_min"] == record["ratio_max"] == 3.0
    assert record["ours_over_products"] == 2.0 and record["peer_form"] == "plain True"
    assert record["tokens_per_second"] == 18.0


def test_the_ratio_is_the_median_of_the_ratios_of_the_rounds() -> None:
    result = Measurement(STEP, [1.0, 2.0, 4.0], 1.0, [3.0, 2.0, 8.0], "dense")
    assert result.ratios == [3.0, 1.0, 2.0]
    record = result.to_json()
    assert record["ratio"] == 2.0 == statistics.median(result.ratios)
    assert (record["ratio_min"], record["ratio_max"]) == (1.0, 3.0)


def test_without_a_contender_the_record_has_no_ratio(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measurement, "lower_bound_seconds", lambda workload: 0.5)
    monkeypatch.setattr(measurement, "repeats_per_round", lambda seconds: 2)
    record = measure(SENTENCE, 2).to_json()
    assert len(record["ours_rounds_s"]) == 2 and "ratio" not in record


def test_scaling_is_computed_from_the_measured_step_and_the_counted_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    class Counter:
        def count(self, workload: Workload) -> dict[str, int]:
            return {"summed_bytes": 10**6, "parameter_bytes": 10**7}

    times = [[0.05], [0.04], [0.06]]
    monkeypatch.setattr(measurement, "_measure_in_turn", lambda *arguments: ([time for (time,) in times], {}))
    record = measure_scaling(STEP, 3, Counter())  # type: ignore[arg-type]
    assert record["step_s"] == 0.05 and record["summed_bytes"] == 10**6 and record["name"] == "step"
    assert list(record["machines"]) == [4, 16, 64]
    found = record["machines"][16]
    assert found["sent_bytes"] == 1_875_000
    for gigabits in (10, 100):
        assert found["each"][gigabits] == efficiency(0.05, 10**6, 16, gigabits)
        assert found["shared"][gigabits] == efficiency(0.05 / 16, 10**6, 16, gigabits)


@pytest.mark.slow
def test_growth_is_measured_in_a_separate_process_with_its_own_peak_memory() -> None:
    ballast = np.ones(40_000_000)  # 320 MB of this process, which must not count
    record = measure_growth(STEP, "cpu")
    assert record["tokens_per_second"] > 0
    assert 50 < record["peak_memory_mb"] < peak_memory_mb()
    assert record["parameters_mb"] == pytest.approx(4e-6 * (2 * 30 * 4 + 16))
    del ballast


@pytest.mark.slow
@pytest.mark.xla
def test_the_first_step_is_measured_in_new_processes_without_and_with_a_cache(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("THEANO_RNN_CACHE", "off")
    record = measure_startup(STEP, "cpu")
    assert record["name"] == "step" and record["imports_s"] > 0
    assert record["cold_s"] > record["warm_s"] > 0
