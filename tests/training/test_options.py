"""The options of a training run: defaults, ranges, the tutorial's values, and what may change on resuming."""

import json

import numpy as np
import pytest

from theano_rnn.errors import OptionError
from theano_rnn.networks.updates import UPDATE_RULES
from theano_rnn.training.options import CHANGEABLE_ON_RESUME, NOT_IN_MODEL, TUTORIAL, TrainingOptions


def test_the_defaults_are_those_of_the_interface():
    options = TrainingOptions.from_settings({})
    assert (options.level, options.vocabulary_size, options.hidden_dim) == ("word", 8000, 100)
    assert (options.activation, options.valid, options.valid_fraction) == ("tanh", None, None)
    assert (options.device, options.tutorial, options.keep_case, options.tokenized) == ("auto", False, False, False)
    assert options.evaluate_every == 1


@pytest.mark.parametrize("optimizer", UPDATE_RULES)
def test_each_optimizer_has_its_own_learning_rate(optimizer):
    assert TrainingOptions(optimizer=optimizer).learning_rate == UPDATE_RULES[optimizer].learning_rate
    assert TrainingOptions(optimizer=optimizer, learning_rate=0.7).learning_rate == 0.7


@pytest.mark.parametrize(
    "settings, length, size",
    [
        ({"level": "char"}, 10**6, 50),
        ({"level": "char"}, 100_000, 50),
        ({"level": "char"}, 99_999, 49),
        ({"level": "char"}, 8100, 4),
        ({"level": "char"}, 2, 1),
        ({"level": "char", "sequence_length": 20}, 8100, 10),
        ({"level": "char", "batch_size": 7}, 10, 7),
        ({"level": "word"}, 10**6, 32),
        ({"level": "word"}, 1280, 32),
        ({"level": "word"}, 400, 10),
        ({"level": "word"}, 1, 1),
        ({"level": "word", "batch_size": 64}, 10, 64),
        ({"tutorial": True}, 10**6, 1),
    ],
)
def test_the_batch_size_fits_the_text_unless_it_is_chosen(settings, length, size):
    options = TrainingOptions.from_settings(settings).fitted_to(length)
    assert options.batch_size == size
    assert options == TrainingOptions.from_settings({**settings, "batch_size": size})


@pytest.mark.parametrize(
    "settings, tokens, share",
    [
        ({}, 10**6, 0.05),
        ({}, 20_000, 0.05),
        ({}, 12_500, 0.08),
        ({}, 10_000, 0.1),
        ({}, 50, 0.1),
        ({}, 0, 0.1),
        ({"valid_fraction": 0.05}, 50, 0.05),
        ({"valid_fraction": 0.0}, 50, 0.0),
        ({"tutorial": True}, 50, 0.0),
    ],
)
def test_a_larger_share_of_a_small_text_is_held_out_unless_it_is_chosen(settings, tokens, share):
    assert TrainingOptions.from_settings(settings).held_out_share(tokens) == pytest.approx(share)


def test_tutorial_sets_the_options_of_the_tutorial():
    options = TrainingOptions.from_settings({"tutorial": True})
    assert (options.optimizer, options.learning_rate, options.batch_size) == ("sgd", 0.005, 1)
    assert (options.bptt_truncate, options.clip, options.level) == (4, None, "word")
    assert (options.epochs, options.evaluate_every, options.valid_fraction) == (100, 5, 0.0)


def test_the_tutorials_length_and_size_can_be_chosen():
    options = TrainingOptions.from_settings({"tutorial": True, "epochs": 7, "evaluate_every": 2, "hidden_dim": 9})
    assert (options.epochs, options.evaluate_every, options.hidden_dim, options.learning_rate) == (7, 2, 9, 0.005)


def test_options_may_be_given_if_they_agree_with_the_tutorial():
    assert TrainingOptions.from_settings({"tutorial": True, **TUTORIAL}) == TrainingOptions.from_settings(
        {"tutorial": True}
    )


def test_a_clip_of_zero_agrees_with_the_tutorial():
    assert TrainingOptions.from_settings({"tutorial": True, "clip": 0.0}).clip is None


@pytest.mark.parametrize(
    "name, value",
    [
        ("level", "char"),
        ("optimizer", "adam"),
        ("learning_rate", 0.1),
        ("batch_size", 2),
        ("rate_decay", 0.5),
        ("rate_schedule", "linear"),
        ("bptt_truncate", -1),
        ("clip", 1.0),
        ("samples", 5),
    ],
)
def test_options_that_contradict_the_tutorial_are_refused(name, value):
    with pytest.raises(OptionError, match=f"^{name}: `tutorial` trains with .*, got {value!r}$"):
        TrainingOptions.from_settings({"tutorial": True, name: value})


@pytest.mark.parametrize("clip", [None, 0, 0.0])
def test_none_and_zero_both_mean_no_clipping(clip):
    assert TrainingOptions(clip=clip).clip is None


@pytest.mark.parametrize(
    "name, value, message",
    [
        ("level", "foo", "expected one of word, char, got 'foo'"),
        ("activation", "sigmoid", "expected one of tanh, relu"),
        ("optimizer", "lbfgs", "expected one of sgd, momentum, adagrad, rmsprop, adam"),
        ("device", "tpu", "expected one of auto, cpu, gpu"),
        ("bptt_truncate", -2, "expected at least -1, got -2"),
        ("bptt_truncate", 1.5, "expected an integer"),
        ("vocabulary_size", 3, "expected at least 4, got 3"),
        ("min_count", 0, "expected at least 1, got 0"),
        ("sequence_length", 1, "expected at least 2, got 1"),
        ("seed", -1, "expected at least 0"),
        ("seed", 1.0, "expected an integer"),
        ("hidden_dim", 0, "expected at least 1, got 0"),
        ("hidden_dim", "8", "expected an integer"),
        ("epochs", 0, "expected at least 1"),
        ("epochs", True, "expected an integer"),
        ("batch_size", 0, "expected at least 1"),
        ("evaluate_every", 0, "expected at least 1"),
        ("learning_rate", 0, "expected a number above 0, got 0"),
        ("learning_rate", -0.1, "expected a number above 0"),
        ("learning_rate", float("nan"), "expected a number, got nan"),
        ("learning_rate", "fast", "expected a number, got 'fast'"),
        ("clip", -1, "expected a number above 0"),
        ("save_every", 0, "expected a number above 0"),
        ("save_every", "often", "expected a number, got 'often'"),
        ("sample_every", -1, "expected at least 0, got -1"),
        ("sample_every", 1.5, "expected an integer"),
        ("patience", -1, "expected at least 0, got -1"),
        ("patience", "2", "expected an integer"),
        ("clip", float("inf"), "expected a finite number, got inf"),
        ("valid_fraction", 1, "below 1, got 1"),
        ("valid_fraction", -0.1, "below 1, got -0.1"),
        ("rate_decay", -0.5, "got -0.5"),
        ("samples", -1, "expected at least 0, got -1"),
        ("samples", 1.5, "expected an integer"),
        ("samples", "many", "expected auto or an integer, got 'many'"),
        ("rate_schedule", "cosine", "expected one of inverse, linear, got 'cosine'"),
        ("rate_decay", float("inf"), "expected a finite number, got inf"),
    ],
)
def test_values_outside_the_range_are_refused_by_name(name, value, message):
    with pytest.raises(OptionError) as error:
        TrainingOptions.from_settings({name: value})
    assert str(error.value).startswith(f"{name}: ") and message in str(error.value)


@pytest.mark.parametrize("name", ["tokenized", "keep_case", "lines"])
def test_options_for_words_are_refused_at_character_level(name):
    with pytest.raises(OptionError, match=f"^{name}: has no effect at character level; leave it out$"):
        TrainingOptions.from_settings({"level": "char", name: True})


def test_a_decay_with_the_linear_schedule_is_refused():
    with pytest.raises(OptionError, match="^rate_decay: has no effect with the linear `rate_schedule`; leave one"):
        TrainingOptions.from_settings({"rate_decay": 0.5, "rate_schedule": "linear"})


def test_without_patience_or_with_zero_the_run_continues_to_the_end():
    assert TrainingOptions(patience=0).patience is TrainingOptions().patience is None
    assert TrainingOptions(patience=3).resumed({"patience": 0}).patience is None
    assert TrainingOptions(sample_every=0).sample_every == 0 and TrainingOptions().sample_every is None


def test_paths_are_made_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = TrainingOptions(valid="v.txt", init_from="m.npz")
    assert (options.valid, options.init_from) == (str(tmp_path / "v.txt"), str(tmp_path / "m.npz"))
    assert options.resumed({"valid": "v.txt", "init_from": "m.npz"}) == options


def test_an_unknown_option_is_named_with_the_nearest_one():
    with pytest.raises(OptionError, match=r"^hiden_dim: unknown option; did you mean `hidden_dim`\?$"):
        TrainingOptions.from_settings({"leaning_rate": 1, "hiden_dim": 3, "epochs": 3})


def test_the_configuration_survives_json():
    options = TrainingOptions.from_settings({"tutorial": True, "seed": 5})
    assert TrainingOptions(**json.loads(json.dumps(options.to_configuration()))) == options


def test_numpy_numbers_are_accepted():
    options = TrainingOptions(hidden_dim=np.int64(8), learning_rate=np.float32(0.5), seed=np.int32(2))
    assert json.loads(json.dumps(options.to_configuration()))["hidden_dim"] == 8


def test_path_objects_are_accepted(tmp_path):
    options = TrainingOptions(valid=tmp_path / "valid.txt")
    assert json.loads(json.dumps(options.to_configuration()))["valid"] == str(tmp_path / "valid.txt")


def test_options_that_are_not_in_the_model_may_change_on_resuming():
    assert set(NOT_IN_MODEL) <= set(CHANGEABLE_ON_RESUME)


def test_resuming_may_change_how_long_how_often_and_where():
    options = TrainingOptions(hidden_dim=6, epochs=2)
    resumed = options.resumed({"epochs": 5, "evaluate_every": 3, "device": "cpu"})
    assert (resumed.epochs, resumed.evaluate_every, resumed.device, resumed.hidden_dim) == (5, 3, "cpu", 6)
    assert options.resumed({}) == options


def test_options_may_be_repeated_on_resuming():
    options = TrainingOptions.from_settings({"level": "char", "learning_rate": 1, "clip": 0.0})
    assert options.resumed({"level": "char", "learning_rate": 1.0, "clip": 0.0}) == options


@pytest.mark.parametrize("name", sorted(set(TrainingOptions().to_configuration()) - set(CHANGEABLE_ON_RESUME)))
def test_resuming_cannot_change_any_other_option(name):
    options = TrainingOptions()
    with pytest.raises(OptionError, match=f"^{name}: the interrupted run has .*, got '.*other'; leave it out"):
        options.resumed({name: "other"})


def test_resuming_checks_what_it_changes():
    with pytest.raises(OptionError, match=r"^epoch: unknown option; did you mean `epochs`\?$"):
        TrainingOptions().resumed({"epoch": 3})
    with pytest.raises(OptionError, match="epochs: expected at least 1"):
        TrainingOptions().resumed({"epochs": 0})


def test_the_column_is_a_name_and_may_be_given_again_on_resuming():
    assert TrainingOptions.from_settings({"column": "text"}).column == "text"
    assert TrainingOptions().resumed({"column": "text"}).column == "text"
    with pytest.raises(OptionError, match="column: expected the name of a column as str, got 2"):
        TrainingOptions(column=2)


def test_the_rate_of_translation_falls_linearly_unless_a_decay_is_given():
    assert TrainingOptions.from_settings({"task": "translate"}).rate_schedule == "linear"
    options = TrainingOptions.from_settings({"task": "translate", "rate_decay": 0.3})
    assert (options.rate_schedule, options.rate_decay) == ("inverse", 0.3)


@pytest.mark.parametrize(
    "samples, word_dim, expected",
    [("auto", 4_999, 0), ("auto", 5_000, 500), (0, 10**6, 0), (300, 301, 300), (300, 300, 0), (300, 20, 0)],
)
def test_samples_depend_on_the_size_of_the_vocabulary(samples, word_dim, expected):
    """Comparing with as many words as there are is the exact softmax."""
    assert TrainingOptions(samples=samples).with_samples_for(word_dim).samples == expected


@pytest.mark.parametrize("task", ["classify", "tag"])
def test_samples_are_refused_where_there_are_few_outputs(task):
    with pytest.raises(OptionError, match=f"^samples: has no effect with `task={task}`; leave it out$"):
        TrainingOptions.from_settings({"task": task, "samples": 10})


@pytest.mark.parametrize("task", ["fill", "translate", "describe"])
def test_other_tasks_use_the_exact_softmax_unless_asked(task):
    assert TrainingOptions.from_settings({"task": task}).samples == 0
    assert TrainingOptions.from_settings({"task": task, "samples": "auto"}).with_samples_for(20_000).samples == 500
