"""Event files, read by TensorBoard's own reader."""

import math
import os

import pytest

from theano_rnn.deployment.event_log import EventLog, check_event_folder
from theano_rnn.errors import OptionError, OutputFileError

tensorboard = pytest.importorskip(
    "tensorboard", reason="tensorboard is not installed; only train --tensorboard needs it"
)
text_plugin = pytest.importorskip("tensorboard.plugins.text.text_plugin")
tensor_util = pytest.importorskip("tensorboard.util.tensor_util")
accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")


def read(folder):
    events = accumulator.EventAccumulator(str(folder))
    events.Reload()
    return events


def scalars(folder, name):
    return [(event.step, event.value) for event in read(folder).Scalars(name)]


def test_scalars_and_texts_are_read_by_step(tmp_path):
    log = EventLog(tmp_path / "new" / "run", print)
    log.begin(0)
    log.add(3, {"loss": 2.5, "norm": 0.125})
    log.add(7, {"loss": 1.5, "norm": math.nan, "rate": math.inf}, {"sample": "a *b*\n<i>ž🐕\ud800"})
    assert scalars(tmp_path / "new" / "run", "loss") == [(3, 2.5), (7, 1.5)]
    assert scalars(tmp_path / "new" / "run", "norm") == [(3, 0.125)]
    found = read(tmp_path / "new" / "run")
    assert found.Tags()["scalars"] == ["loss", "norm"] and found.Tags()["tensors"] == ["sample"]
    [event] = found.Tensors("sample")
    assert event.tensor_proto.string_val[0].decode() == "    a *b*\n    <i>ž🐕?"
    assert found.SummaryMetadata("sample").plugin_data.plugin_name == "text"
    shown = text_plugin.process_event(event.wall_time, event.step, tensor_util.make_ndarray(event.tensor_proto), True)
    assert shown["text"] == "<pre><code>a *b*\n&lt;i&gt;ž🐕?\n</code></pre>"


def test_what_was_added_can_be_read_while_the_run_goes_on(tmp_path):
    log = EventLog(tmp_path, print)
    log.begin(0)
    reader = accumulator.EventAccumulator(str(tmp_path))
    for step in range(3):
        log.add(step, {"loss": float(step)})
        reader.Reload()
        assert [event.step for event in reader.Scalars("loss")] == [*range(step + 1)]


@pytest.mark.parametrize("first, expected", [(0, [(0, 9.0)]), (2, [(0, 0.0), (1, 1.0), (2, 9.0)])])
def test_a_later_run_replaces_the_steps_from_its_beginning_on(tmp_path, first, expected):
    log = EventLog(tmp_path, print)
    log.begin(0)
    for step in range(4):
        log.add(step, {"loss": float(step)})
    again = EventLog(tmp_path, print)
    again.begin(first)
    again.add(first, {"loss": 9.0})
    assert scalars(tmp_path, "loss") == expected and len(list(tmp_path.iterdir())) == 2


def test_a_folder_that_cannot_be_made_is_an_error_at_the_beginning(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputFileError, match="cannot be written"):
        EventLog(tmp_path / "file" / "run", print).begin(0)


def test_a_later_failure_is_noted_once(tmp_path):
    notes = []
    log = EventLog(tmp_path / "run", notes.append)
    log.begin(0)
    log.path.unlink()
    (tmp_path / "run").rmdir()
    for step in range(3):
        log.add(step, {"loss": 1.0})
    [note] = notes
    assert note == f"{log.path}: cannot be written: No such file or directory; training continues without it"


def test_places_are_checked_before_a_run(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    check_event_folder(tmp_path / "a" / "b")
    for place in (tmp_path / "file", tmp_path / "file" / "a"):
        with pytest.raises(OutputFileError, match="file: is a file; name a folder for the event files"):
            check_event_folder(place)
    with pytest.raises(OptionError, match="tensorboard: expected the name of a folder, got an empty one"):
        check_event_folder("")
    monkeypatch.setattr(os, "access", lambda place, mode: False)
    with pytest.raises(OutputFileError, match="the folder is not writable"):
        check_event_folder(tmp_path / "a")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(OptionError, match=r'tensorboard: needs the package tensorboard.*"\.\[tensorboard\]"'):
        check_event_folder(tmp_path)
