"""generate.py --length and --logprobs as a user runs them."""

import gzip
import io
import json
import shlex
from pathlib import Path
from types import SimpleNamespace

import pytest
from support.script_modules import script

from theano_rnn.language_models.language_model import LanguageModel, load
from theano_rnn.networks.rnn import RNN
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import Vocabulary

generate = script("generate")
SPECIAL = ["SENTENCE_START", "SENTENCE_END", "UNKNOWN_TOKEN"]
DEMANDS = ["-n", "3", "--seed", "7", "--length", "40"]


def make(tokens, level, **tokenizer):
    vocabulary = Vocabulary([*SPECIAL, *tokens], newline_ends_sentence=level == "char")
    rnn = RNN(len(vocabulary), 5, seed=3)
    rnn.set_values({name: 2 * value for name, value in rnn.get_values().items()})
    return LanguageModel(rnn, vocabulary, Tokenizer(level=level, **tokenizer))


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Models by path."""
    folder = tmp_path_factory.mktemp("passages")
    made = {
        folder / "characters.npz": make(["a", "b", " ", "\t", "é"], "char"),
        folder / "lines.npz": make(["the", "dog", "sees", ".", "(", ")"], "word", lines=True),
    }
    for path, lm in made.items():
        lm.save(path)
    return made


@pytest.fixture
def printed(models, monkeypatch, capsys):
    """What the script prints for a model and arguments, with status 0. Models are not compiled again."""
    by_path = {Path(path): lm for path, lm in models.items()}
    monkeypatch.setattr(
        LanguageModel, "load", lambda path: by_path[Path(path)] if Path(path) in by_path else load(path)
    )

    def output(name, *arguments):
        path = next(path for path in models if path.stem == name)
        assert generate.main(["--model", str(path), *arguments]) == 0
        out, err = capsys.readouterr()
        assert err == ""
        return out

    return output


def model(models, name):
    return next(lm for path, lm in models.items() if path.stem == name)


@pytest.mark.parametrize("name", ["characters", "lines"])
def test_the_output_is_the_passage_and_a_newline_with_a_line_between_two(name, models, printed):
    expected = model(models, name).generate(3, seed=7, length=40, prompt="the\n")
    assert printed(name, *DEMANDS, "--prompt", "the\n") == "\n-----\n".join(expected) + "\n"
    assert printed(name, *DEMANDS, "--prompt", "the\n", "--separator", "") == "\n\n".join(expected) + "\n"
    (only,) = model(models, name).generate(1, seed=7, length=40)
    assert printed(name, "-n", "1", "--seed", "7", "--length", "40") == only + "\n"


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--temperature", "0.5", "2"],
        ["--stop", "b a", "--top-k", "4", "--separator", "%"],
        ["--no-repeat-ngram", "3", "--prompt", "a\r\nb"],
    ],
)
def test_streamed_passages_equal_passages_that_are_printed_whole(options, printed):
    assert printed("characters", *DEMANDS, *options, "--stream") == printed("characters", *DEMANDS, *options)


def test_several_temperatures_come_before_their_passages(printed):
    apart = [printed("lines", *DEMANDS, "--temperature", shown) for shown in ("0.5", "2.0")]
    passages = [f"{shown}\t{passage}" for shown, text in zip(("0.5", "2.0"), apart, strict=True)
                for passage in text.removesuffix("\n").split("\n-----\n")]  # fmt: skip
    assert printed("lines", *DEMANDS, "--temperature", "0.5", "2") == "\n-----\n".join(passages) + "\n"


def test_a_file_taken_whole_is_one_prompt_to_the_last_line_end(printed, tmp_path, monkeypatch):
    for text in ("a b\nb", "a b\n", "\n\na", "b\u2028a", ""):
        expected = printed("characters", *DEMANDS, "--prompt", text)
        assert expected.startswith(text)
        (tmp_path / "p.csv").write_bytes(text.replace("\n", "\r\n").encode("utf-8-sig"))
        (tmp_path / "p.txt.gz").write_bytes(gzip.compress(text.encode()))
        for name in ("p.csv", "p.txt.gz"):
            assert printed("characters", *DEMANDS, "--prompt-file", str(tmp_path / name), "--whole") == expected
        monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(text.encode()), isatty=lambda: False))
        assert printed("characters", *DEMANDS, "--prompt-file", "-", "--whole") == expected


def test_rows_of_a_table_may_contain_line_ends(printed, tmp_path):
    (tmp_path / "p.csv").write_text('text\n"a\nb"\na\n')
    expected = "-----\n".join(printed("characters", *DEMANDS, "--prompt", prompt) for prompt in ("a\nb", "a"))
    assert printed("characters", *DEMANDS, "--prompt-file", str(tmp_path / "p.csv")) == expected


# Log-probabilities of tokens


def test_log_probabilities_are_a_line_per_token(models, printed):
    found = list(model(models, "characters").generated_tokens(3, seed=7, length=40))
    lines = printed("characters", *DEMANDS, "--logprobs").removesuffix("\n").split("\n")
    rows = [line.split("\t") for line in lines]
    assert [row[0] for row in rows] == [number for number in "123" for _ in range(40)]
    assert [float(row[1]) for row in rows] == pytest.approx(
        [v for one in found for v in one.log_probabilities], abs=1e-6
    )
    shown = {"\n": "\\n", "\t": "\\t"}
    assert [row[2] for row in rows] == [shown.get(token, token) for one in found for token in one.tokens]
    assert {"\\n", "\\t"} <= {row[2] for row in rows}


def test_several_temperatures_come_before_their_tokens_and_texts_are_counted(printed):
    lines = printed("lines", *DEMANDS, "--temperature", "0.5", "2", "--logprobs").splitlines()
    rows = [line.split("\t") for line in lines]
    assert [(row[0], row[1]) for row in rows[::40]] == [("0.5", n) for n in "123"] + [("2.0", n) for n in "456"]
    assert len(rows) == 240 and {len(row) for row in rows} == {4}


def test_json_has_the_text_and_its_tokens(models, printed):
    arguments = ["-n", "2", "--seed", "1", "--prompt", "a\u2028", "--logprobs", "--format", "json"]
    for demands in ({"max_words": 9}, {"length": 30, "stop": "\t"}):
        given = [f"--{name.replace('_', '-')}={value}" for name, value in demands.items()]
        lines = printed("characters", *arguments, *given).splitlines()
        found = list(model(models, "characters").generated_tokens(2, seed=1, prompt="a\u2028", **demands))
        for line, one in zip(lines, found, strict=True):
            document = json.loads(line)
            assert document["prompt"] == "a\u2028" and document["temperature"] == 1 and document["text"] == one.text
            assert [token["token"] for token in document["tokens"]] == one.tokens
            values = [token["log_probability"] for token in document["tokens"]]
            assert values == pytest.approx(one.log_probabilities.tolist())


def test_tokens_of_sentences_end_with_the_end(printed):
    lines = printed("lines", "-n", "4", "--seed", "1", "--max-words", "50", "--logprobs").splitlines()
    assert [line.split("\t")[2] for line in lines].count("SENTENCE_END") == 4


# Wrong usage


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ("--length 0", "--length: expected at least 1, got 0"),
        ("--length 99999999999", "--length: expected at most 1000000000, got 99999999999"),
        ("--length x", "argument --length: invalid int value: 'x'"),
        ("--length 9 --min-words 1", "--length: is for passages, and --min-words for texts of one sentence"),
        ("--length 9 --max-words 100", "--length: is for passages, and --max-words for texts of one sentence"),
        ("--length 9 --beam 3", "--length: is for passages, and --beam for texts of one sentence; leave one out"),
        ("--length 9 --scores", "--length: is for passages, and --scores for texts of one sentence; use --logprobs"),
        ("--length 9 --stop ''", "--stop: expected at least one character, got ''"),
        ("--length 9 --separator 'a\nb'", "--separator: expected one line, got several"),
        ("--length 9 --separator a --logprobs", "--separator: is for texts, but --logprobs shows their tokens"),
        ("--stop a", "--stop: ends a passage, whose greatest length --length sets; give both"),
        ("--separator a", "--separator: is for passages; add --length, or leave --separator out"),
        ("--whole --prompt-file p.txt", "--whole: is for passages; add --length, or leave --whole out"),
        ("--length 9 --whole", "--whole: is for a file of prompts; name one with --prompt-file, or leave it out"),
        ("--length 9 --whole --prompt-file p.csv --column text", "--whole: takes a file as it is, without columns"),
        ("--length 9 --whole --prompt-file nowhere.txt", "nowhere.txt: no such file; check the path"),
        ("--prompt 'a\nb'", "or write a passage with --length"),
        ("--format json", "--format: is for the log-probabilities of tokens; add --logprobs, or leave it out"),
        ("--logprobs --format xml", "argument --format: invalid choice: 'xml'"),
        ("--logprobs --beam 3", "--beam: has no log-probabilities of tokens; use --scores, or leave --logprobs out"),
        ("--logprobs --scores", "argument --scores: not allowed with argument --logprobs"),
        ("--logprobs --stream", "argument --stream: not allowed with argument --logprobs"),
    ],
)
def test_invalid_options_are_rejected_in_one_line_before_the_model_is_loaded(
    arguments, part, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    try:
        status = generate.main([*shlex.split(arguments), "--model", "nowhere.npz"])
    except SystemExit as error:
        status = error.code
    out, err = capsys.readouterr()
    assert status == 2 and out == "" and err.startswith("generate.py: ") and err.count("\n") == 1, err
    assert part in err
