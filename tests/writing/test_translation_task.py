"""Training a translator: as for language models, by the same loop."""

import json
import signal

import numpy as np
import pytest
from support.training_runs import Interrupter, assert_same_run_of_a_task, run_state
from support.translations import PAIRS, SETTINGS, write_pairs

from theano_rnn.errors import CorpusError, OptionError, TrainingInterrupted
from theano_rnn.language_models.language_model import load
from theano_rnn.training import timing
from theano_rnn.training.options import TrainingOptions
from theano_rnn.training.train_model import train
from theano_rnn.writing.translator import Translator

ONE_EPOCH = {**SETTINGS, "epochs": 1}


def task_of(table, **settings):
    """The task of a run, and the line that says what is learned."""
    notes = []
    options = TrainingOptions.from_settings({**SETTINGS, **settings})
    return Translator.training_task([str(table)], options, notes.append), notes[0]


def test_training_returns_the_saved_translator_which_has_learned(trained, folder):
    assert isinstance(trained, Translator) and "attention=True" in repr(trained)
    history = trained.training["history"]
    assert [record["epoch"] for record in history] == list(range(1, 13))
    assert all(record["perplexity"] == pytest.approx(np.exp(record["valid_loss"])) for record in history)
    assert history[-1]["perplexity"] < history[0]["perplexity"] / 2
    right, wrong = (
        trained.score([one for one, _ in PAIRS], [two for _, two in order]) for order in (PAIRS, PAIRS[1:] + PAIRS[:1])
    )
    assert right.mean() > wrong.mean()
    assert [json.loads(line)["epoch"] for line in (folder / "log.jsonl").read_text().splitlines()] == list(range(1, 13))


@pytest.mark.parametrize(
    "moment, number", [pytest.param((0, 2), signal.SIGINT, marks=pytest.mark.slow), ((5, 1), signal.SIGTERM)]
)
def test_an_interrupted_run_continues_bit_for_bit(trained, folder, table, tmp_path, monkeypatch, moment, number):
    monkeypatch.setattr(timing, "STEPS_BETWEEN_REPORTS", 1)
    with pytest.raises(TrainingInterrupted):
        train(table, model=tmp_path / "m.npz", reporter=Interrupter(*moment, number), **SETTINGS)
    _, document = run_state(tmp_path / "m.npz")
    assert (document["state"]["epoch"], document["state"]["step"]) == moment
    train(None, model=tmp_path / "m.npz", resume=True)
    assert_same_run_of_a_task(tmp_path / "m.npz", folder / "unbroken.npz")


@pytest.mark.slow
def test_a_run_in_two_parts_with_subwords_and_two_texts_equals_a_whole_one(tmp_path):
    pytest.importorskip("tokenizers")
    source, target = tmp_path / "a.en", tmp_path / "a.fr"
    source.write_text("".join(f"{one}\n" for one, _ in PAIRS), "utf-8")
    target.write_text("".join(f"{two}\n" for _, two in PAIRS), "utf-8")
    # the linear schedule depends on the number of epochs
    settings = {**SETTINGS, "subwords": 40, "target": target, "shared_vocabulary": True, "rate_schedule": "inverse"}
    del settings["min_count"]
    train(source, model=tmp_path / "whole.npz", **{**settings, "epochs": 4})
    train(source, model=tmp_path / "m.npz", **{**settings, "epochs": 2})
    train(None, model=tmp_path / "m.npz", resume=True, epochs=4)
    assert_same_run_of_a_task(tmp_path / "m.npz", tmp_path / "whole.npz")


def test_a_run_is_not_resumed_with_other_pairs(trained, table, tmp_path, monkeypatch):
    monkeypatch.setattr(timing, "STEPS_BETWEEN_REPORTS", 1)
    with pytest.raises(TrainingInterrupted):
        train(table, model=tmp_path / "m.npz", reporter=Interrupter(0, 1), **SETTINGS)
    other = write_pairs(tmp_path / "other.tsv", PAIRS[:-1])
    with pytest.raises(OptionError, match="data: the text, or how .*, has changed since the interrupted run"):
        train(other, model=tmp_path / "m.npz", resume=True)


def test_held_out_pairs_can_be_given(trained, table, tmp_path):
    valid = write_pairs(tmp_path / "valid.tsv", PAIRS[:3])
    model = train(table, model=tmp_path / "m.npz", valid=valid, **ONE_EPOCH)
    (record,) = model.training["history"]
    sources, targets = zip(*PAIRS[:3], strict=True)
    assert record["valid_loss"] == pytest.approx(-model.score(sources, targets).sum() / 21, rel=1e-4)


def test_all_pairs_of_a_source_are_in_the_same_part(tmp_path):
    pairs = [(source, target) for source, target in PAIRS for target in (target, target.upper() + " " + target)]
    task, note = task_of(write_pairs(tmp_path / "t.tsv", pairs), valid_fraction=0.3)
    parts = [{ids.tobytes() for ids in one.sources} for one in (task._train, task._valid)]
    assert not parts[0] & parts[1] and len(parts[1]) == 8
    assert (len(task._train), len(task._valid)) == (38, 16) and note.startswith("38 pairs, 16 held out; ")


def test_no_pairs_need_be_held_out(table):
    task, note = task_of(table, valid_fraction=0.0)
    assert not task.has_held_out and task.measures_training_data and note.startswith("27 pairs; vocabularies of 11 ")


def test_rare_words_are_unknown_on_both_sides(tmp_path):
    table = write_pairs(tmp_path / "t.tsv", [*PAIRS, ("The zebra.", "La gnu.")])
    task, note = task_of(table, min_count=2, valid_fraction=0.0)
    assert "unknown: 0.5% and 0.5%" in note
    model = task.model(task.network.get_values(), [])
    assert "zebra" not in model.source.vocabulary.index_to_word and "gnu" not in model.target.vocabulary.index_to_word


def test_output_biases_start_from_the_frequencies_of_words(table):
    task, _ = task_of(table, valid_fraction=0.0)
    c, vocabulary = task.network.get_values()["c"], task.model(task.network.get_values(), []).target.vocabulary
    assert np.exp(c).sum() == pytest.approx(1, abs=1e-5)
    assert c[vocabulary.find("la")] - c[vocabulary.end] == pytest.approx(np.log(2), abs=1e-5)


def test_a_shared_vocabulary_has_the_words_and_vectors_of_both_sides(table):
    task, note = task_of(table, shared_vocabulary=True)
    model = task.model(task.network.get_values(), [])
    assert model.source.vocabulary.index_to_word == model.target.vocabulary.index_to_word
    assert {"dog", "hund"} <= set(model.target.vocabulary.index_to_word)
    assert "E_source" not in task.network.get_values() and "vocabularies of 18 and 18 tokens" in note


def test_tokenized_texts_and_capitals_are_kept_if_wanted(tmp_path):
    table = write_pairs(tmp_path / "t.tsv", [("A b-c .", "X y_Z 's"), ("A d", "X")] * 3)
    task, _ = task_of(table, tokenized=True)
    model = task.model(task.network.get_values(), [])
    assert {"b-c", "A"} <= set(model.source.vocabulary.index_to_word)
    assert model.target.text(model.target.tokens("X y_Z 's")) == "X y_Z 's"
    task, _ = task_of(table, keep_case=True)
    assert "A" in task.model(task.network.get_values(), []).source.vocabulary.index_to_word


@pytest.mark.parametrize(
    "settings, names",
    [
        ({"tied": False}, {"E"}),
        ({"bias": False}, set()),
        ({"attention": False}, set()),
        ({"bidirectional": False}, set()),
        ({"layers": 2, "cell": "lstm"}, {"U2", "U2_source", "U2_back_source"}),
    ],
)
def test_options_of_the_network_decide_its_parameters(table, settings, names):
    network = task_of(table, **settings)[0].network
    values = network.get_values()
    assert names <= values.keys()
    assert ("E" in values) is (settings.get("tied") is False) and ("A" in values) is settings.get("attention", True)
    assert ("c" in values) is settings.get("bias", True)
    assert ("U_back_source" in values) is settings.get("bidirectional", True)


KINDS = [
    {"cell": "gru", "layers": 2},
    {"cell": "lstm", "layers": 2, "attention": False},
    {"cell": "simple", "layers": 2, "bidirectional": False, "activation": "relu"},
    {"cell": "gru", "shared_vocabulary": True, "tied": False},
    {"cell": "lstm", "attention": False, "bidirectional": False, "bias": False},
    {"cell": "gru", "subwords": 40},
    {"cell": "gru", "subwords": 60, "shared_vocabulary": True, "keep_case": True},
    {"cell": "simple", "tokenized": True, "dropout": 0.0, "optimizer": "momentum"},
]


@pytest.mark.slow
@pytest.mark.parametrize("settings", KINDS, ids=[" ".join(map(str, one.values())) for one in KINDS])
def test_every_kind_of_network_trains_loads_and_translates(table, tmp_path, settings):
    if "subwords" in settings:
        pytest.importorskip("tokenizers")
    given = {name: value for name, value in SETTINGS.items() if name != "min_count" or "subwords" not in settings}
    model = train(table, model=tmp_path / "m.npz", **{**given, "epochs": 2, "sample_every": None, **settings})
    other = load(tmp_path / "m.npz")
    texts = [PAIRS[0][0], "", "☃ the dog"]
    found = other.translate(texts, beam=2)
    assert found == model.translate(texts, beam=2) and found[1] == "" and len(found) == 3
    assert model.score([texts[0]], ["x"]).shape == (1,)
    other.save(tmp_path / "n.npz")
    assert (tmp_path / "n.npz").read_bytes() == (tmp_path / "m.npz").read_bytes()


def test_a_sample_shows_a_source_and_its_translation(trained, table):
    task, _ = task_of(table)
    values = trained.writer.get_values()
    line = task.sample(values, 3)
    source, translation = line.split(" → ")
    assert source[0].islower() and source in {one.lower() for one, _ in PAIRS}
    assert translation == trained.translate([source], beam=1)[0]
    assert task.sample(values, 3) == line


# Wrong use


@pytest.mark.parametrize(
    "pairs, message",
    [
        ([], "there are no pairs of a source and its target to learn from"),
        ([("a", "b"), "c"], r"t\.tsv, line 2: there is only one column"),
        ([("a", "b"), ("c", " ")], r"t\.tsv, line 2: the target is empty"),
        ([("a", "b"), ("dog " * 5000, "c")], r"t\.tsv, line 2: a sentence has 5,001 tokens, and the most is 1,000"),
        ([("a", "b"), ("c", "dog " * 5000)], r"t\.tsv, line 2: a sentence has 5,00. tokens"),
    ],
)
def test_pairs_that_cannot_be_learned_are_rejected(tmp_path, pairs, message):
    with pytest.raises(CorpusError, match=message):
        train(write_pairs(tmp_path / "t.tsv", pairs), model=tmp_path / "m.npz", **SETTINGS)
    assert not (tmp_path / "m.npz").exists()


def test_held_out_pairs_must_not_be_missing(table, tmp_path):
    with pytest.raises(CorpusError, match=r"valid\.tsv: there are no pairs to measure the loss on"):
        train(table, model=tmp_path / "m.npz", valid=write_pairs(tmp_path / "valid.tsv", []), **SETTINGS)


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"pooling": "max"}, "pooling: has no effect with `task=translate`; leave it out"),
        ({"criterion": "loss"}, "criterion: has no effect with `task=translate`; leave it out"),
        ({"word_dropout": 0.1}, "word_dropout: has no effect with `task=translate`; leave it out"),
        ({"level": "char"}, "level: has no effect with `task=translate`; leave it out"),
        ({"column": "text"}, "column: has no effect with `task=translate`; leave it out"),
        ({"subwords": 9}, "subwords: expected at least 10, got 9"),
        ({"subwords": 50, "min_count": 2}, "min_count: has no effect with `subwords`; leave it out"),
        ({"subwords": 50, "vocabulary_size": 99}, "vocabulary_size: has no effect with `subwords`; leave it out"),
        ({"attention": 2}, "attention: expected .*, got 2"),
        ({"shared_vocabulary": "yes"}, "shared_vocabulary: expected .*, got 'yes'"),
        ({"task": "classify", "attention": False}, "attention: has no effect with `task=classify`; leave it out"),
        ({"task": "language-model", "subwords": 99}, "subwords: has no effect with `task=language-model`; leave it o"),
        ({"task": "tag", "target": "x"}, "target: has no effect with `task=tag`; leave it out"),
        ({"task": "fill", "shared_vocabulary": True}, "shared_vocabulary: has no effect with `task=fill`; leave it ou"),
    ],
)
def test_options_that_do_not_suit_the_task_are_rejected(table, tmp_path, settings, message):
    with pytest.raises(OptionError, match=message):
        train(table, model=tmp_path / "m.npz", **{"task": "translate", **settings})


def test_several_files_with_one_text_of_targets_are_rejected(table, tmp_path):
    with pytest.raises(OptionError, match="target: belongs to one file of sources, got 2"):
        train([table, table], model=tmp_path / "m.npz", target=table, **SETTINGS)


@pytest.mark.parametrize("settings, expected", [({}, False), ({"attention": False}, True)])
def test_each_step_reads_the_last_states_of_the_source_unless_there_is_attention(table, settings, expected):
    assert task_of(table, **settings)[0].network.settings.repeats_z == expected


def test_the_last_states_of_the_source_can_be_read_by_the_first_step_alone(table):
    task, _ = task_of(table, attention=False, repeat_source=False)
    assert not task.network.settings.repeats_z


def test_runs_of_older_versions_without_attention_do_not_repeat_the_source():
    options = TrainingOptions.from_settings({**SETTINGS, "attention": False}).to_configuration()
    assert options.pop("repeat_source")
    assert not TrainingOptions(**options).repeat_source
