"""Damaged checkpoints are refused in one line."""

import random

import numpy as np
import pytest
from support.mutations import edited
from support.training_runs import run_state

from theano_rnn.devices.process_group import ProcessGroup
from theano_rnn.errors import CorpusError, ModelFileError, OptionError
from theano_rnn.files.archive import read_archive, write_archive
from theano_rnn.training.reporter import Reporter
from theano_rnn.training.run_files import RunFiles
from theano_rnn.training.timing import TimeLimit
from theano_rnn.training.train_model import Run, train

pytestmark = pytest.mark.usefixtures("compiled_once", "quick_samples")


def without_the_learning_rate(arrays, document):
    del document["state"]["learning_rate"]


def without_an_accumulator(arrays, document):
    del arrays["mean.W"]


def with_another_shape(arrays, document):
    arrays["V"] = arrays["V"][:-1]


def without_options(arrays, document):
    del document["options"]


def with_an_option_of_another_version(arrays, document):
    document["options"]["temperature"] = 0.5


def with_an_impossible_step(arrays, document):
    document["state"]["step"] = -1


def with_a_parameter_that_is_no_number(arrays, document):
    arrays["W"][0, 0] = np.nan


def with_an_accumulator_that_is_no_number(arrays, document):
    arrays["mean.U"][0, 0] = np.inf


def with_an_accumulator_of_another_shape(arrays, document):
    arrays["mean.U"] = arrays["mean.U"].T


def with_best_parameters_of_another_shape(arrays, document):
    arrays["best.W"] = arrays["best.W"][:-1]


def with_states_of_another_shape(arrays, document):
    arrays["stream_states"] = np.zeros((2, 2))


def with_texts_that_are_no_paths(arrays, document):
    document["data"] = [3]


@pytest.mark.parametrize(
    "change",
    [
        without_the_learning_rate,
        without_an_accumulator,
        with_another_shape,
        without_options,
        with_an_option_of_another_version,
        with_an_impossible_step,
        with_a_parameter_that_is_no_number,
        with_an_accumulator_that_is_no_number,
        with_an_accumulator_of_another_shape,
        with_best_parameters_of_another_shape,
        with_states_of_another_shape,
        with_texts_that_are_no_paths,
    ],
)
def test_an_inconsistent_checkpoint_is_refused_in_one_line(unbroken, toy, tmp_path, change):
    arrays, document = run_state(unbroken("words"))
    change(arrays, document)
    path = tmp_path / "m.checkpoint.npz"
    write_archive(path, arrays, {"run": document})
    with pytest.raises(ModelFileError, match="m.checkpoint.npz: damaged or inconsistent: ") as error:
        train(toy, model=tmp_path / "m.npz", resume=True)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "m.npz").exists()


def test_an_edited_checkpoint_is_refused_in_one_line_or_resumed(unbroken, tmp_path):
    """The text exists, so only the checkpoint can be wrong."""
    unbroken("words")
    files = RunFiles(tmp_path / "m.npz", None)
    source = unbroken("words").with_suffix(".checkpoint.npz")
    files.corpus.write_bytes(unbroken("words").with_suffix(".corpus.npz").read_bytes())
    entries = read_archive(source)
    generator = random.Random(5)
    refused = accepted = 0
    for _ in range(150):
        write_archive(files.checkpoint, {**entries, "run": edited(entries["run"], generator)}, {})
        try:
            Run(RunFiles(tmp_path / "m.npz", None), Reporter(), TimeLimit(), ProcessGroup()).resumed(None, {})
        except (ModelFileError, OptionError, CorpusError) as error:
            refused += 1
            assert "\n" not in str(error)
        else:
            accepted += 1
    assert refused > 75 and accepted > 0
