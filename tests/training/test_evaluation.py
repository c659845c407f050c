"""What an evaluation measures and records, and which one is the best."""

import pytest

from theano_rnn.training.evaluation import evaluations_without_improvement


@pytest.mark.parametrize(
    "losses, count",
    [
        ([], 0),
        ([3.0], 0),
        ([3.0, 2.0, 1.0], 0),
        ([3.0, 2.0, 2.0], 1),
        ([1.0, 2.0, 1.5, 1.1], 3),
        ([3.0, 4.0, 5.0, 2.0, 2.5], 1),
    ],
)
def test_only_a_loss_below_all_before_it_is_an_improvement(losses, count):
    assert evaluations_without_improvement(losses) == count
