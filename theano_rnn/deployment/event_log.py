"""Event files for TensorBoard: scalars and texts of a training run, by step. Needs no TensorFlow.

A file is opened, extended and closed at each call, so that TensorBoard shows a run while it trains, and a crash loses
nothing. Must not know what the scalars mean.
"""

import itertools
import math
import os
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from theano_rnn.deployment.optional_packages import require_package
from theano_rnn.errors import OptionError, OutputFileError

FILE_VERSION = "brain.Event:2"
TEXT_PLUGIN = "text"
CODE = " " * 4  # before each line of a text, which TensorBoard reads as Markdown
_numbers = itertools.count()  # of the files of this process


def check_event_folder(folder: str | os.PathLike[str]) -> None:
    """Check, before a run begins, that event files can be written to a folder, which need not exist yet.

    Raises
    ------
    OptionError
        If the package tensorboard is not installed, or the name is empty.
    OutputFileError
        If the folder is a file, or cannot be written to.
    """
    require_package("tensorboard", "tensorboard")
    if not os.fspath(folder):
        raise OptionError("tensorboard: expected the name of a folder, got an empty one")
    place = Path(folder).resolve()
    while not place.exists():
        place = place.parent
    if not place.is_dir():
        raise OutputFileError(f"{place}: is a file; name a folder for the event files")
    if not os.access(place, os.W_OK):
        raise OutputFileError(f"{place}: the folder is not writable; choose another place")


class EventLog:
    """Writes one event file of a run.

    Parameters
    ----------
    folder : pathlib.Path
    note : callable
        Receives one line if the file cannot be written later on.
    """

    def __init__(self, folder: Path, note: Callable[[str], object]) -> None:
        # TensorBoard reads the files of a folder in the order of their names.
        name = f"{int(time.time()):010d}.{socket.gethostname()}.{os.getpid()}.{next(_numbers)}"
        self.path: Path = folder / f"events.out.tfevents.{name}"
        self._note = note
        self._has_failed = False

    def begin(self, step: int) -> None:
        """Create the file, which replaces what earlier files of the folder show from this step on.

        Parameters
        ----------
        step : int
            The first step of the run, or of its continuation.

        Raises
        ------
        OutputFileError
            If the file cannot be written.
        """
        from tensorboard.compat.proto.event_pb2 import Event, SessionLog

        start = SessionLog(status=SessionLog.START)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._append(Event(file_version=FILE_VERSION), Event(step=step, session_log=start))
        except OSError as error:
            reason = error.strerror or error
            raise OutputFileError(f"{self.path.parent}: cannot be written: {reason}; choose another place") from error

    def add(self, step: int, scalars: Mapping[str, float], texts: Mapping[str, str] | None = None) -> None:
        """Add scalars and texts by name. If that fails several times in a row, it is noted once.

        Parameters
        ----------
        step : int
        scalars : mapping of str to float
            Those that are not finite are left out.
        texts : mapping of str to str, optional
        """
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary

        values = [
            Summary.Value(tag=name, simple_value=value) for name, value in scalars.items() if math.isfinite(value)
        ]
        values += [_text_value(name, text) for name, text in (texts or {}).items()]
        try:
            self._append(Event(step=step, summary=Summary(value=values)))
            self._has_failed = False
        except OSError as error:
            if not self._has_failed:
                reason = error.strerror or error
                self._note(f"{self.path}: cannot be written: {reason}; training continues without it")
            self._has_failed = True

    def _append(self, *events: Any) -> None:
        from tensorboard.summary.writer.record_writer import RecordWriter

        with open(self.path, "ab") as file:
            writer = RecordWriter(file)
            for event in events:
                event.wall_time = time.time()
                writer.write(event.SerializeToString())


def _text_value(name: str, text: str) -> Any:
    """Return a text as the text plugin of TensorBoard reads it."""
    from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
    from tensorboard.compat.proto.tensor_pb2 import TensorProto
    from tensorboard.compat.proto.types_pb2 import DT_STRING

    shown = "\n".join(CODE + line for line in text.split("\n")).encode("utf-8", "replace")
    plugin = SummaryMetadata.PluginData(plugin_name=TEXT_PLUGIN)
    tensor = TensorProto(dtype=DT_STRING, string_val=[shown])
    return Summary.Value(tag=name, metadata=SummaryMetadata(plugin_data=plugin), tensor=tensor)
