"""The examples in the docstrings of all modules of the package run and print what they show."""

import doctest
import importlib
from pathlib import Path

import numpy as np
import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "theano_rnn"
# Packages that examples need and that may be missing: the other engine, and PyTorch.
OPTIONAL = {"jax", "pytensor", "theano", "torch"}


def module_names():
    """The names of all modules, except `__main__`, whose import runs the command line."""
    names = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        if parts[-1] != "__main__":
            names.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return names


@pytest.fixture(autouse=True)
def restored_generator():
    state = np.random.get_state()
    yield
    np.random.set_state(state)


@pytest.mark.parametrize("name", module_names())
def test_the_examples_of_a_module_are_right(name, tmp_path, monkeypatch):
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name not in OPTIONAL:
            raise
        pytest.skip(f"{error.name} is not installed")
    monkeypatch.chdir(tmp_path)  # for the files that examples write
    report = []
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS, verbose=False)
    for example in doctest.DocTestFinder(exclude_empty=True).find(module):
        runner.run(example, out=report.append)
    assert not report, "".join(report)


@pytest.mark.parametrize("name", ["networks.rnn", "tutorial"])
def test_examples_are_found(name):
    found = doctest.DocTestFinder().find(importlib.import_module(f"theano_rnn.{name}"))
    assert any(example.examples for example in found)
