"""Compiling a step takes about a minute with Theano: one network is then tested, and all others are slow tests."""

import pytest

from theano_rnn.engines.engine import engine_name

QUICK_ON_THEANO = "test_with_all_words_as_samples_a_run_is_that_of_the_exact_softmax[tutorial-adam]"


def pytest_collection_modifyitems(items):
    if engine_name() != "theano":
        return
    for item in items:
        if item.path.name.startswith("test_sampled_") and item.path.parent.name == "large_vocabularies":
            if item.name != QUICK_ON_THEANO:
                item.add_marker(pytest.mark.slow)
