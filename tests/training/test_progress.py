"""What a training run shows at a terminal and in a file."""

from types import SimpleNamespace

import pytest

from theano_rnn.training.progress import ProgressReporter


def test_the_bar_tells_the_epoch_it_shows(capsys):
    reporter = ProgressReporter()
    for epoch in (0, 1):
        for done in (1, 5, 10):
            reporter.progress(SimpleNamespace(epoch=epoch), 4, done, 10, 2.5, 100)
        assert f"epoch {epoch + 1}/4" in reporter.bar.desc
        assert reporter.bar.n == 10
    record = dict.fromkeys(
        ("train_loss", "valid_loss", "perplexity", "learning_rate", "tokens_per_second", "seconds"), 1
    )
    reporter.evaluated({"epoch": 2, **record}, "A sample.")
    assert reporter.bar is None
    out, err = capsys.readouterr()
    assert out == "" and "A sample." in err


@pytest.mark.parametrize(
    "epoch, step, shown", [(0, 1, "1 step"), (1, 0, "1 epoch"), (2, 1, "2 epochs and 1 step"), (0, 30, "30 steps")]
)
def test_the_script_counts_epochs_and_steps_in_plain_english(epoch, step, shown):
    progress = ProgressReporter()
    progress.time_is_up(SimpleNamespace(epoch=epoch, step=step), "m.checkpoint.npz")
    assert progress.stopped_after == shown
