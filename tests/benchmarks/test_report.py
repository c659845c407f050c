"""The tables are Markdown with aligned columns."""

from theano_rnn.benchmarks import report
from theano_rnn.benchmarks.measurement import Measurement
from theano_rnn.benchmarks.workloads import STANDARD
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
