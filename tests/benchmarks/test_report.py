"""The tables are Markdown with aligned columns."""

import pytest

from theano_rnn.benchmarks import report
from theano_rnn.benchmarks.measurement import Measurement
from theano_rnn.benchmarks.workloads import GPU, STANDARD
from theano_rnn.engines.engine import versions


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_the_machine_is_described_in_one_line_with_the_versions() -> None:
    line = report.describe_machine()
    assert "\n" not in line and versions() in line and "CPU cores" in line


def test_the_table_has_one_row_per_workload_and_columns_about_pytorch_only_if_it_was_measured() -> None:
    alone = Measurement(STANDARD[0], [0.002], 0.001, [], "")
    paired = Measurement(STANDARD[1], [0.01, 0.02, 0.03], 0.01, [0.02, 0.06, 0.12], "sparse, malloc")
    lines = report.measurement_table([alone]).splitlines()
    assert len(lines) == 3 and "PyTorch" not in lines[0]
    assert dict(zip(cells(lines[0]), cells(lines[2]), strict=True))["ours, ms"] == "2.00"
    lines = report.measurement_table([paired]).splitlines()
    row = dict(zip(cells(lines[0]), cells(lines[2]), strict=True))
    assert row["PyTorch / ours"] == "3.00" and row["range"] == "2.00 to 4.00"
    assert row["ours / products"] == "2.00" and row["PyTorch's best form"] == "sparse, malloc"
    assert row["tokens/s"] == "32,000"


def test_aims_are_shown_if_a_workload_has_one_and_was_compared() -> None:
    compared = Measurement(GPU[0], [0.01], 0.01, [0.02], "dense"), Measurement(GPU[-1], [0.01], 0.01, [0.02], "dense")
    no_aim = Measurement(STANDARD[0], [0.01], 0.01, [0.02], "dense")
    lines = report.measurement_table([*compared, no_aim]).splitlines()
    assert cells(lines[0])[-1] == "aim on a GPU" and [cells(line)[-1] for line in lines[2:]] == ["1.3", "1.3", ""]
    assert "aim" not in report.measurement_table([no_aim])
    assert "aim" not in report.measurement_table([Measurement(GPU[0], [0.01], 0.01, [], "")])


def test_the_line_about_the_machine_names_the_card_and_that_tf32_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "device_name", lambda: "Graphics 9000")
    line = report.describe_machine(devices=2)
    assert line.startswith("Graphics 9000, ") and line.endswith("float32 without TF32, theano_rnn on 2 GPUs")
    monkeypatch.setattr(report, "device_name", lambda: None)
    assert report.describe_machine().endswith("float32")
    assert report.describe_machine(devices=2).endswith("float32, theano_rnn on 2 cores")


def test_the_table_of_scaling_has_one_row_per_number_of_machines() -> None:
    shares = {"each": {10: 0.5, 100: 0.75}, "shared": {10: 0.25, 100: 0.3336}}
    record = {
        "name": "A",
        "description": "small",
        "word_dim": 8000,
        "step_s": 0.0123,
        "parameter_bytes": 16_160_000,
        "summed_bytes": 1_000_000,
        "machines": {4: {"sent_bytes": 1_500_000.0, **shares}, 16: {"sent_bytes": 1_875_000.0, **shares}},
    }
    lines = report.scaling_table([record]).splitlines()
    assert "not measured" in lines[0] and not lines[1]
    first, _, *rows = map(cells, lines[2:])
    assert [dict(zip(first, row, strict=True))["machines"] for row in rows] == ["4", "16"]
    assert rows[0] == [
        *("A", "small", "8,000", "12.3", "16.16", "1.00", "4", "1.50"),
        *("0.500", "0.750", "0.250", "0.334"),
    ]


def test_no_ratio_is_shown_for_products_that_are_too_small_to_be_timed() -> None:
    measurement = Measurement(STANDARD[0], [0.002], 0.0, [], "")
    assert measurement.to_json()["ours_over_products"] is None
    lines = report.measurement_table([measurement]).splitlines()
    assert dict(zip(cells(lines[0]), cells(lines[2]), strict=True))["ours / products"] == ""


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    lines = report.markdown_table(["a", "bbb"], [["cccc", "d"]]).splitlines()
    assert lines == ["| a    | bbb |", "| ---- | --- |", "| cccc | d   |"]


def test_the_growth_table_has_one_row_per_size() -> None:
    record = {
        "word_dim": 8000,
        "hidden_dim": 100,
        "samples": 0,
        "step_ms": 25.604,
        "tokens_per_second": 25000.4,
        "peak_memory_mb": 512.3,
        "parameters_mb": 6.44,
    }
    rows = report.growth_table([record, {**record, "samples": 1500}]).splitlines()[2:]
    assert cells(rows[0]) == ["8,000", "100", "all", "25.6", "25,000", "512", "6"]
    assert cells(rows[1]) == ["8,000", "100", "1,500", "25.6", "25,000", "512", "6"]


def test_the_startup_table_has_one_row_per_workload() -> None:
    record = {
        "name": "A",
        "cell": "lstm",
        "layers": 2,
        "hidden_dim": 128,
        "cold_s": 6.54,
        "warm_s": 2.06,
        "imports_s": 1.5,
    }
    first, _, row = map(cells, report.startup_table([record]).splitlines())
    assert first[4:] == ["first step, s", "with cache, s", "imports, s"]
    assert row == ["A", "lstm", "2", "128", "6.5", "2.1", "1.5"]


def test_the_table_of_engines_shows_the_medians_of_the_ratios_of_the_rounds() -> None:
    sentence = {
        "name": "W1",
        "description": "one sentence per step",
        "pytensor_s": 0.002,
        "pytensor_rounds_s": [0.001, 0.002, 0.004],
        "theano_ours_s": 0.01,
        "theano_ours_rounds_s": [0.01, 0.01, 0.012],
        "theano_tutorial_s": 0.03,
        "theano_tutorial_rounds_s": [0.02, 0.03, 0.04],
    }
    step = {name: value for name, value in sentence.items() if "tutorial" not in name} | {"name": "W2"}
    first, _, one, other = map(cells, report.engines_table([sentence, step]).splitlines())
    assert dict(zip(first, one, strict=True)) == {
        "work": "W1",
        "": "one sentence per step",
        "PyTensor, ms": "2.00",
        "Theano, ms": "10.00",
        "Theano / PyTensor": "5.00",
        "tutorial's class, ms": "30.00",
        "tutorial's class / PyTensor": "15.00",
    }
    assert other[2:] == ["2.00", "10.00", "5.00", "", ""]
