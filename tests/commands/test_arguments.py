"""Help in groups, with an example, within the width of a terminal; wrong usage in one line."""

import argparse
import re
import shlex
import sys
from dataclasses import fields

import pytest
from support.script_modules import COMMANDS, script

from theano_rnn.commands.arguments import ArgumentParser, command_parser, weighted_file
from theano_rnn.tasks.task_options import TASK_OPTIONS
from theano_rnn.training.options import TrainingOptions

PARTS = ("gradients", "graph", "units", "info")
HELPS = [[name] for name in COMMANDS] + [["explain", part] for part in PARTS]
CALLED = {
    "scripts/{}.py": "{}.py",
    "/usr/bin/theano-rnn-{}": "theano-rnn-{}",
    "/lib/theano_rnn/__main__.py": "python -m theano_rnn {}",
}
GROUPS = {
    "train": ["task", "data", "network", "optimization", "several processes", "evaluation and saving", "output"],
    "score": ["data", "output", "n-best lists", "minimal pairs", "mixing with other models"],
    "generate": ["data", "sampling", "search", "texts", "output"],
    "predict": ["data", "output", "writing (translations, descriptions)", "evaluation"],
    "export": ["formats, at least one"],
    "benchmark": ["workloads", "comparison", "measurement", "output"],
    "explain": ["parts"],
    "explain gradients": ["data", "measurement", "output"],
    "explain graph": ["data", "output"],
    "explain units": ["data", "units", "output"],
    "explain info": ["data", "output"],
}

# Options with a value that do nothing unless you give one.
WITHOUT_DEFAULT = {"by", "init_from", "log", "plot", "html", "compare", "peer", "theano", "mix", "prompt_file"} | {
    "onnx",
    "safetensors",
    "torch",
    "half_precision",
    "tensorboard",
    "fold",
    "frames",
    "output",
    "images",
    "alignments",
    "given",
    "mix_model",
    "model",
}

every_help = pytest.mark.parametrize("words", HELPS, ids=" ".join)


@pytest.fixture
def shown_help(monkeypatch, capsys):
    def show(words, called="scripts/{}.py", option="--help"):
        monkeypatch.setattr(sys, "argv", [called.format(words[0])])
        with pytest.raises(SystemExit) as ending:
            script(words[0]).main([*words[1:], option])
        out, err = capsys.readouterr()
        assert (ending.value.code, err) == (0, "")
        return out

    return show


@every_help
@pytest.mark.parametrize("called", CALLED)
def test_help_fits_80_columns(words, called, shown_help, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert max(map(len, shown_help(words, called).splitlines())) <= 80


@every_help
@pytest.mark.parametrize("called, name", CALLED.items())
def test_usage_names_the_command_as_it_was_called(words, called, name, shown_help):
    expected = " ".join([name.format(words[0]), *words[1:]])
    assert shown_help(words, called).startswith(f"usage: {expected} [options]")


@every_help
def test_options_are_in_groups(words, shown_help):
    headings = re.findall(r"^(\w.*):$", shown_help(words).partition("\noptions:\n")[2], re.MULTILINE)
    assert headings == [*GROUPS[" ".join(words)], "example"]


@every_help
def test_help_ends_with_one_example_that_can_be_parsed(words, shown_help):
    text = shown_help(words)
    example = text[text.index("\nexample:\n") :].split("\n", 2)[2].strip()
    start = f"python scripts/{words[0]}.py "
    assert example.startswith(start) and "\n" not in example
    script(words[0]).make_parser().parse_args(shlex.split(example.removeprefix(start)))


@every_help
def test_every_command_prints_its_version(words, shown_help):
    import theano_rnn

    assert shown_help(words, option="--version") == f"theano_rnn {theano_rnn.__version__}\n"


@every_help
def test_every_option_has_a_help_text(words):
    parser = script(words[0]).make_parser()
    if words[1:]:
        (subparsers,) = [one for one in parser._actions if isinstance(one, argparse._SubParsersAction)]
        parser = subparsers.choices[words[1]]
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            continue
        assert action.help and action.help[-1] not in ".;", action.dest
        takes_value = action.option_strings and action.nargs != 0
        assert not takes_value or action.dest in WITHOUT_DEFAULT or "(default: " in action.help, action.dest


@pytest.mark.parametrize("field", [one for one in fields(TrainingOptions) if one.default not in (None, False, "loss")])
def test_the_defaults_of_training_that_help_shows_are_those_of_the_package(field):
    (action,) = [one for one in script("train").make_parser()._actions if one.dest == field.name]
    shown = re.search(r"\(default: ([^,);]+)", action.help).group(1)
    if field.default is True:
        assert shown == "yes"
        return
    assert shown == (f"{field.default:g}" if isinstance(field.default, (int, float)) else field.default)


@pytest.mark.parametrize("task", TASK_OPTIONS)
def test_help_shows_the_other_defaults_of_each_task(task):
    for name, value in TASK_OPTIONS[task].defaults.items():
        (action,) = [one for one in script("train").make_parser()._actions if one.dest == name]
        if not isinstance(value, bool) and name not in ("pooling", "criterion"):
            shown = value if isinstance(value, str) else f"{value:g}"
            assert re.search(rf"[ :]{re.escape(shown)}\b", action.help), name


def test_paragraphs_are_wrapped_and_indented_lines_are_left_alone(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    parser = command_parser("train", f"{'word ' * 12}\n\nlist:\n  one\n  two\n", "[options]", "-x")
    text = parser.format_help()
    assert "\n\nword word word word word word word\nword word word word word\n\nlist:\n  one\n  two\n\n" in text


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--count", "x"], "argument --count: invalid int value: 'x'"),
        (["--color", "red"], "unrecognized arguments: --color red"),
        (["--level", "foo"], "argument --level: invalid choice: 'foo'"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(capsys, arguments, message):
    parser = ArgumentParser(prog="tool.py")
    parser.add_argument("--count", type=int)
    parser.add_argument("--level", choices=("word", "char"))
    with pytest.raises(SystemExit) as error:
        parser.parse_args(arguments)
    assert error.value.code == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1
    assert err.startswith(f"tool.py: {message}") and err.endswith("; see tool.py --help\n")


@pytest.mark.parametrize(
    "line, mixed, files",
    [
        ("a --mix m b", [("m", None)], ["a", "b"]),
        ("--mix m 0.5 b", [("m", 0.5)], ["b"]),
        ("a --mix m -1e-3 --mix=n .25 b 3", [("m", -0.001), ("n", 0.25)], ["a", "b", "3"]),
        ("--mix 0.5 0.25 --mix m --count 2", [("0.5", 0.25), ("m", None)], []),
        ("--mix m 0.5 0.5", [("m", 0.5)], ["0.5"]),
        ("--mix m -- 0.5", [("m", None)], ["0.5"]),
    ],
)
def test_a_number_after_a_weighted_file_is_its_weight(line, mixed, files):
    parser = ArgumentParser(prog="tool.py")
    parser.add_argument("files", nargs="*")
    parser.add_argument("--mix", action="append", type=weighted_file)
    parser.add_argument("--count", type=int)
    parser.weighted_flags = ("--mix",)
    arguments = parser.parse_intermixed_args(line.split())
    assert (arguments.mix, arguments.files) == (mixed, files)


def test_two_hyphens_can_be_the_value_of_an_option():
    parser = ArgumentParser(prog="x")
    parser.add_argument("--stop")
    parser.add_argument("--count", type=int)
    parser.add_argument("files", nargs="*")
    found = parser.parse_args(["--stop=--", "a", "--", "--stop"])
    assert (found.stop, found.files) == ("--", ["a", "--stop"])
    with pytest.raises(SystemExit):
        parser.parse_args(["--count=--"])
