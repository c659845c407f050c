"""explain.py as a user runs it: tables, pictures and pages, and one line for wrong input."""

import importlib.util
import io
import json
import re

import numpy as np
import pytest
from support.script_modules import script

from theano_rnn.engines.engine import engine_name
from theano_rnn.inspection.text_properties import PROPERTIES
from theano_rnn.inspection.unit_values import QUANTITIES
from theano_rnn.language_models.language_model import LanguageModel
from theano_rnn.networks.rnn import RNN
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import Vocabulary

SCAN = {"pytensor": "Scan", "theano": "scan_fn}"}[engine_name()]  # as `debugprint` calls it

explain = script("explain")


def status(*arguments):
    try:
        return explain.main([str(argument) for argument in arguments])
    except SystemExit as error:
        return error.code


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    vocabulary = Vocabulary(["SENTENCE_START", "SENTENCE_END", "UNKNOWN_TOKEN", "the", "dog", "."])
    path = tmp_path_factory.mktemp("explain") / "rnn.npz"
    LanguageModel(RNN(len(vocabulary), 4, seed=2), vocabulary, Tokenizer()).save(path)
    return path


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("The dog.\n\nthe cat\n", encoding="utf-8")
    return path


@pytest.fixture
def standard_input(monkeypatch):
    def give(data):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data), encoding="utf-8"))

    return give


def assert_one_line(capsys, *parts):
    out, err = capsys.readouterr()
    assert out == "" and len(err.splitlines()) == 1, err
    for part in parts:
        assert part in err


def test_gradients_give_a_table_and_a_picture(model, text, tmp_path, capsys):
    picture = tmp_path / "a.png"
    assert status("--model", model, "gradients", "--plot", picture, "--text", text, "--length", 9) == 0
    out, err = capsys.readouterr()
    rows = [line.split("\t") for line in out.splitlines()]
    assert rows[0] == ["distance", "trained tanh", "untrained tanh", "untrained ReLU"]
    assert [row[0] for row in rows[1:]] == ["1", "2", "3"]
    assert all(float(value) >= 0 for row in rows[1:] for value in row[1:])
    assert picture.read_bytes()[:4] == b"\x89PNG"
    assert "no more than 3 steps in a row" in err and str(picture) in err


def test_the_graph_is_printed_and_written_to_a_page(model, tmp_path, capsys):
    assert status("graph", "--model", model, "--html", tmp_path / "a.html") == 0
    out, err = capsys.readouterr()
    assert [line.partition(":")[0] for line in out.splitlines() if line.startswith("# ")] == [
        "# The symbolic graph",
        "# The compiled graph",
    ]
    assert SCAN in out and "HloModule" not in out
    assert "<svg" in (tmp_path / "a.html").read_text(encoding="utf-8")
    assert str(tmp_path / "a.html") in err


@pytest.mark.xla
def test_hlo_prints_the_program_of_xla(model, capsys):
    assert status("graph", "--model", model, "--hlo") == 0
    assert "HloModule" in capsys.readouterr().out


def test_units_of_a_file_are_a_table_and_a_page(model, text, tmp_path, capsys):
    page = tmp_path / "a.html"
    assert status("units", "--model", model, "--unit", 3, "--unit", 0, text, "--html", page) == 0
    out, err = capsys.readouterr()
    rows = [line.split("\t") for line in out.splitlines()]
    assert rows[0] == ["unit", "lowest", "highest", "deviation", "persistence", "high after", "low after"]
    assert [row[0] for row in rows[1:]] == ["3", "0"]
    assert 'id="unit3"' in page.read_text(encoding="utf-8") and str(page) in err


def test_all_units_are_shown_by_default_and_a_truncated_text_is_reported(model, standard_input, capsys):
    standard_input(b"the dog the dog\n")
    assert status("units", "--model", model, "--tokens", 3) == 0
    out, err = capsys.readouterr()
    assert sorted(line.split("\t")[0] for line in out.splitlines()) == ["0", "1", "2", "3", "unit"]
    assert err == "only the first 3 tokens were read; --tokens N reads more\n"


def test_errors_are_tables_json_and_a_picture_with_the_total_of_score_py(model, text, tmp_path, capsys):
    picture = tmp_path / "a.png"
    assert status("errors", "--model", model, text, "--train", text, "--plot", picture) == 0
    out, err = capsys.readouterr()
    blocks = [[line.split("\t") for line in block.splitlines()] for block in out.split("\n\n")]
    titles = ["occurrences in training", "position in sentence", "token before", "token with the highest loss"]
    assert [block[0][0] for block in blocks] == [*titles, "unknown token", "worst sentence"]
    assert picture.read_bytes()[:4] == b"\x89PNG" and err.splitlines()[-1] == f"the picture is in {picture}"
    assert script("score").main(["--model", str(model), "--summary", str(text)]) == 0
    summary = capsys.readouterr().err.splitlines()[0]
    assert err.splitlines()[0] == summary
    total = float(re.search(r"log-probability (\S+),", summary)[1])
    for block in blocks[:3]:
        assert sum(float(row[2]) for row in block[1:]) == pytest.approx(total, abs=1e-3)
    assert status("errors", "--model", model, text, "--json", "--most", 2) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["total"]["log_probability"] == pytest.approx(total, abs=1e-3)
    assert document["bands"] == "frequency rank" and len(document["costliest_tokens"]) == 2
    assert document["unknown_words"] == {"cat": 1}


def test_errors_of_standard_input_are_those_of_a_file(model, text, standard_input, capsys):
    assert status("errors", "--model", model, text) == 0
    out, err = capsys.readouterr()
    standard_input(text.read_bytes())
    assert status("errors", "--model", model) == 0
    assert capsys.readouterr() == (out.replace(str(text), "standard input"), err)


def test_info_is_text_or_json(model, capsys):
    assert status("info", "--model", model) == 0
    assert "word_dim 6, hidden_dim 4, activation tanh" in capsys.readouterr().out
    assert status("info", "--model", model, "--json") == 0
    assert json.loads(capsys.readouterr().out)["network"]["word_dim"] == 6


@pytest.fixture(scope="module")
def lstm(tmp_path_factory):
    vocabulary = Vocabulary(["SENTENCE_START", "SENTENCE_END", "UNKNOWN_TOKEN", "a", '"'], newline_ends_sentence=True)
    path = tmp_path_factory.mktemp("lstm") / "lstm.npz"
    rnn = RNN(len(vocabulary), 4, cell="lstm", layers=2, bias=True, seed=2)
    LanguageModel(rnn, vocabulary, Tokenizer(level="char")).save(path)
    return path


@pytest.mark.slow
def test_all_parts_accept_a_network_with_gates_and_layers(lstm, tmp_path, standard_input, capsys):
    assert status("info", "--model", lstm) == 0
    assert "lstm, layers 2, embedding_dim null, bias true" in capsys.readouterr().out
    assert status("graph", "--model", lstm) == 0
    assert "'V s_t + c'" in capsys.readouterr().out
    (tmp_path / "a.txt").write_text('aa "a a" a\n' * 10, encoding="utf-8")
    arguments = ["--text", tmp_path / "a.txt", "--plot", tmp_path / "a.png", "--length", 4, "--starts", 3]
    assert status("gradients", "--model", lstm, *arguments) == 0
    names = ["trained 2-layer LSTM", "untrained 2-layer tanh", "untrained 2-layer GRU", "untrained 2-layer LSTM"]
    assert capsys.readouterr().out.splitlines()[0].split("\t") == ["distance", *names]
    page = tmp_path / "a.html"
    options = ["--of", "cell", "--layer", 1, "--by", "quotes", "--html", page]
    assert status("units", "--model", lstm, tmp_path / "a.txt", *options) == 0
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 5
    assert f"units that follow quotes best, with their correlation: {out.splitlines()[1].split()[0]} (" in err
    assert "<h1>Cell states of lstm.npz</h1>" in page.read_text(encoding="utf-8")


def test_the_names_of_quantities_and_properties_are_those_of_the_package():
    assert tuple(QUANTITIES) == explain.QUANTITY_NAMES
    assert tuple(PROPERTIES) == explain.PROPERTY_NAMES


@pytest.mark.slow
def test_all_parts_but_units_accept_a_bare_network(tmp_path, text, capsys):
    path = tmp_path / "bare.npz"
    np.savez(path, **RNN(9, 4, seed=3).get_values())
    for part in (["info"], ["graph"], ["gradients", "--plot", tmp_path / "a.png", "--length", 3, "--starts", 4]):
        assert status(*part, "--model", path) == 0
        assert capsys.readouterr().out
    assert status("units", "--model", path, text) == 2
    assert_one_line(capsys, "bare.npz: contains no configuration; it was not saved as a language model")


@pytest.mark.parametrize(
    "arguments, parts",
    [
        (["info", "--model", "none.npz"], ["none.npz: no such file"]),
        (["graph", "--model", "none.npz"], ["none.npz: no such file"]),
        (["gradients", "--model", "none.npz", "--plot", "{folder}/a.png"], ["none.npz: no such file"]),
        (["gradients", "--plot", "{folder}/a.svg"], ["a.svg: pictures are PNG files"]),
        (["gradients", "--plot", "{folder}/none/a.png"], ["a.png: its folder does not exist"]),
        (["gradients", "--plot", "{model}"], ["rnn.npz: is one of the files that are read"]),
        (["gradients", "--plot", "{text}", "--text", "{text}"], ["a.txt: is one of the files that are read"]),
        (["gradients", "--plot", "{folder}/a.png", "--compare", "none.npz"], ["none.npz: no such file"]),
        (["gradients", "--plot", "{folder}/a.png", "--text", "none.txt"], ["none.txt: no such file"]),
        (["gradients", "--plot", "{folder}/a.png", "--text", "{empty}"], ["the text is empty"]),
        (["gradients", "--plot", "{folder}/a.png", "--length", "0"], ["length: expected at least 1, got 0"]),
        (["gradients", "--length", "x"], ["argument --length: invalid int value: 'x'"]),
        (["graph", "--html", "{model}"], ["rnn.npz: is one of the files that are read"]),
        (["graph", "--html", "{folder}"], ["is a directory; name a file in it"]),
        (["units", "{text}", "--html", "{text}"], ["a.txt: is one of the files that are read"]),
        (["units", "{text}", "--unit", "4"], ["unit: the network has units 0 … 3, got 4"]),
        (["units", "{text}", "--unit", "-1"], ["unit: the network has units 0 … 3, got -1"]),
        (["units", "{text}", "--tokens", "0"], ["tokens: expected at least 1, got 0"]),
        (
            ["units", "{text}", "--of", "forget-gate"],
            ["--of: expected one of state with the cell simple, got forget-gate"],
        ),
        (["units", "{text}", "--of", "gate"], ["argument --of: invalid choice: 'gate'"]),
        (
            ["units", "{text}", "--layer", "2"],
            ["--layer: expected at most 1, the number of layers of the network, got 2"],
        ),
        (["units", "{text}", "--by", "quotes"], ["the text has too few examples of quotes to sort units by it"]),
        (["units", "{empty}"], ["the text is empty; give at least one line with some words"]),
        (["units", "none.txt"], ["none.txt: no such file"]),
        (["errors", "{folder}/none.txt"], ["none.txt: no such file"]),
        (["errors", "{nothing}"], ["no sentences to analyze; give one per line"]),
        (["errors", "{text}", "--most", "0"], ["--most: expected at least 1, got 0"]),
        (["errors", "{text}", "--plot", "{text}"], ["a.txt: is one of the files that are read"]),
        (["errors", "{text}", "--plot", "{folder}/a.svg"], ["a.svg: pictures are PNG files"]),
        (["errors", "{text}", "--train", "{empty}"], ["empty.txt contains no text"]),
        (["errors", "{text}", "--train", "{text}", "--plot", "{text}"], ["a.txt: is one of the files that are read"]),
        (["errors", "{text}", "--column", "body"], ["--column: 'body' was given, but no file is a table"]),
        (["errors", "{text}", "--model", "none.npz"], ["none.npz: no such file"]),
        (["other"], ["invalid choice: 'other'"]),
        ([], ["explain.py: name a PART: gradients, graph, units, errors or info; --help describes them"]),
    ],
)
def test_wrong_input_is_one_line_and_writes_nothing(arguments, parts, model, text, tmp_path, capsys):
    (tmp_path / "empty.txt").write_text("\n \n", encoding="utf-8")
    (tmp_path / "nothing.txt").write_bytes(b"")
    places = {"model": model, "text": text, "folder": tmp_path, "empty": tmp_path / "empty.txt"}
    places["nothing"] = tmp_path / "nothing.txt"
    before = {path: path.read_bytes() for path in (model, text, tmp_path / "empty.txt")}
    assert status("--model", model, *[argument.format(**places) for argument in arguments]) == 2
    assert_one_line(capsys, *parts)
    assert {path: path.read_bytes() for path in before} == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "empty.txt", "nothing.txt"]


def test_gradients_without_matplotlib_are_one_line_with_the_remedy(monkeypatch, capsys):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert status("gradients", "--model", "none.npz") == 2
    assert_one_line(capsys, 'pip install ".[plot]"')


def test_a_csv_column_is_read_like_a_text(model, text, tmp_path, standard_input, capsys):
    (tmp_path / "a.csv").write_text("id,note\n1,The dog.\n2,\n3,the cat\n", encoding="utf-8")
    shown = []
    for arguments in ([text], [tmp_path / "a.csv", "--column", "note"]):
        assert status("units", "--model", model, *arguments) == 0
        assert status("gradients", "--model", model, "--text", *arguments, "--plot", tmp_path / "a.png") == 0
        shown.append(capsys.readouterr())
    assert shown[0] == shown[1]
    assert status("units", "--model", model, tmp_path / "a.csv") == 2
    assert_one_line(capsys, "a.csv, line 1: row 1, the header, has no column body or text; its columns are id, note;")
    assert status("gradients", "--model", model, "--column", "note", "--plot", tmp_path / "b.png") == 2
    assert_one_line(capsys, "column: is for a text in a CSV file; name one with --text, or leave --column out")
