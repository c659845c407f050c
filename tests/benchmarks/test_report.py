"""Tables that are right in Markdown and on a screen."""

from theano_rnn.benchmarks import report
from theano_rnn.benchmarks.timing import Result
from theano_rnn.benchmarks.workloads import STANDARD
from theano_rnn.engines.engine import versions


def cells(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_the_machine_is_told_in_a_line_with_versions():
    line = report.machine()
    assert "\n" not in line and versions() in line and "CPU cores" in line


def test_a_table_has_a_row_a_workload_and_the_peers_columns_only_with_a_peer():
    alone = Result(STANDARD[0], [0.002], 0.001, [], "")
    paired = Result(STANDARD[1], [0.01, 0.02, 0.03], 0.01, [0.02, 0.06, 0.12], "sparse, malloc")
    lines = report.table([alone]).splitlines()
    assert len(lines) == 3 and "PyTorch" not in lines[0]
    assert dict(zip(cells(lines[0]), cells(lines[2]), strict=True))["ours, ms"] == "2.00"
    lines = report.table([paired]).splitlines()
    row = dict(zip(cells(lines[0]), cells(lines[2]), strict=True))
    assert row["PyTorch / ours"] == "3.00" and row["range"] == "2.00 to 4.00"
    assert row["ours / products"] == "2.00" and row["PyTorch's best form"] == "sparse, malloc"
    assert row["tokens/s"] == "32,000"


def test_products_too_small_to_be_timed_give_no_ratio():
    result = Result(STANDARD[0], [0.002], 0.0, [], "")
    assert result.to_json()["ours_over_products"] is None
    lines = report.table([result]).splitlines()
    assert dict(zip(cells(lines[0]), cells(lines[2]), strict=True))["ours / products"] == ""


def test_columns_are_as_wide_as_their_widest_cell():
    lines = report.markdown(["a", "bbb"], [["cccc", "d"]]).splitlines()
    assert lines == ["| a    | bbb |", "| ---- | --- |", "| cccc | d   |"]


def test_growth_is_a_row_a_size():
    record = {
        "word_dim": 8000,
        "hidden_dim": 100,
        "tokens_per_second": 25000.4,
        "peak_memory_mb": 512.3,
        "parameters_mb": 6.44,
    }
    assert cells(report.growth_table([record]).splitlines()[2]) == ["8,000", "100", "25,000", "512", "6"]


def test_engines_are_a_row_a_workload_with_ratios_of_the_rounds():
    sentence = {
        "name": "W1",
        "what": "one sentence a step",
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
        "": "one sentence a step",
        "PyTensor, ms": "2.00",
        "Theano, ms": "10.00",
        "Theano / PyTensor": "5.00",
        "tutorial's class, ms": "30.00",
        "it / PyTensor": "15.00",
    }
    assert other[2:] == ["2.00", "10.00", "5.00", "", ""]
