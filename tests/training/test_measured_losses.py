"""The best perplexity that a run reports is the one that scoring the text with the saved model gives."""

import json
import math
import textwrap

import numpy as np
import pytest
from support.script_modules import script
from support.training_runs import SENTENCES, Interrupter, assert_same_run, run_state, share_compiled

from theano_rnn.errors import TrainingInterrupted
from theano_rnn.language_models import scoring
from theano_rnn.language_models.language_model import LanguageModel, load
from theano_rnn.language_models.text_model import best_evaluation
from theano_rnn.training import learner, timing, trainer
from theano_rnn.training.run_files import RunFiles
from theano_rnn.training.train_model import train

CLOSE = 1e-5  # relative; float32 losses in other minibatches than in the run
TEXT = "\n".join(SENTENCES) + "\n"
# With these learning rates the loss oscillates, so that the best evaluation is not the last one.
WORDS = {"hidden_dim": 6, "optimizer": "sgd", "learning_rate": 20.0, "batch_size": 5, "clip": None, "seed": 2}
ADAM = {"dropout": 0.5, "optimizer": "adam", "learning_rate": 0.1}
LSTM = {**ADAM, "cell": "lstm", "layers": 2}
CONTINUOUS = {**WORDS, **ADAM, "continuous": True, "sequence_length": 9}
CHARACTERS = {**WORDS, "level": "char", "learning_rate": 8.0, "sequence_length": 7}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    share_compiled(monkeypatch)
    monkeypatch.setattr(LanguageModel, "generate", lambda self, n, **demands: ["a sample"] * n)
    monkeypatch.setattr(learner, "STEPS_BEFORE_HALVING", 1)


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("\n\n".join(SENTENCES) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def held_out(tmp_path):
    path = tmp_path / "held.txt"
    path.write_text("The bird sees a dog.\n\nThe cat eats the bird.\n\nThe dog likes the zebra", encoding="utf-8")
    return path


def reported(lm):
    return best_evaluation(lm.training["history"], lm.training["options"]["tutorial"])["perplexity"]


def assert_reproducible(model, path):
    """Check the saved model in Python and in the shell."""
    lm, content = load(model), path.read_text(encoding="utf-8")
    expected = reported(lm)
    assert math.exp(lm.text_loss(content)) == pytest.approx(expected, rel=CLOSE)
    if lm.tokenizer.level == "char":
        for sizes in ((50, 50), (1, 13), (7, 100)):
            assert math.exp(lm.text_loss(content, *sizes)) == pytest.approx(expected, rel=CLOSE)
    elif lm.continuous:
        ids = np.concatenate([lm.encode(sentence) for sentence in lm.tokenizer.sentences([content])])
        values = lm.rnn.log_probabilities(ids[:-1, None], ids[1:, None])[0][ids[1:] != lm.start]
        assert scoring.perplexity(values.sum(), len(values)) == pytest.approx(expected, rel=CLOSE)
        assert lm.perplexity([line for line in content.split("\n") if line]) != pytest.approx(expected, rel=CLOSE)
    else:
        assert lm.perplexity([line for line in content.split("\n") if line]) == pytest.approx(expected, rel=CLOSE)


@pytest.mark.parametrize(
    "settings",
    [
        WORDS,
        pytest.param({**WORDS, "batch_size": 64}, marks=pytest.mark.slow),
        {**WORDS, "evaluate_every": 3},
        pytest.param({**WORDS, **LSTM}, marks=pytest.mark.slow),
        pytest.param(CONTINUOUS, marks=pytest.mark.slow),
        pytest.param({**CONTINUOUS, **LSTM}, marks=pytest.mark.slow),
        pytest.param({**CHARACTERS, **LSTM}, marks=pytest.mark.slow),
        CHARACTERS,
        pytest.param({**CHARACTERS, "batch_size": 50, "sequence_length": 50}, marks=pytest.mark.slow),
        pytest.param(
            {**CHARACTERS, "optimizer": "adam", "learning_rate": 0.3, "batch_size": None}, marks=pytest.mark.slow
        ),
        {"tutorial": True, "hidden_dim": 6, "evaluate_every": 1, "learning_rate": 0.005, "seed": 2},
    ],
    ids=str,
)
def test_without_held_out_text_the_perplexity_is_measured_on_the_training_text(text, tmp_path, settings):
    model = tmp_path / "m.npz"
    train(text, model=model, epochs=5, **{**settings, "valid_fraction": 0.0})
    assert_reproducible(model, text)


@pytest.mark.parametrize("settings", [WORDS, pytest.param(CONTINUOUS, marks=pytest.mark.slow), CHARACTERS], ids=str)
def test_with_held_out_text_the_perplexity_is_measured_on_it(text, held_out, tmp_path, settings):
    model = tmp_path / "m.npz"
    train(text, model=model, epochs=5, valid=held_out, **settings)
    assert_reproducible(model, held_out)


def test_continuous_words_are_measured_on_the_last_sentences(text, tmp_path):
    model, end = tmp_path / "m.npz", tmp_path / "end.txt"
    train(text, model=model, epochs=3, valid_fraction=0.2, **CONTINUOUS)
    end.write_text("\n\n".join(SENTENCES[len(SENTENCES) - round(0.2 * len(SENTENCES)) :]), encoding="utf-8")
    assert_reproducible(model, end)


def test_characters_are_measured_on_the_held_out_end_of_the_text(text, tmp_path):
    model = tmp_path / "m.npz"
    train(text, model=model, epochs=3, valid_fraction=0.2, **CHARACTERS)
    content = text.read_text(encoding="utf-8")
    end = tmp_path / "end.txt"
    end.write_text(content[len(content) - round(0.2 * len(content)) :], encoding="utf-8")
    assert_reproducible(model, end)


QUICK_OF_TWO = [pytest.param(WORDS, marks=pytest.mark.slow), CHARACTERS]


@pytest.mark.parametrize("settings", QUICK_OF_TWO)
def test_a_resumed_run_has_the_measured_perplexity_and_equals_an_uninterrupted_one(
    text, tmp_path, monkeypatch, settings
):
    monkeypatch.setattr(timing, "STEPS_BETWEEN_REPORTS", 1)
    settings = {**settings, "valid_fraction": 0.0, "epochs": 5}
    with pytest.raises(TrainingInterrupted):
        train(text, model=tmp_path / "m.npz", reporter=Interrupter(3, 2), **settings)
    assert_reproducible(tmp_path / "m.npz", text)
    train(None, model=tmp_path / "m.npz", resume=True)
    assert_reproducible(tmp_path / "m.npz", text)
    train(text, model=tmp_path / "unbroken.npz", **settings)
    assert_same_run(tmp_path / "m.npz", tmp_path / "unbroken.npz")


@pytest.mark.parametrize("settings", QUICK_OF_TWO)
def test_a_fine_tuned_model_has_the_measured_perplexity(text, held_out, tmp_path, settings):
    train(text, model=tmp_path / "start.npz", epochs=1, **settings)
    further = {**settings, "init_from": tmp_path / "start.npz", "epochs": 3}
    further.pop("hidden_dim")
    train(text, model=tmp_path / "a.npz", valid=held_out, **further)
    assert_reproducible(tmp_path / "a.npz", held_out)
    train(text, model=tmp_path / "b.npz", valid_fraction=0.0, **further)
    assert_reproducible(tmp_path / "b.npz", text)


@pytest.mark.parametrize("settings", [WORDS, CHARACTERS])
def test_a_run_at_its_time_limit_has_the_measured_perplexity(text, tmp_path, monkeypatch, settings):
    monkeypatch.setattr(trainer.Trainer, "time_is_up", property(lambda run: run.state.step >= 3))
    lm = train(text, model=tmp_path / "m.npz", epochs=5, max_minutes=9, valid_fraction=0.0, **settings)
    assert lm.training["history"]
    assert_reproducible(tmp_path / "m.npz", text)


def test_a_text_that_takes_too_long_to_measure_is_learned_without_an_evaluation(text, tmp_path, monkeypatch):
    monkeypatch.setattr(timing.TimeLimit, "is_long_enough_for", lambda limit, tokens: False)
    monkeypatch.setattr(timing.TimeLimit, "has_passed", True)
    lm = train(text, model=tmp_path / "m.npz", epochs=5, max_minutes=9, valid_fraction=0.0, **WORDS)
    assert lm.training["history"] == [] and run_state(tmp_path / "m.npz")[1]["state"]["step"] > 0


def test_a_checkpoint_of_an_older_version_is_measured_when_it_is_resumed(text, tmp_path):
    """Older versions compared the mean during learning, which may be far from the loss of any parameters."""
    model, settings = tmp_path / "m.npz", {**WORDS, "valid_fraction": 0.0}
    train(text, model=model, epochs=3, **settings)
    arrays, document = run_state(model)
    del document["losses_are_measured"]
    for record, loss in zip(document["state"]["history"], (3.0, 0.1, 2.0), strict=True):
        record.update(train_loss=loss, perplexity=math.exp(loss))
    document["state"]["best_loss"] = 0.1
    RunFiles(model, None, overwrite=True).write(arrays, document)
    train(None, model=model, resume=True)
    history = load(model).training["history"]
    assert [record["train_loss"] is None for record in history] == [True, False, True]
    assert_reproducible(model, text)
    train(None, model=model, resume=True, epochs=6)
    assert_reproducible(model, text)


@pytest.mark.parametrize(
    "layout", ["wrapped", *(pytest.param(one, marks=pytest.mark.slow) for one in ("blank lines", "csv"))]
)
def test_the_summary_shows_the_training_figure_where_scoring_reads_lines_differently(tmp_path, capsys, layout):
    sentences = [
        f"The {a} dog sees the {b} cat here." for a in ("old", "red", "big") for b in ("sad", "shy", "wet")
    ] * 3
    path = tmp_path / ("t.csv" if layout == "csv" else "t.txt")
    content = {
        "blank lines": "\n\n".join(sentences),
        "wrapped": "\n".join(textwrap.wrap(" ".join(sentences), 30)),
        "csv": "id,text\n" + "".join(f'{i},"{one}"\n{i},\n' for i, one in enumerate(sentences)),
    }[layout]
    path.write_text(content + "\n", encoding="utf-8")
    lm = train(path, model=tmp_path / "m.npz", epochs=2, valid_fraction=0.0, **WORDS)
    assert script("score").main(["--model", str(tmp_path / "m.npz"), "--summary", str(path)]) == 0
    shown = capsys.readouterr().err.partition("as training measures it: perplexity ")[2]
    assert float(shown.split()[0]) == pytest.approx(reported(lm), rel=CLOSE)


@pytest.mark.parametrize("settings", [WORDS, CHARACTERS])
def test_train_and_score_show_the_same_perplexity(text, held_out, tmp_path, capsys, settings):
    model, log = tmp_path / "m.npz", tmp_path / "log.jsonl"
    arguments = ["--data", text, "--valid", held_out, "--model", model, "--log", log, "--epochs", 4]
    given = {**settings, "clip": 0}
    arguments += [part for name, value in given.items() for part in (f"--{name.replace('_', '-')}", value)]
    assert script("train").main(list(map(str, arguments))) == 0
    best = min(json.loads(line)["perplexity"] for line in log.read_text().splitlines())
    assert f"perplexity {best:.2f} after epoch " in capsys.readouterr().err
    scored = held_out
    if settings is WORDS:
        scored = tmp_path / "lines.txt"
        scored.write_text("".join(f"{line}\n" for line in held_out.read_text().split("\n") if line))
    assert script("score").main(["--model", str(model), "--summary", str(scored)]) == 0
    shown = capsys.readouterr().err
    if settings is CHARACTERS:
        shown = shown.partition("as one continuous text, as training measures it:")[2]
    assert float(shown.partition("perplexity ")[2].split()[0].rstrip(",")) == pytest.approx(best, rel=CLOSE)
