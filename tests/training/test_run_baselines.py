"""At its end, a run compares its model with simple models, if the reporter wants to know."""

import json

import pytest
from support.training_runs import CASES, SENTENCES, Interrupter, Notes, assert_same_run, share_compiled

from theano_rnn.errors import TrainingInterrupted
from theano_rnn.language_models.language_model import LanguageModel
from theano_rnn.ngrams.baselines import ngram_baselines
from theano_rnn.ngrams.comparison import network_figure
from theano_rnn.text.corpus import read_corpus
from theano_rnn.training.language_model_task import LanguageModelTask
from theano_rnn.training.options import TrainingOptions
from theano_rnn.training.train_model import train


class Comparisons(Notes):
    """Records the comparisons with simple models."""

    wants_baselines = True

    def __init__(self):
        super().__init__()
        self.found = []

    def compared(self, lm, path, baselines):
        self.found.append((lm, path, baselines))


@pytest.fixture
def toy(tmp_path, monkeypatch):
    share_compiled(monkeypatch)
    monkeypatch.setattr(LanguageModel, "generate", lambda self, n, **demands: ["a sample"] * n)
    path = tmp_path / "toy.txt"
    path.write_text("\n\n".join(SENTENCES) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("case", ["words", "LSTM words", "sampled words"])
def test_the_baselines_are_measured_on_the_held_out_text_of_the_run(toy, tmp_path, case):
    reporter, path = Comparisons(), tmp_path / "m.npz"
    lm = train(toy, model=path, epochs=1, reporter=reporter, **CASES[case])
    [(compared, place, found)] = reporter.found
    options = TrainingOptions.from_settings(CASES[case])
    corpus = read_corpus(toy, options)
    assert found == ngram_baselines(corpus, corpus.valid, options.continuous)
    assert compared is lm and place == path
    assert network_figure(lm.training, found) == pytest.approx(lm.held_out_loss)


@pytest.mark.parametrize("case", ["characters", "tutorial"])
def test_without_held_out_text_there_are_no_baselines(toy, tmp_path, case):
    reporter, log = Comparisons(), tmp_path / "log.jsonl"
    train(toy, model=tmp_path / "m.npz", epochs=1, reporter=reporter, log=log, **CASES[case])
    [(_, _, found)] = reporter.found
    assert found is None
    assert all("baselines" not in json.loads(line) for line in log.read_text().splitlines())


def test_the_tutorial_is_compared_by_its_held_out_loss(toy, tmp_path):
    reporter = Comparisons()
    lm = train(toy, model=tmp_path / "m.npz", epochs=1, reporter=reporter, valid_fraction=0.2, **CASES["tutorial"])
    [(_, _, found)] = reporter.found
    assert network_figure(lm.training, found) in [record["valid_loss"] for record in lm.training["history"]]


def test_the_baselines_change_nothing_but_the_log(toy, tmp_path):
    reporter = Comparisons()
    with_baselines, without = tmp_path / "a.npz", tmp_path / "b.npz"
    train(toy, model=with_baselines, epochs=3, reporter=reporter, log=tmp_path / "a.jsonl", **CASES["words"])
    train(toy, model=without, epochs=3, log=tmp_path / "b.jsonl", **CASES["words"])
    assert_same_run(with_baselines, without)
    records, plain = (
        [json.loads(line) for line in (tmp_path / name).read_text().splitlines()] for name in ("a.jsonl", "b.jsonl")
    )
    [(place, baselines)] = [
        (place, record.pop("baselines")) for place, record in enumerate(records) if "baselines" in record
    ]
    losses = [record["valid_loss"] for record in plain]
    assert [record.keys() for record in records] == [record.keys() for record in plain]
    assert losses[place] == min(losses) and baselines == reporter.found[0][2].to_record()


def test_a_run_ends_well_without_memory_for_the_baselines(toy, tmp_path, monkeypatch):
    def no_memory(task):
        raise MemoryError

    monkeypatch.setattr(LanguageModelTask, "baselines", no_memory)
    reporter = Comparisons()
    train(toy, model=tmp_path / "m.npz", epochs=1, reporter=reporter, **CASES["words"])
    assert reporter.found[0][2] is None and reporter.notes[-1].startswith("there is not enough memory")


def test_only_a_run_that_has_ended_is_compared(toy, tmp_path):
    class Both(Interrupter, Comparisons):
        def __init__(self):
            Comparisons.__init__(self)
            self.moment, self.number = (1, 1), 2

    reporter, path, log = Both(), tmp_path / "m.npz", tmp_path / "log.jsonl"
    with pytest.raises(TrainingInterrupted):
        train(toy, model=path, epochs=2, reporter=reporter, log=log, **CASES["words"])
    assert reporter.found == []
    resumed, again, longer = Comparisons(), Comparisons(), Comparisons()
    train(None, model=path, resume=True, reporter=resumed, log=log)
    train(None, model=path, resume=True, reporter=again, log=log)
    [(_, _, found)], [(_, _, same)] = resumed.found, again.found
    assert found == same
    train(None, model=path, resume=True, epochs=3, reporter=longer, log=log)
    records = [json.loads(line) for line in log.read_text().splitlines()]
    assert len(records) == 3 and sum("baselines" in record for record in records) == 1
    assert longer.found[0][2] == found
