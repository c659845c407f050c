"""Which of the recorded evaluations is the best."""

from typing import Any

from theano_rnn.language_models.text_model import best_evaluation

HISTORY: list[dict[str, Any]] = [
    {"epoch": 1, "train_loss": 3.5, "valid_loss": 3.0, "perplexity": 20.0855, "learning_rate": 0.004},
    {"epoch": 2, "train_loss": 2.5, "valid_loss": 2.0, "perplexity": 7.3891, "learning_rate": 0.00333},
    {"epoch": 3, "train_loss": 2.0, "valid_loss": 2.1, "perplexity": 8.1662, "learning_rate": 0.0025},
]


def test_the_best_evaluation_is_the_first_with_the_lowest_decisive_loss() -> None:
    def best_epoch(history: list[dict[str, Any]], is_tutorial: bool) -> int | None:
        best = best_evaluation(history, is_tutorial)
        return None if best is None else best["epoch"]

    assert best_epoch(HISTORY, is_tutorial=False) == 2
    assert best_epoch(HISTORY, is_tutorial=True) == 3
    assert best_epoch([record | {"valid_loss": None} for record in HISTORY], is_tutorial=False) == 3
    assert best_epoch([*HISTORY, {**HISTORY[1], "epoch": 4}], is_tutorial=False) == 2
    assert best_epoch([], is_tutorial=False) is None
    assert best_epoch([{"train_loss": None, "valid_loss": None}], is_tutorial=False) is None
