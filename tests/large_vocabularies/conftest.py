"""Compiling a step takes seconds with XLA, and about a minute with Theano: tests of most networks are slow tests."""

import pytest

from theano_rnn.engines.engine import engine_name

AS_EXACT = "test_with_all_words_as_samples_a_run_is_that_of_the_exact_softmax"
FEW_ROWS = "test_only_rows_of_words_that_a_step_reads_change"
QUICK_ON_THEANO = {f"{AS_EXACT}[tutorial-adam]"}
# Of the tests of all networks and rules; other tests are quick.
QUICK = {
    f"{AS_EXACT}[{case}]" for case in ("tutorial-adam", "lstm-adam", "biases-adagrad", "features, no bias", "False")
}
QUICK |= {f"{FEW_ROWS}[{case}]" for case in ("tied-adam", "gru-adam", "biases-momentum", "features, no bias", "True")}


def is_slow(name):
    if engine_name() == "theano":
        return name not in QUICK_ON_THEANO
    return name.startswith((AS_EXACT, FEW_ROWS)) and name not in QUICK


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.name.startswith("test_sampled_") and item.path.parent.name == "large_vocabularies":
            if is_slow(item.name):
                item.add_marker(pytest.mark.slow)
