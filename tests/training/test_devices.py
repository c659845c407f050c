"""Training runs on several devices: their results are those of one device, and each can resume on any number."""

import os

import pytest
from support.fresh_python import ROOT, python

from theano_rnn.devices.process_group import ProcessGroup
from theano_rnn.errors import OptionError
from theano_rnn.training.options import TrainingOptions
from theano_rnn.training.reporter import Reporter
from theano_rnn.training.train_model import train, with_devices

SMALL = {"hidden_dim": 6, "seed": 3, "learning_rate": 0.03}
TEXTS = {
    "sentences": {**SMALL, "batch_size": 6},
    "streams of characters": {**SMALL, "level": "char", "cell": "lstm", "dropout": 0.3, "batch_size": 5},
    "sampled words": {**SMALL, "batch_size": 5, "samples": 3, "bias": True},
}
TASKS = {"classify": "reviews.tsv", "tag": "tags.tsv", "fill": "comments.csv", "translate": "translations.tsv"}
START = """
import itertools, sys
sys.path.insert(0, {tests!r})
from pathlib import Path
import numpy as np, theano_rnn
from support.training_runs import SENTENCES, assert_same_run_of_a_task, run_state

settings = {settings}
def run(model, devices, epochs=2, resume=False):
    more = {{"resume": True}} if resume else settings
    theano_rnn.train(None if resume else data, model=model, epochs=epochs, devices=devices, **more)
    return run_state(Path(model))[0]

def difference(one, other):
    assert one.keys() == other.keys()
    return max(float(abs(other[name] - value).max() / abs(value).max()) for name, value in one.items() if value.any())
"""
# Each epoch on so many devices.
OF_A_TEXT = """
data = "text.txt"
Path(data).write_text("\\n\\n".join(SENTENCES), encoding="utf-8")
one = run("one.npz", 1)
two = run("two.npz", 2)
run("two, resumed.npz", 2, epochs=1)
run("two, resumed.npz", 2, resume=True)
assert_same_run_of_a_task(Path("two.npz"), Path("two, resumed.npz"))
run("two and four.npz", 2, epochs=1)
options = theano_rnn.load("two and four.npz").training["options"]
print("devices" in options, difference(one, two), difference(one, run("two and four.npz", 4, resume=True)))
"""
OF_A_TASK = """
data = "items" + Path({sample!r}).suffix
with open({sample!r}, encoding="utf-8") as file:
    Path(data).write_text("".join(itertools.islice(file, 300)), encoding="utf-8")
print("False", difference(run("one.npz", 1, epochs=1), run("two.npz", 2, epochs=1)))
"""


def differences(code, tmp_path, settings, **details):
    """Run code in a process with four devices and double precision, in an empty folder."""
    environment = {"THEANO_RNN_CACHE": os.environ["THEANO_RNN_CACHE"], "PYTENSOR_FLAGS": "floatX=float64"}
    code = f"import os\nos.chdir({str(tmp_path)!r})\n{START}{code}"
    code = code.format(tests=str(ROOT / "tests"), settings=settings, **details)
    recorded, *found = python(code, tmp_path, JAX_NUM_CPU_DEVICES="4", **environment)
    assert recorded == "False", "the model records the number of devices"
    return [float(number) for number in found]


@pytest.mark.xla
@pytest.mark.slow
@pytest.mark.parametrize("case", TEXTS)
def test_a_run_on_several_devices_resumes_on_any_number_and_equals_that_on_one(case, tmp_path):
    assert max(differences(OF_A_TEXT, tmp_path, TEXTS[case])) < 1e-10


@pytest.mark.xla
@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
def test_a_run_of_a_task_on_two_devices_equals_that_on_one(task, tmp_path):
    settings = {"task": task, "hidden_dim": 4, "embedding_dim": 4, "batch_size": 7, "seed": 3}
    found = differences(OF_A_TASK, tmp_path, settings, sample=str(ROOT / "data" / TASKS[task]))
    assert max(found) < 1e-8


def test_auto_becomes_a_number_that_is_told(monkeypatch):
    monkeypatch.setattr("theano_rnn.training.train_model.useful_devices", lambda name: 8)
    monkeypatch.setattr("theano_rnn.training.train_model.select_device", lambda name, count: chosen.append(count))
    reporter, notes, chosen = Reporter(), [], []
    reporter.note = notes.append
    for settings, devices in [
        ({"level": "char"}, 3),
        ({"level": "char", "batch_size": 20}, 1),
        ({"level": "char", "batch_size": 500}, 8),
        ({"level": "word"}, 1),
        ({"tutorial": True}, 1),
    ]:
        options = TrainingOptions.from_settings({**settings, "devices": "auto"})
        assert with_devices(options, reporter, ProcessGroup()).devices == devices == chosen[-1]
        assert notes[-1] == f"devices auto: {devices}"
    count = len(notes)
    assert with_devices(TrainingOptions(devices=2), reporter, ProcessGroup()).devices == 2 and len(notes) == count


@pytest.mark.parametrize(
    ("devices", "message"),
    [
        (0, "expected at least 1, got 0"),
        (-2, "expected at least 1, got -2"),
        ("two", "expected auto or an integer, got 'two'"),
        (1.5, "expected an integer, got 1.5"),
        (True, "expected an integer, got True"),
        (None, "expected an integer, got None"),
        (10_000, "expected at most [0-9]+, the number of CPU cores|the original Theano computes on one device"),
    ],
)
def test_a_wrong_number_of_devices_is_refused_before_the_text_is_read(devices, message, tmp_path):
    with pytest.raises(OptionError, match=f"^devices: ({message})"):
        train(tmp_path / "absent.txt", model=tmp_path / "m.npz", devices=devices)


def test_the_tutorials_single_sentences_cannot_be_split():
    with pytest.raises(OptionError, match="^devices: `tutorial` trains on one sentence at a time"):
        TrainingOptions.from_settings({"tutorial": True, "devices": 2})
