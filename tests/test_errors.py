"""The errors form one hierarchy, are importable from the package, and survive pickling and copying."""

import copy
import inspect
import pickle
import signal
from pathlib import Path

import pytest

import theano_rnn
from theano_rnn import errors

ALL = {name: kind for name, kind in vars(errors).items() if inspect.isclass(kind) and issubclass(kind, BaseException)}
COPIES = {
    "pickle": lambda error: pickle.loads(pickle.dumps(error)),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}

every_error = pytest.mark.parametrize("name", ALL)


@every_error
def test_every_error_is_importable_from_the_package(name):
    assert getattr(theano_rnn, name) is ALL[name] and name in theano_rnn.__all__


@every_error
def test_every_error_except_an_interruption_is_a_theano_rnn_error(name):
    assert issubclass(ALL[name], errors.TheanoRNNError) != (name == "TrainingInterrupted")


def test_an_interruption_is_not_swallowed_by_code_that_handles_errors():
    assert issubclass(errors.TrainingInterrupted, KeyboardInterrupt)
    assert not issubclass(errors.TrainingInterrupted, Exception)


def test_errors_about_arguments_are_value_errors_or_type_errors():
    assert issubclass(errors.ArgumentValueError, ValueError)
    assert issubclass(errors.ArgumentTypeError, TypeError)
    assert issubclass(errors.OptionError, errors.ArgumentValueError)


@pytest.mark.parametrize("way", COPIES)
@every_error
def test_every_error_pickles_and_copies(name, way):
    error = ALL[name]("a: wrong; change it")
    error.note = "kept"
    again = COPIES[way](error)
    assert type(again) is type(error) and (str(again), repr(again)) == (str(error), repr(error))
    assert again.note == "kept"


@pytest.mark.parametrize("way", COPIES)
def test_a_copied_interruption_keeps_its_checkpoint_and_signal(way):
    error = COPIES[way](errors.TrainingInterrupted("m.checkpoint.npz", signal.SIGTERM))
    assert (error.checkpoint, error.number) == (Path("m.checkpoint.npz"), signal.SIGTERM)
    assert str(error) == "training was interrupted; its state is in m.checkpoint.npz"
