"""Runs that end early, and what only watches a run: neither changes its numbers."""

import itertools
import json
import math
import shlex
import shutil
import signal
from types import SimpleNamespace

import numpy as np
import pytest
from support.script_modules import script
from support.training_runs import (
    CASES,
    SENTENCES,
    Interrupter,
    assert_same_arrays,
    assert_same_run,
    run_state,
    share_compiled,
)

from theano_rnn.errors import DivergenceError, ModelFileError, OptionError, OutputFileError, TrainingInterrupted
from theano_rnn.language_models.language_model import LanguageModel, load
from theano_rnn.training import live_plot, options, timing, train_model, trainer
from theano_rnn.training.reporter import Reporter
from theano_rnn.training.train_model import train
from theano_rnn.training.trainer import Trainer

WORDS = CASES["words"]
ALL_CASES = ["words", *(pytest.param(case, marks=pytest.mark.slow) for case in ("characters", "tutorial"))]


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Functions compiled once; the sampled sentence of an evaluation, which would cost a compilation."""
    share_compiled(monkeypatch)
    monkeypatch.setattr(LanguageModel, "generate", lambda self, n, **demands: ["a sample"] * n)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("early")


@pytest.fixture(scope="module")
def toy(folder):
    path = folder / "toy.txt"
    path.write_text("\n\n".join(SENTENCES) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def unbroken(folder, toy):
    """Finds the model file of a case's run of 4 epochs, which is done when it is first asked for."""

    def find(case):
        path = folder / f"{case}.npz"
        if not path.exists():
            train(toy, model=path, epochs=4, **CASES[case])
        return path

    return find


class Notes(Reporter):
    """Keeps what is told."""

    def __init__(self):
        self.notes, self.records, self.samples, self.ends = [], [], [], []

    def note(self, text):
        self.notes.append(text)

    def evaluated(self, record, sample):
        self.records.append((record["epoch"], sample))

    def sampled(self, state, sample):
        self.samples.append((state.epoch, state.step, sample))

    def time_is_up(self, state, checkpoint):
        self.ends.append((state.epoch, state.step, checkpoint))


# Patience


LOSSES = [9.0, 3.0, 2.0, 2.5, 2.0, 1.5, 1.6, 1.7, 1.8, 1.9]  # by epoch; never two of the first worse in a row but 4, 5


@pytest.fixture
def losses(monkeypatch):
    monkeypatch.setattr(Trainer, "held_out_loss", lambda run: LOSSES[run.state.epoch])
    monkeypatch.setattr(Trainer, "train_loss", lambda run: LOSSES[run.state.epoch])


@pytest.mark.parametrize("patience, epochs", [(1, 3), (2, 4), (3, 8), (4, 9), (5, 9), (None, 9), (0, 9)])
@pytest.mark.usefixtures("losses")
def test_a_run_ends_when_the_loss_has_not_fallen_for_so_many_evaluations(toy, tmp_path, patience, epochs):
    reporter = Notes()
    lm = train(toy, model=tmp_path / "m.npz", epochs=9, patience=patience, reporter=reporter, **WORDS)
    assert [record["epoch"] for record in lm.training["history"]] == list(range(1, epochs + 1))
    told = [note for note in reporter.notes if "the loss has not fallen in" in note]
    assert len(told) == (epochs < 9)
    if told:
        assert told[0].endswith(f"the run has ended after {epochs} epochs; a larger patience, or 0, lets it go on")


@pytest.mark.usefixtures("losses")
def test_the_tutorials_run_counts_evaluations_of_the_training_text(toy, tmp_path):
    lm = train(toy, model=tmp_path / "m.npz", epochs=9, patience=2, **CASES["tutorial"])
    assert [record["epoch"] for record in lm.training["history"]] == [0, 1, 2, 3, 4]


def test_of_the_tutorials_run_the_best_is_that_of_the_training_text_even_if_text_is_held_out(
    toy, tmp_path, monkeypatch, drawn, capsys
):
    monkeypatch.setattr(Trainer, "train_loss", lambda run: 3.0 - run.state.epoch)
    monkeypatch.setattr(Trainer, "held_out_loss", lambda run: 2.0 + run.state.epoch)
    arguments = ["--tutorial", "--data", toy, "--valid", tmp_path / "held.txt", "--model", tmp_path / "m.npz"]
    (tmp_path / "held.txt").write_text("The dog sees the cat.\n")
    arguments += ["--hidden-dim", 6, "--epochs", 2, "--evaluate-every", 1, "--plot", tmp_path / "m.png"]
    assert script("train").main(list(map(str, arguments))) == 0
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith(f"best perplexity {math.exp(4):.2f} after epoch 2;")
    assert drawn[-1][-1] is True


@pytest.mark.usefixtures("losses")
def test_an_interrupted_run_with_patience_ends_as_an_unbroken_one(toy, tmp_path, monkeypatch):
    monkeypatch.setattr(trainer, "STEPS_BETWEEN_REPORTS", 1)
    settings = {**WORDS, "patience": 2, "epochs": 9}
    train(toy, model=tmp_path / "a.npz", **settings)
    for moment in ((1, 2), (3, 1), (3, 3)):
        with pytest.raises(TrainingInterrupted):
            again = (tmp_path / "b.npz").exists()
            train(toy, model=tmp_path / "b.npz", resume=again, reporter=Interrupter(*moment), **settings)
    train(None, model=tmp_path / "b.npz", resume=True)
    assert run_state(tmp_path / "b.npz")[1]["state"]["epoch"] == 4
    assert_same_run(tmp_path / "a.npz", tmp_path / "b.npz")


@pytest.mark.usefixtures("losses")
def test_a_run_that_ran_out_of_patience_goes_on_with_more_or_without_any_and_else_says_so(toy, tmp_path, monkeypatch):
    model, reporter = tmp_path / "m.npz", Notes()
    train(toy, model=model, epochs=9, patience=2, **WORDS)
    with monkeypatch.context() as patched:
        patched.setattr(Trainer, "take_step", None)
        for settings in ({}, {"patience": 1}, {"epochs": 20}):
            before = model.read_bytes()
            train(None, model=model, resume=True, reporter=reporter, **settings)
            assert reporter.notes.pop().startswith("the loss has not fallen in ")
            assert model.read_bytes() == before or "epochs" in settings
    train(None, model=model, resume=True, patience=3, epochs=9)
    assert run_state(model)[1]["state"]["epoch"] == 8
    train(None, model=model, resume=True, patience=0)
    train(toy, model=tmp_path / "unlimited.npz", epochs=9, **WORDS)
    assert_same_run(model, tmp_path / "unlimited.npz")


# Time


@pytest.fixture
def seconds_a_step(monkeypatch):
    """Each step takes ten seconds of the time limit, and nothing else takes any."""
    clock, take_step = SimpleNamespace(seconds=0.0), Trainer.take_step

    def slow_step(run, batch):
        clock.seconds += 10
        return take_step(run, batch)

    monkeypatch.setattr(Trainer, "take_step", slow_step)
    monkeypatch.setattr(trainer, "SECONDS_BETWEEN_REPORTS", math.inf)
    monkeypatch.setattr(timing, "time", SimpleNamespace(perf_counter=lambda: clock.seconds))


@pytest.mark.parametrize("case", ALL_CASES)
@pytest.mark.usefixtures("seconds_a_step")
def test_a_run_stopped_by_the_time_again_and_again_equals_an_unbroken_one(case, unbroken, toy, tmp_path):
    expected, model, ends = unbroken(case), tmp_path / "m.npz", []
    minutes = 0.5 if case == "words" else 2
    for _ in range(30):
        reporter = Notes()
        again = model.exists()
        lm = train(toy, model=model, epochs=4, resume=again, max_minutes=minutes, reporter=reporter, **CASES[case])
        assert_same_arrays(lm.rnn.get_values(), load(model).rnn.get_values())
        if not reporter.ends:
            break
        ends += reporter.ends
        assert reporter.ends[0][2] == tmp_path / "m.checkpoint.npz"
        assert lm.training["history"]  # a model that was evaluated, after the first twelve steps already
    assert len(ends) >= 2 and ends[0][0] == 0 and ends[0][1] > 1
    assert_same_run(model, expected)


@pytest.mark.parametrize("later, better", [(1.0, True), (5.0, False)])
@pytest.mark.usefixtures("seconds_a_step")
def test_when_the_time_is_up_the_file_has_the_better_of_the_best_and_the_present_parameters(
    toy, tmp_path, monkeypatch, later, better
):
    at_end = {}

    def held_out_loss(run):
        if run.state.step:
            at_end.update(run.learner.rnn.get_values())
        return later if run.state.step else 2.0

    monkeypatch.setattr(Trainer, "held_out_loss", held_out_loss)
    reporter, steps = Notes(), -(-len(SENTENCES) * 9 // 10 // 8)
    lm = train(toy, model=tmp_path / "m.npz", epochs=4, max_minutes=(steps + 3) / 6, reporter=reporter, **WORDS)
    arrays, document = run_state(tmp_path / "m.npz")
    best = {name: arrays[f"best.{name}"] for name in "UVW"}
    assert_same_arrays(lm.rnn.get_values(), at_end if better else best)
    assert not np.array_equal(at_end["W"], best["W"])
    last = reporter.records[-1][0]
    assert 1 < last < 2
    assert [record["epoch"] for record in lm.training["history"]] == ([1, last] if better else [1])
    assert [record["epoch"] for record in document["state"]["history"]] == [1]


@pytest.mark.usefixtures("seconds_a_step")
def test_the_time_may_be_up_between_evaluations_at_the_end_of_an_epoch(toy, tmp_path, monkeypatch):
    monkeypatch.setattr(Trainer, "held_out_loss", lambda run: 2.0)
    reporter = Notes()
    total = run_of_words(toy).data.steps_per_epoch
    settings = {**WORDS, "epochs": 4, "evaluate_every": 2}
    lm = train(toy, model=tmp_path / "m.npz", max_minutes=total / 6, reporter=reporter, **settings)
    assert reporter.ends == [(1, 0, tmp_path / "m.checkpoint.npz")]
    assert [record["epoch"] for record in lm.training["history"]] == [1]
    train(None, model=tmp_path / "m.npz", resume=True)
    train(toy, model=tmp_path / "n.npz", **settings)
    assert_same_run(tmp_path / "m.npz", tmp_path / "n.npz")


def run_of_words(toy):
    chosen = options.TrainingOptions.from_settings(WORDS)
    corpus = train_model.read_corpus(toy, chosen)
    return Trainer(corpus, chosen, train_model.RunFiles(toy.with_name("m.npz"), None), Reporter(), [toy])


@pytest.mark.usefixtures("seconds_a_step")
def test_where_reading_took_all_the_time_one_step_is_learnt_and_nothing_evaluated(toy, tmp_path, monkeypatch, capsys):
    read_corpus = train_model.read_corpus

    def slow(*details, **others):
        clock.seconds += 3600
        return read_corpus(*details, **others)

    clock = SimpleNamespace(seconds=0.0)
    monkeypatch.setattr(timing, "time", SimpleNamespace(perf_counter=lambda: clock.seconds))
    monkeypatch.setattr(train_model, "read_corpus", slow)
    monkeypatch.setattr(Trainer, "held_out_loss", None)
    arguments = ["--data", toy, "--model", tmp_path / "m.npz", "--hidden-dim", 6, "--epochs", 3, "--max-minutes", 5]
    assert script("train").main(list(map(str, arguments))) == 0
    assert run_state(tmp_path / "m.npz")[1]["state"]["step"] == 1
    lines = capsys.readouterr().err.splitlines()
    assert any(line.startswith("time is up after 1 step;") for line in lines)
    assert lines[-1] == f"the model is in {tmp_path / 'm.npz'}"
    assert load(tmp_path / "m.npz").training["history"] == []


@pytest.mark.usefixtures("seconds_a_step")
def test_a_run_that_ends_in_time_says_nothing_of_it(toy, tmp_path):
    reporter = Notes()
    train(toy, model=tmp_path / "m.npz", epochs=1, max_minutes=1000, reporter=reporter, **WORDS)
    assert not reporter.ends


def test_an_impossible_limit_is_refused_before_anything_else(tmp_path):
    with pytest.raises(OptionError, match="^max_minutes: expected a number above 0, got -1"):
        train(tmp_path / "absent.txt", model=tmp_path / "m.npz", max_minutes=-1)
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("seconds_a_step")
def test_the_script_ends_with_status_0_and_the_command_that_goes_on(toy, tmp_path, capsys):
    arguments = ["--data", toy, "--model", tmp_path / "m.npz", "--hidden-dim", 6, "--epochs", 3]
    arguments += ["--batch-size", 8, "--max-minutes", 0.5]
    assert script("train").main(list(map(str, arguments))) == 0
    lines = capsys.readouterr().err.splitlines()
    (place,) = [i for i, line in enumerate(lines) if line.startswith("time is up after 3 steps;")]
    assert lines[place].endswith("; the work so far is saved. To continue:")
    assert shlex.split(lines[place + 1])[2:] == [*map(str, arguments), "--resume"]
    assert lines[-1].startswith("best perplexity ") and lines[-1].endswith(f"the model is in {tmp_path / 'm.npz'}")


# Samples


@pytest.mark.parametrize("case", ALL_CASES)
def test_samples_between_evaluations_come_as_often_as_asked_and_change_nothing(case, unbroken, toy, tmp_path):
    reporter = Notes()
    train(toy, model=tmp_path / "m.npz", epochs=4, sample_every=5, reporter=reporter, **CASES[case])
    assert_same_run(tmp_path / "m.npz", unbroken(case))
    total = max(step for _, step, _ in reporter.samples) // 5 * 5
    assert total and reporter.samples[0] == (0, 5, "a sample")
    assert {sample for _, sample in reporter.records} == {"a sample"}


def test_a_sample_between_evaluations_is_one_of_the_present_parameters(toy, tmp_path, monkeypatch):
    drawn = []

    class Watcher(Reporter):
        def sampled(self, state, sample):
            current = self.run.learner.rnn.get_values()
            assert_same_arrays(drawn[-1][0], current)
            assert not np.array_equal(current["W"], self.run.learner.best["W"])

    reporter, take_step = Watcher(), Trainer.take_step
    monkeypatch.setattr(
        LanguageModel, "generate", lambda lm, n, **demands: drawn.append((lm.rnn.get_values(), demands["seed"])) or [""]
    )
    monkeypatch.setattr(Trainer, "take_step", lambda run, b: setattr(reporter, "run", run) or take_step(run, b))
    monkeypatch.setattr(Trainer, "evaluate", Trainer.save)
    train(toy, model=tmp_path / "m.npz", epochs=2, sample_every=3, reporter=reporter, save_every=1e9, **WORDS)
    assert [seed for _, seed in drawn] == list(range(3, 3 * len(drawn) + 1, 3)) and len(drawn) > 3


class Stopper(Reporter):
    """Lets a run be stopped while a sample is shown: by a signal, or by a pipe that nobody reads any more."""

    def __init__(self, number, stop):
        self.number, self.stop = number, stop

    def sampled(self, state, sample):
        self.number -= 1
        if self.number == 0:
            self.stop()


def interrupt():
    signal.raise_signal(signal.SIGINT)


def break_pipe():
    raise BrokenPipeError


@pytest.mark.parametrize("stop", [interrupt, break_pipe])
@pytest.mark.parametrize(
    "case, settings",
    [
        ("words", {"valid_fraction": 0.0}),
        ("words", {}),
        ("characters", {}),
        ("tutorial", {}),
    ],
)
def test_a_run_stopped_while_a_sample_is_drawn_equals_an_unbroken_one(case, settings, stop, toy, tmp_path):
    settings = {**CASES[case], **settings, "epochs": 4, "sample_every": 3}
    train(toy, model=tmp_path / "a.npz", **settings)
    for number in (2, 1, 4):  # samples into each call, none of them at a step where the loop looks up
        again = (tmp_path / "b.npz").exists()
        with pytest.raises(TrainingInterrupted):
            train(toy, model=tmp_path / "b.npz", resume=again, reporter=Stopper(number, stop), **settings)
        state = run_state(tmp_path / "b.npz")[1]["state"]
        assert state["loss_sum"] >= 0.5 * state["loss_tokens"]  # the losses of all tokens that count as learnt
    train(None, model=tmp_path / "b.npz", resume=True)
    assert_same_run(tmp_path / "a.npz", tmp_path / "b.npz")


def test_zero_means_no_samples_at_all(unbroken, toy, tmp_path, monkeypatch):
    expected = unbroken("words")
    monkeypatch.setattr(LanguageModel, "generate", None)
    reporter = Notes()
    train(toy, model=tmp_path / "m.npz", epochs=4, sample_every=0, reporter=reporter, **WORDS)
    assert reporter.samples == [] and [sample for _, sample in reporter.records] == [None] * 4
    assert_same_run(tmp_path / "m.npz", expected)


# The picture


@pytest.fixture
def drawn(monkeypatch):
    """What was drawn, in place of pictures."""
    drawn = []
    monkeypatch.setattr(
        live_plot,
        "draw_training",
        lambda path, history, steps, clip, title, by_training_text: drawn.append(
            (len(history), steps, clip, title, by_training_text)
        ),
    )
    monkeypatch.setattr(live_plot, "SECONDS_BETWEEN", 0.0)
    monkeypatch.setattr(live_plot, "STEPS_PER_POINT", 3)
    return drawn


def arrays_without_curves(model):
    return {name: value for name, value in run_state(model)[0].items() if name != "curves"}


@pytest.mark.parametrize(
    "case, clip",
    [
        ("words", 1.0),
        pytest.param("characters", 1.0, marks=pytest.mark.slow),
        ("tutorial", None),
        pytest.param("words", None, marks=pytest.mark.slow),
    ],
)
def test_a_picture_changes_none_of_the_numbers(case, clip, unbroken, toy, tmp_path, monkeypatch, drawn):
    monkeypatch.setattr(trainer, "STEPS_BETWEEN_REPORTS", 2)
    settings = {**CASES[case], "clip": clip, "epochs": 4}
    expected = unbroken(case)
    if case == "words" and clip is None:
        expected = tmp_path / "plain.npz"
        train(toy, model=expected, **settings)
    model = tmp_path / "m.npz"
    train(toy, model=model, plot=tmp_path / "m.png", **settings)
    assert model.read_bytes() == expected.read_bytes()
    assert_same_arrays(arrays_without_curves(model), run_state(expected)[0])
    evaluations, steps, shown_clip, title, by_training_text = drawn[-1]
    assert by_training_text == (case == "tutorial")
    assert (evaluations, shown_clip, title) == (4 + (case == "tutorial"), clip, "m")
    assert np.all(np.diff(steps["epoch"]) > 0) and steps["epoch"][-1] <= 4
    assert len({len(column) for column in steps.values()}) == 1 and len(steps["epoch"]) > 1
    history = load(model).training["history"]
    assert min(steps["loss"]) > 0 and steps["loss"][-1] == pytest.approx(history[-1]["train_loss"], rel=0.5)
    norms = [norm for norm in steps["gradient_norm"] if not math.isnan(norm)]
    assert norms and min(norms) > 0
    assert case == "tutorial" or len(norms) == len(steps["epoch"])


def test_the_curves_of_an_interrupted_run_go_on(unbroken, toy, tmp_path, drawn, monkeypatch):
    monkeypatch.setattr(trainer, "STEPS_BETWEEN_REPORTS", 1)
    model, plot, settings = tmp_path / "m.npz", tmp_path / "m.png", WORDS
    with pytest.raises(TrainingInterrupted):
        train(toy, model=model, epochs=3, plot=plot, reporter=Interrupter(1, 4), **settings)
    before = drawn[-1][1]
    assert len(before["epoch"]) >= 2
    count = len(drawn)
    train(None, model=model, epochs=2, resume=True)  # without a picture they are kept
    assert len(drawn) == count
    train(None, model=model, epochs=3, resume=True, plot=plot)
    after = drawn[-1][1]
    assert after["loss"][: len(before["loss"]) - 1] == before["loss"][:-1]
    assert after["epoch"][-1] > 2.5


def test_the_norm_of_the_tutorials_gradient_is_that_of_bptt(toy, tmp_path, drawn, monkeypatch):
    norms, take_step = [], Trainer.take_step

    def noting(run, batch):
        x, y = batch.x[: batch.tokens, 0], batch.y[: batch.tokens, 0]
        norms.append(math.sqrt(sum(float((gradient**2).sum()) for gradient in run.learner.rnn.bptt(x, y))))
        return take_step(run, batch)

    monkeypatch.setattr(Trainer, "take_step", noting)
    monkeypatch.setattr(live_plot, "STEPS_BETWEEN_NORMS", 1)
    settings = {**CASES["tutorial"], "epochs": 1}
    train(toy, model=tmp_path / "m.npz", plot=tmp_path / "m.png", **settings)
    array = run_state(tmp_path / "m.npz")[0]["curves"]
    assert array[:, 0].sum() == len(norms) == len(SENTENCES)
    ends = np.cumsum(array[:, 0]).astype(int)
    weighted = [np.mean(norms[i:j]) for i, j in zip([0, *ends], ends, strict=False)]
    np.testing.assert_allclose(array[1:, 5], weighted[1:], rtol=1e-4)


def test_the_picture_is_up_to_date_when_the_loss_becomes_no_number(toy, tmp_path, drawn, monkeypatch):
    monkeypatch.setattr(live_plot, "SECONDS_BETWEEN", 1e9)
    take_step = Trainer.take_step
    monkeypatch.setattr(Trainer, "take_step", lambda run, b: math.nan if run.state.epoch else take_step(run, b))
    with pytest.raises(DivergenceError):
        train(toy, model=tmp_path / "m.npz", epochs=3, plot=tmp_path / "m.png", **WORDS)
    assert [evaluations for evaluations, *_ in drawn] == [0, 1, 1]


def test_a_picture_that_cannot_be_written_later_is_told_and_training_goes_on(unbroken, toy, tmp_path, monkeypatch):
    calls = itertools.count()

    def draw(path, *details):
        if next(calls):
            raise OutputFileError(f"{path}: cannot be written: No space left on device; choose another place")

    monkeypatch.setattr(live_plot, "draw_training", draw)
    reporter = Notes()
    train(toy, model=tmp_path / "m.npz", epochs=4, plot=tmp_path / "m.png", reporter=reporter, **WORDS)
    assert len([note for note in reporter.notes if "m.png: cannot be written: No space left" in note]) == 1
    assert (tmp_path / "m.npz").read_bytes() == unbroken("words").read_bytes()


def test_a_real_picture_is_there(toy, tmp_path):
    plot = tmp_path / "folder" / "m.png"
    train(toy, model=tmp_path / "m.npz", epochs=1, plot=plot, **WORDS)
    assert plot.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_a_picture_of_another_format_is_refused_before_the_text_is_read(tmp_path):
    with pytest.raises(OptionError, match="m.pdf: pictures are PNG files"):
        train(tmp_path / "absent.txt", model=tmp_path / "m.npz", plot=tmp_path / "m.pdf")


def test_without_matplotlib_a_picture_is_refused_before_the_text_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(OptionError, match="matplotlib, which is not installed"):
        train(tmp_path / "absent.txt", model=tmp_path / "m.npz", plot=tmp_path / "m.png")


@pytest.mark.parametrize("resume", [False, True])
def test_places_that_a_picture_must_not_take_are_refused_before_the_text_is_read(
    unbroken, toy, tmp_path, monkeypatch, resume
):
    model = unbroken("words")
    monkeypatch.setattr(train_model, "prepare_corpus", None)
    log, text, folder = tmp_path / "log.png", tmp_path / "text.png", tmp_path / "folder.png"
    shutil.copy(toy, text)
    folder.mkdir()
    for place, message in (
        (model, "pictures are PNG files; choose a name that ends in .png"),
        (log, "is where the log goes; choose another place for the picture"),
        (text, "is one of the texts; choose another place for what is written"),
    ):
        with pytest.raises(OptionError, match=f"{place.name}: {message}"):
            train(text, model=model, resume=resume, plot=place, log=log, **WORDS)
    with pytest.raises(ModelFileError, match="is a folder; name a file in it"):
        train(toy, model=model, resume=resume, plot=folder, **WORDS)


def test_curves_that_no_run_can_have_are_refused(toy, tmp_path, drawn):
    model = tmp_path / "m.npz"
    train(toy, model=model, epochs=1, plot=tmp_path / "m.png", **WORDS)
    arrays, document = run_state(model)
    live_plot.TrainingCurves.from_array(arrays["curves"])
    train_model.RunFiles(model, None).write(arrays | {"curves": np.ones((2, 3))}, document)
    with pytest.raises(ModelFileError, match="damaged or inconsistent: curves: expected points of 6 columns"):
        train(None, model=model, resume=True)


# Files


def test_what_only_watches_leaves_no_trace_in_the_model(unbroken, toy, tmp_path):
    model = tmp_path / "m.npz"
    settings = {"patience": 7, "sample_every": 3, "save_every": 1.0, "max_minutes": 1e6}
    train(toy, model=model, epochs=4, log=tmp_path / "log.jsonl", **settings, **WORDS)
    assert model.read_bytes() == unbroken("words").read_bytes()
    assert len([json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]) == 4


def test_a_checkpoint_of_an_older_version_goes_on(unbroken, toy, tmp_path):
    """One that knows nothing of patience, samples, models to start from, or curves."""
    model = tmp_path / "m.npz"
    train(toy, model=model, epochs=2, **WORDS)
    arrays, document = run_state(model)
    for name in ("patience", "sample_every", "init_from"):
        del document["options"][name]
    train_model.RunFiles(model, None).write(arrays, document)
    train(None, model=model, resume=True, epochs=4)
    assert_same_run(model, unbroken("words"))
