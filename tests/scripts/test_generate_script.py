"""generate.py as a user runs it: the output of each option, and invalid options, which are rejected at once."""

import io
import os
import shlex
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from support.script_modules import SCRIPTS, script

from theano_rnn.language_models.language_model import LanguageModel, load
from theano_rnn.networks.rnn import RNN
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import Vocabulary

generate = script("generate")
DEMANDS = ["-n", "5", "--seed", "7", "--max-words", "9"]


@pytest.fixture(scope="module")
def lm():
    words = ["the", "dog", "cat", "sees", ".", "``", "''", "("]
    vocabulary = Vocabulary(["SENTENCE_START", "SENTENCE_END", "UNKNOWN_TOKEN", *words])
    rnn = RNN(len(vocabulary), 5, seed=3)
    rnn.set_values({name: 2 * value for name, value in rnn.get_values().items()})
    return LanguageModel(rnn, vocabulary, Tokenizer())


@pytest.fixture(scope="module")
def model(lm, tmp_path_factory):
    path = tmp_path_factory.mktemp("generate") / "rnn.npz"
    lm.save(path)
    return path


@pytest.fixture
def printed(lm, model, monkeypatch, capsys):
    """The lines that the script prints for arguments, with status 0. The model is not compiled again."""
    monkeypatch.setattr(LanguageModel, "load", lambda path: lm if Path(path) == model else load(path))

    def lines(*arguments):
        assert generate.main(["--model", str(model), *arguments]) == 0
        out, err = capsys.readouterr()
        assert err == "" and out.endswith("\n")
        return out.removesuffix("\n").split("\n")

    return lines


def test_scores_come_before_the_texts(lm, printed):
    plain = printed(*DEMANDS)
    lines = [line.split("\t") for line in printed(*DEMANDS, "--scores")]
    assert [text for _, text in lines] == plain
    expected = [value for _, value in lm.generated(5, seed=7, max_words=9, with_scores=True)]
    assert [float(value) for value, _ in lines] == pytest.approx(expected, abs=1e-6)


def test_streamed_texts_equal_texts_that_are_printed_whole(printed):
    for options in ([], ["--temperature", "0.5", "2"], ["--no-repeat-ngram", "2", "--prompt", "The (dog "]):
        assert printed(*DEMANDS, *options, "--stream") == printed(*DEMANDS, *options)


def test_streamed_words_are_sent_one_by_one(model, monkeypatch):
    sent = []
    monkeypatch.setattr(generate, "show", lambda *columns, end="\n": sent.append("\t".join(columns) + end))
    monkeypatch.setattr(generate, "flush", lambda: sent.append(None))
    assert generate.main(["--model", str(model), *DEMANDS, "--stream"]) == 0
    pieces = [piece for piece in sent if piece not in (None, "\n", "")]
    assert all(sent[i + 1] is None for i, piece in enumerate(sent) if piece not in (None, "\n"))
    assert max(len(piece.split()) for piece in pieces) == 1 and len(pieces) > 5


def test_several_temperatures_give_the_texts_of_separate_runs(printed):
    together = printed(*DEMANDS, "--temperature", "0.5", "1.0", "2")
    apart = [
        f"{shown}\t{line}" for shown in ("0.5", "1.0", "2.0") for line in printed(*DEMANDS, "--temperature", shown)
    ]
    assert together == apart and len(together) == 15
    scored = printed(*DEMANDS, "--temperature", "0.5", "2", "--scores")
    assert [line.split("\t")[0] for line in scored] == ["0.5"] * 5 + ["2.0"] * 5
    assert all(len(line.split("\t")) == 3 for line in scored)


def test_a_beam_gives_the_most_probable_texts(lm, printed):
    expected = lm.beam_search(6, max_words=5)
    assert printed("--beam", "6", "--max-words", "5") == [text for text, _ in expected]
    lines = printed("--beam", "6", "--max-words", "5", "--scores", "-n", "2")
    assert lines == [f"{value:.6f}\t{text}" for text, value in expected[:2]]


def test_several_prompts_give_the_texts_of_separate_runs(printed, tmp_path, monkeypatch):
    prompts = ["the dog", "", "The Zebra (", "the  ", "naïve שלום\t."]
    (tmp_path / "prompts.txt").write_bytes("\r\n".join(prompts).encode())
    expected = [line for prompt in prompts for line in printed(*DEMANDS, "--prompt", prompt)]
    assert printed(*DEMANDS, "--prompt-file", str(tmp_path / "prompts.txt")) == expected
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO("\n".join(prompts).encode())))
    assert printed(*DEMANDS, "--prompt-file", "-") == expected
    beams = printed("--beam", "6", "-n", "3", "--max-words", "5", "--prompt-file", str(tmp_path / "prompts.txt"))
    assert [line.startswith(prompts[i // 3]) for i, line in enumerate(beams)] == [True] * 15


def test_zero_texts_print_nothing(model, capsys):
    for options in ([], ["--stream"], ["--scores"], ["--beam", "3"]):
        assert generate.main(["--model", str(model), "-n", "0", *options]) == 0
    assert capsys.readouterr() == ("", "")


def refused(capsys, *arguments):
    """The one line on standard error of a call that ends with status 2."""
    try:
        status = generate.main([*arguments])
    except SystemExit as error:
        status = error.code
    out, err = capsys.readouterr()
    assert status == 2 and out == "" and err.startswith("generate.py: ") and err.count("\n") == 1, err
    return err


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ("--temperature -1", "--temperature: expected a number above 0, got -1.0"),
        ("--temperature 1 nan", "--temperature: expected a number above 0, got nan"),
        ("--temperature 1e-38", "--temperature: expected a number from 1e-30 to 1e+30, got 1e-38"),
        ("--temperature 1e39", "--temperature: expected a number from 1e-30 to 1e+30, got 1e+39"),
        ("--max-words 2147483648", "--max-words: expected at most 1000000000, got 2147483648"),
        ("--min-words 2147483648 --max-words 2147483648", "--max-words: expected at most 1000000000, got 2147483648"),
        ("--beam 3 --max-words 99999999999", "--max-words: expected at most 1000000000, got 99999999999"),
        ("--beam 99999999999999999999 -n 1", "--beam: expected at most 10000, got 99999999999999999999"),
        ("--temperature inf", "--temperature: expected a number above 0, got inf"),
        ("--temperature 0", "--temperature: expected a number above 0, got 0.0"),
        ("--temperature", "argument --temperature: expected at least one argument"),
        ("--top-p 0", "--top-p: expected a number above 0 and at most 1, got 0.0"),
        ("--top-p 1.5", "--top-p: expected a number above 0 and at most 1, got 1.5"),
        ("--top-k 0", "--top-k: expected at least 1, got 0"),
        ("-n -1", "-n: expected at least 0, got -1"),
        ("--seed -1", "--seed: expected at least 0, got -1"),
        ("--min-words 5 --max-words 4", "--min-words: expected at most --max-words (4), got 5"),
        ("--max-words 0", "--max-words: expected at least 1, got 0"),
        ("--no-repeat-ngram 0", "--no-repeat-ngram: expected at least 1, got 0"),
        ("--beam 0", "--beam: expected at least 1, got 0"),
        ("--beam 3 -n 4", "-n: expected at most the width of the beam (3), got 4"),
        ("--beam 3 --no-repeat-ngram -2", "--no-repeat-ngram: expected at least 1, got -2"),
        ("--beam 3 --temperature 1", "--beam: draws nothing at random, which --temperature is for"),
        ("--beam 3 --top-k 5", "--beam: draws nothing at random, which --top-k is for"),
        ("--beam 3 --top-p 0.5", "--beam: draws nothing at random, which --top-p is for"),
        ("--beam 3 --seed 0", "--beam: draws nothing at random, which --seed is for"),
        ("--beam 3 --stream", "--beam: draws nothing at random, which --stream is for"),
        ("--scores --stream", "argument --stream: not allowed with argument --scores"),
        ("--prompt a --prompt-file b", "argument --prompt-file: not allowed with argument --prompt"),
        ("--prompt-file nowhere.txt", "nowhere.txt: no such file; check the path"),
        ("--prompt 'a\nb'", "--prompt: contains a line end, but a text is one line"),
    ],
)
def test_invalid_options_are_rejected_before_the_model_is_loaded(arguments, part, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert part in refused(capsys, *shlex.split(arguments), "--model", "nowhere.npz")


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"", "p.txt: contains no prompts; write one per line, an empty line for none"),
        (b"the dog\nthe\xff\n", "p.txt, line 2: byte 0xff at position 4 is not UTF-8"),
    ],
)
def test_a_file_without_prompts_is_rejected_before_the_model_is_loaded(content, part, tmp_path, capsys):
    (tmp_path / "p.txt").write_bytes(content)
    assert part in refused(capsys, "--prompt-file", str(tmp_path / "p.txt"), "--model", "nowhere.npz")


def test_a_prompt_that_is_too_long_is_rejected_with_its_line_before_any_output(model, tmp_path, capsys):
    (tmp_path / "p.txt").write_text("the dog\nthe dog sees\n")
    arguments = ["--model", str(model), "--max-words", "2"]
    part = "expected at most --max-words (2) words, got 3"
    assert f"p.txt, line 2: prompt: {part}" in refused(capsys, *arguments, "--prompt-file", str(tmp_path / "p.txt"))
    assert f"generate.py: --prompt: {part}" in refused(capsys, *arguments, "--prompt", "the dog sees")


def test_a_search_without_a_result_is_one_line(model, capsys):
    arguments = ["--beam", "6", "--min-words", "8", "--max-words", "9", "--no-repeat-ngram", "1"]
    assert "no text meets these demands" in refused(capsys, "--model", str(model), *arguments)


def test_a_search_without_a_result_names_the_line_of_the_prompt(model, tmp_path, capsys):
    prompts = tmp_path / "prompts.txt"
    prompts.write_text("the\nthe the\n")
    arguments = ["--beam", "3", "-n", "1", "--no-repeat-ngram", "1", "--prompt-file", str(prompts), "--min-words", "8"]
    told = refused(capsys, "--model", str(model), *arguments, "--max-words", "9")
    assert f"generate.py: {prompts}, line 1: no text meets these demands" in told


@pytest.fixture
def model_of_words(tmp_path):
    """A model without punctuation, which could lengthen a text of few words."""
    vocabulary = Vocabulary(["SENTENCE_START", "SENTENCE_END", "UNKNOWN_TOKEN", "the", "dog", "sees"])
    path = tmp_path / "words.npz"
    LanguageModel(RNN(len(vocabulary), 5, seed=3), vocabulary, Tokenizer()).save(path)
    return path


def test_a_search_that_finds_too_few_texts_says_so(model_of_words, tmp_path, capsys):
    arguments = ["--model", str(model_of_words), "--beam", "50", "-n", "50", "--max-words", "2"]
    prompts, numbers = ["the dog", "sees", ""], [1, 1 + 3, 3 + 3 * 3]  # without a prompt no text is empty
    (tmp_path / "prompts.txt").write_text("\n".join(prompts) + "\n")
    remedies = "a larger --max-words than 2 or a larger --beam than 50 may find more"
    assert generate.main([*arguments, "--prompt", prompts[0]]) == 0
    out, err = capsys.readouterr()
    assert out.count("\n") == numbers[0]
    assert err == f"generate.py: found only {numbers[0]} of 50 texts; {remedies}\n"
    assert generate.main([*arguments, "--prompt-file", str(tmp_path / "prompts.txt")]) == 0
    out, err = capsys.readouterr()
    assert out.count("\n") == sum(numbers)
    assert err.splitlines() == [
        f"generate.py: {tmp_path / 'prompts.txt'}, line {i}: found only {number} of 50 texts; {remedies}"
        for i, number in enumerate(numbers, 1)
    ]


def test_the_remedy_for_too_few_texts_names_the_given_options(model_of_words, capsys):
    arguments = "--beam 10 --max-words 2 --min-words 2 --no-repeat-ngram 1 --prompt the".split()
    assert generate.main(["--model", str(model_of_words), *arguments]) == 0
    assert capsys.readouterr().err == (
        "generate.py: found only 2 of 10 texts; a larger --max-words than 2, a smaller --min-words than 2, a larger "
        "--no-repeat-ngram than 1 or a larger --beam than 10 may find more\n"
    )


def test_a_search_that_finds_all_texts_says_nothing(model, capsys):
    for demands in ("--beam 5 -n 5", "--beam 5", "--beam 5 -n 0"):
        assert generate.main(["--model", str(model), *demands.split()]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.slow
def test_a_closed_pipe_ends_streaming_silently(model):
    command = shlex.join(
        [sys.executable, str(SCRIPTS / "generate.py"), "--model", str(model), "-n", "5000", "--stream"]
    )
    environment = {**os.environ, "PYTHONPATH": str(SCRIPTS.parent)}
    finished = subprocess.run(
        f"{command} | head -1", shell=True, env=environment, capture_output=True, text=True, check=False
    )
    assert finished.stdout.count("\n") == 1 and finished.stderr == ""


def test_prompts_can_come_from_a_csv_column(model, tmp_path, capsys):
    (tmp_path / "a.txt").write_text("the dog\n\n")
    (tmp_path / "a.csv").write_text("id;Note\n1;the dog\n2;\n", encoding="utf-8-sig")
    shown = []
    for arguments in (["a.txt"], ["a.csv", "--column", "note"]):
        path = str(tmp_path / arguments[0])
        assert (
            generate.main(["--model", str(model), "-n", "2", "--seed", "1", "--prompt-file", path, *arguments[1:]]) == 0
        )
        shown.append(capsys.readouterr())
    assert shown[0] == shown[1] and shown[0].out.count("\n") == 4
    (tmp_path / "a.csv").write_text('text\nthe dog\n"the\r\ndog"\n', newline="")
    message = refused(capsys, "--prompt-file", str(tmp_path / "a.csv"))
    assert "a.csv, row 3: the prompt contains a line end, but a text is one line; remove it" in message
    assert "column: is for a file of prompts" in refused(capsys, "--column", "text")
