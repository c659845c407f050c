"""Python errors name arguments; the commands show flags in their place, in one line."""

import argparse
import ast
import re
from pathlib import Path

import pytest
from support.script_modules import COMMANDS, script

import theano_rnn
from theano_rnn.commands.option_names import flag, flags_of, message_with_flags
from theano_rnn.errors import ArgumentTypeError, ArgumentValueError, CorpusError, ModelFileError, OptionError

FLAGS = {"hidden_dim": "--hidden-dim", "mix_weight": "--lambda", "n": "-n", "tokenized": "--tokenized"}
PARSERS = {name: script(name).make_parser() for name in COMMANDS}


def all_parsers():
    for name, parser in PARSERS.items():
        yield name, parser
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                for part, subparser in action.choices.items():
                    yield f"{name} {part}", subparser


def shown_flag(action):
    """The longest flag of an option, without negations such as ``--no-bias``."""
    is_switch = isinstance(action, argparse.BooleanOptionalAction)
    return action.option_strings[0] if is_switch else max(action.option_strings, key=len)


OPTIONS = [
    (name.split()[0], action.dest, shown_flag(action))
    for name, parser in all_parsers()
    for action in parser._actions
    if action.option_strings
]


@pytest.mark.parametrize("kind", [ArgumentValueError, ArgumentTypeError, OptionError])
def test_every_option_of_every_command_is_named_by_its_flag(kind):
    for command, name, shown in OPTIONS:
        error = kind(f"{name}: expected at least 1, got 0")
        message = message_with_flags(error, flags_of(PARSERS[command]))
        assert message == f"{shown}: expected at least 1, got 0", command


def test_every_option_that_a_message_mentions_is_named_by_its_flag():
    for command, name, shown in OPTIONS:
        error = CorpusError(f"a.txt: wrong; choose another `{name}`, or leave `{name}` out")
        expected = f"a.txt: wrong; choose another {shown}, or leave {shown} out"
        assert message_with_flags(error, flags_of(PARSERS[command])) == expected, command


@pytest.mark.parametrize(
    "message, shown",
    [
        ("hidden_dim: needs `tokenized` or `mix_weight`", "--hidden-dim: needs --tokenized or --lambda"),
        ("`tokenized` and `hidden_dim` exclude each other", "--tokenized and --hidden-dim exclude each other"),
        ("n: use `hidden_dim=8` and `tokenized=True`", "-n: use --hidden-dim 8 and --tokenized"),
        ("n: use `tokenized=False` or `n=None`", "-n: use no --tokenized or no -n"),
        ("level: expected one of `a`, got hidden_dim", "level: expected one of `a`, got hidden_dim"),
        ("hidden_dim: expected a number, got 'tokenized'", "--hidden-dim: expected a number, got 'tokenized'"),
        ("hidden_dims: unknown", "hidden_dims: unknown"),
    ],
)
def test_a_message_may_name_several_arguments(message, shown):
    assert message_with_flags(OptionError(message), FLAGS) == shown


def test_the_name_of_a_file_is_not_replaced_even_if_it_is_that_of_an_argument():
    assert message_with_flags(ModelFileError("n: no such file"), FLAGS) == "n: no such file"
    error = OptionError("n: is one of the texts; choose another place")
    assert message_with_flags(error, FLAGS, ["--data", "n"]) == str(error)


def test_a_flag_has_hyphens():
    assert flag("hidden_dim") == "--hidden-dim"


def errors_about_arguments():
    """Yield (place, message) of each error about arguments in the package, with spaces in place of values."""
    for path in sorted(Path(theano_rnn.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
                kind, message = getattr(node.exc.func, "id", ""), node.exc.args[0]
                if kind in ("ArgumentValueError", "ArgumentTypeError", "OptionError"):
                    parts = message.values if isinstance(message, ast.JoinedStr) else [message]
                    text = "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in parts)
                    yield f"{path.name}, line {node.lineno}", text


def test_messages_of_the_package_mention_arguments_in_backquotes_and_no_flags():
    names = {name for parser in PARSERS.values() for name in flags_of(parser) if "_" in name}
    for place, message in errors_about_arguments():
        rest = re.sub(r"`[^`]*`|\(\w+, \w+\)", "", re.sub(r"^\w+: ", "", message))
        words = set(re.findall(r"\w+", rest))
        assert not words & names, f"{place}: {message}"
        assert not re.search(r"(^|\s)--[a-z]", message), f"{place}: {message}"
