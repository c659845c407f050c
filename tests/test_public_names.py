"""Editors and type checkers see all public names of the package, and importing it is cheap."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import theano_rnn

PACKAGE = Path(theano_rnn.__file__).parent

USER_PROGRAM = """
import theano_rnn

rnn = theano_rnn.RNN(8000, 100)
reveal_type(rnn)
reveal_type(theano_rnn.load("models/rnn.npz"))
reveal_type(theano_rnn.train)
reveal_type(theano_rnn.OptionError("wrong"))
reveal_type(theano_rnn.__version__)
"""


def names_for_type_checkers():
    """{public name: module that it is imported from}, from the block that only type checkers read."""
    names = {}
    for node in ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            for imported in node.body:
                # Public names are imported as themselves, which tells type checkers that they are public.
                names |= {alias.asname: imported.module for alias in imported.names if alias.asname}
    return names


def test_type_checkers_see_every_public_name():
    assert names_for_type_checkers() == theano_rnn._HOMES
    assert set(theano_rnn.__all__) == {*theano_rnn._HOMES, "__version__"}


def test_every_public_name_can_be_imported():
    for name in theano_rnn.__all__:
        assert getattr(theano_rnn, name) is not None


def test_the_package_declares_that_it_is_typed():
    assert (PACKAGE / "py.typed").is_file()


def test_importing_the_package_imports_none_of_its_modules_and_no_numpy():
    code = (
        "import sys; import theano_rnn; "
        "print(sorted(name for name in sys.modules if name.split('.')[0] in ('numpy', 'pytensor', 'theano', 'jax')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.slow
def test_a_user_of_the_package_gets_its_types(tmp_path):
    pytest.importorskip("mypy")
    program = tmp_path / "program.py"
    program.write_text(USER_PROGRAM, encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--config-file", str(PACKAGE.parent / "pyproject.toml"), str(program)]
    done = subprocess.run(command, cwd=PACKAGE.parent, capture_output=True, text=True, timeout=600, check=False)
    revealed = [line.split('"')[1] for line in done.stdout.splitlines() if "Revealed type" in line]
    expected = [
        "networks.rnn.RNN",
        "language_models.language_model.LanguageModel",
        "def (",
        "errors.OptionError",
        "str",
    ]
    assert len(revealed) == len(expected), done.stdout
    for found, part in zip(revealed, expected, strict=True):
        assert part in found and found != "Any"
