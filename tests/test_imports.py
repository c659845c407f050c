"""The house's stairs lead one way: each module imports only those that stand before it in one order."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "theano_rnn"

ORDER = """
errors
signals
checks
coverage
atomic_files
output_files
pictures
training_plot
pages
seal
npz_reader
npz_writer
checkpoint
scratch
documents
text_files
csv_files
corpus_files
detokenize
abbreviations
sentence_splitter
word_tokenizer
text
text_layout
token_places
vocabulary
batches
allocator
machine_code
float_setting
requirements
shared_storage
pytensor_engine
theano_settings
theano_engine
engine
cells
softmax
graph
updates
gradient_check
model
jacobians
forward_graph
graph_layout
graph_page
gradient_flow
gradients_plot
optimizer
sampling
beam_step
score_batches
scoring
continuous_text
repetition
generation
beam_search
text_generation
one_token
unknown_words
language_model
text_statistics
surprisal
surprisal_page
surprisal_plot
scoring_options
score_formats
nbest
token_scores
mixture
network_files
reading
gradient_curves
model_summary
units
units_page
options
fine_tuning
corpus
corpus_cache
reporter
run_files
training_state
training_curves
run_checkpoint
evaluation
live_picture
stopping
training_run
training
command_line
workloads
torch_peer
peer
benchmark
theano_peer
benchmark_report
""".split()
THEANO = {"pytensor", "jax", "jaxlib", "theano", "aesara"}
# These alone name what they use of it; all others take it from `engine`.
ENGINES = {"pytensor_engine", "theano_engine"}
MAY_USE_THEANO = {
    "cells",
    "softmax",
    "graph",
    "updates",
    "gradient_check",
    "model",
    "jacobians",
    "forward_graph",
    "optimizer",
    "sampling",
    "beam_step",
    "theano_peer",
}
# What these may take from the engine, and nothing more: names of devices and their choice, and bare products to time.
MAY_TAKE_FROM_ENGINE = {
    "options": {"DEVICES"},
    "score_batches": {"device_name"},
    "training": {"select_device"},
    "benchmark": {"compile_function", "finished", "scan", "select_device", "shared_array"},
    "benchmark_report": {"device_name", "versions"},
}

every_module = pytest.mark.parametrize("module", ORDER)


def imports(module):
    """[(imported module, names taken from it or None)] of one module, those inside functions too."""
    found = []
    for node in ast.walk(ast.parse((PACKAGE / f"{module}.py").read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(alias.name, None) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} has a relative import in line {node.lineno}"
            found.append((node.module, {alias.name for alias in node.names}))
    return found


def own_imports(module):
    """{module of the package: names taken from it}."""
    found = {}
    for name, names in imports(module):
        if name == "theano_rnn":
            for submodule in names or {"(the root itself)"}:
                found.setdefault(submodule, set()).add("(the module itself)")
        elif name.startswith("theano_rnn."):
            found.setdefault(name.removeprefix("theano_rnn."), set()).update(names or {"(the module itself)"})
    return found


def test_every_module_of_the_package_has_its_place_in_the_order():
    assert sorted(path.stem for path in PACKAGE.glob("*.py")) == sorted([*ORDER, "__init__"])
    assert not [path for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"]


@every_module
def test_module_imports_only_modules_before_it_and_never_the_package_root(module):
    assert set(own_imports(module)) <= set(ORDER[: ORDER.index(module)])


def test_the_command_line_knows_errors_signals_and_the_allocator_only():
    assert set(own_imports("command_line")) <= {"errors", "signals", "allocator"}


@every_module
def test_theano_is_imported_only_where_graphs_are_made(module):
    if module not in ENGINES:
        assert not {name.partition(".")[0] for name, _ in imports(module)} & THEANO
        assert not own_imports(module).keys() & ENGINES or module == "engine"
    if module in MAY_USE_THEANO | ENGINES:
        return
    assert own_imports(module).get("engine", set()) <= MAY_TAKE_FROM_ENGINE.get(module, set())


def test_the_package_root_imports_none_of_its_modules():
    assert own_imports("__init__") == {}
    assert not {name.partition(".")[0] for name, _ in imports("__init__")} & THEANO


@pytest.mark.parametrize("module", ["__init__", *(module for module in ORDER if module != "command_line")])
def test_only_the_command_line_prints(module):
    calls = ast.walk(ast.parse((PACKAGE / f"{module}.py").read_text(encoding="utf-8")))
    printing = [
        node.lineno
        for node in calls
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert printing == []
