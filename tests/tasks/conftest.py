"""Fixtures of the tests of tasks."""

import pytest
from support.training_runs import share_compiled_readers


@pytest.fixture(scope="module", autouse=True)
def compiled_once():
    """Runs of the same shape share their compiled functions."""
    with pytest.MonkeyPatch.context() as patch:
        share_compiled_readers(patch, {})
        yield
