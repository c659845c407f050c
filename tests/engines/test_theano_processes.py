"""The original Theano computes in one process."""

import pytest

from theano_rnn.engines import engine
from theano_rnn.errors import ProcessGroupError
from theano_rnn.training.train_model import train

if engine.engine_name() != "theano":
    pytest.skip("the engine is not Theano", allow_module_level=True)


def test_several_processes_are_refused_at_once(tmp_path):
    (tmp_path / "text.txt").write_text("The dog sees the cat. " * 20, encoding="utf-8")
    place = {"coordinator": "127.0.0.1:7000", "processes": 2, "process": 0}
    with pytest.raises(ProcessGroupError, match="processes: the original Theano computes in one process; leave it out"):
        train(tmp_path / "text.txt", model=tmp_path / "m.npz", **place)
