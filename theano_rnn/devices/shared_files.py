"""Files that several processes need: each reads a part, and all get the whole. Must not know what is in them."""

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from theano_rnn.devices.process_group import ProcessGroup
from theano_rnn.devices.roll_call import difference
from theano_rnn.errors import CorpusError, ModelFileError, ProcessGroupError, TheanoRNNError

SAMPLES, SAMPLE_SIZE = 16, 4096
"""How many places of a file are compared between processes, and how many bytes at each."""

Exchange: TypeAlias = Callable[[Callable[[int, int], bytes], Sequence[int]], Iterator[list[Any]]]
"""See `theano_rnn.devices.jax_processes.exchange`."""


class SharedFile(NamedTuple):
    """A file that all processes have, and where its copy goes below the folder of copies."""

    path: Path
    copy: Path
    size: int


def files_of(paths: Sequence[str]) -> list[SharedFile]:
    """Return the files that paths stand for, those in folders among them.

    Raises
    ------
    CorpusError
        If one is missing, or can be read only once.
    """
    found = []
    for number, path in enumerate(paths):
        top = Path(path)
        if not top.exists():
            raise CorpusError(f"{path}: no such file on the machine of this process; all processes read a part of it")
        inside = [top] if not top.is_dir() else sorted(one for one in top.rglob("*") if not one.is_dir())
        for one in inside:
            if not one.is_file():
                raise CorpusError(f"{one}: not a regular file, so several processes cannot each read a part of it")
            copy = Path(str(number), top.name, *one.relative_to(top).parts)
            found.append(SharedFile(one, copy, one.stat().st_size))
    return found


def description(files: Sequence[SharedFile]) -> str:
    """Describe files such that others have another description: their sizes, and a checksum of samples of them."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.size} ".encode())
        last = max(file.size - SAMPLE_SIZE, 0)
        places = sorted({last * k // (SAMPLES - 1) for k in range(SAMPLES)})
        with open(file.path, "rb") as opened:
            for place in places:
                opened.seek(place)
                digest.update(opened.read(SAMPLE_SIZE))
    total = sum(file.size for file in files)
    return f"{len(files)} file{'s' * (len(files) != 1)} of {total:,} bytes (checksum {digest.hexdigest()[:12]})"


def read_part(files: Sequence[SharedFile], begin: int, end: int) -> bytes:
    """Read a range of bytes of all files, one after the other."""
    parts, start = [], 0
    for file in files:
        first, last = max(begin, start), min(end, start + file.size)
        if first < last:
            with open(file.path, "rb") as opened:
                opened.seek(first - start)
                parts.append(opened.read(last - first))
            if len(parts[-1]) != last - first:
                raise CorpusError(f"{file.path}: has become shorter while it was read")
        start += file.size
    return b"".join(parts)


class Copies:
    """Writes bytes, in any order, to the copies of files.

    Parameters
    ----------
    files : sequence of SharedFile
    folder : path
    """

    def __init__(self, files: Sequence[SharedFile], folder: Path) -> None:
        self._places, start = [], 0
        for file in files:
            path = folder / file.copy
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(path, "wb") as opened:
                opened.truncate(file.size)
            self._places.append((start, start + file.size, path))
            start += file.size

    def write(self, place: int, content: Any) -> None:
        """Write bytes that begin at a place of all files together."""
        for start, end, path in self._places:
            first, last = max(place, start), min(place + len(content), end)
            if first < last:
                with open(path, "r+b") as opened:
                    opened.seek(first - start)
                    opened.write(content[first - place : last - place].tobytes())


@contextlib.contextmanager
def shared_data(
    group: ProcessGroup, exchange: Exchange, paths: Sequence[str], name: str = "data"
) -> Iterator[list[str]]:
    """Read files together: each process reads as many bytes as the others, and gets the rest from them.

    Errors that are raised in the block name the files as the caller knows them.

    Parameters
    ----------
    group : ProcessGroup
    exchange : callable
    paths : sequence of str
        The files in this process. Their contents must be the same in all processes.
    name : str
        The argument that an error is about.

    Yields
    ------
    list of str
        Copies in a temporary folder, which are there until the end of the block.

    Raises
    ------
    CorpusError
        If a file is missing.
    ProcessGroupError
        If another process has other files.
    """
    if group.count == 1 or not paths:
        yield list(paths)
        return
    files = files_of(paths)
    mine = description(files)
    theirs = group.broadcast(mine)
    if mine != theirs:
        raise ProcessGroupError(difference(name, theirs, mine))
    with temporary_folder() as folder:
        copies = Copies(files, folder)
        bounds = [sum(file.size for file in files) * k // group.count for k in range(group.count + 1)]
        sizes = [end - begin for begin, end in zip(bounds, bounds[1:], strict=False)]
        own = bounds[group.index]
        places = bounds[:-1]
        for pieces in exchange(lambda begin, end: read_part(files, own + begin, own + end), sizes):
            for k, piece in enumerate(pieces):
                copies.write(places[k], piece)
                places[k] += len(piece)
        names = {str(folder / str(k) / Path(path).name): path for k, path in enumerate(paths)}
        with original_names(names):
            yield list(names)


@contextlib.contextmanager
def copy_of_leader(group: ProcessGroup, exchange: Exchange, path: str | os.PathLike[str]) -> Iterator[Path]:
    """Send a file of process 0 to the others, which need not have it.

    Yields
    ------
    pathlib.Path
        The file itself in process 0. In the others a copy, which is there until the end of the block.

    Raises
    ------
    ModelFileError
        In process 0, if the file cannot be read.
    """
    if group.count == 1:
        yield Path(path)
        return
    try:
        size = group.broadcast(os.path.getsize(path) if group.leads else None)
    except OSError as error:
        raise ModelFileError(f"{path}: cannot be read: {error.strerror}") from error
    files = [SharedFile(Path(path), Path(Path(path).name), size)]
    sizes = [size] + [0] * (group.count - 1)
    with temporary_folder() as folder:
        copies, place = None if group.leads else Copies(files, folder), 0
        for pieces in exchange(lambda begin, end: read_part(files, begin, end), sizes):
            if copies is not None:
                copies.write(place, pieces[0])
            place += len(pieces[0])
        copy = Path(path) if group.leads else folder / files[0].copy
        with original_names({str(copy): str(path)}):
            yield copy


@contextlib.contextmanager
def temporary_folder() -> Iterator[Path]:
    """Make a folder that is there until the end of the block."""
    folder = Path(tempfile.mkdtemp(prefix="theano_rnn-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def original_names(names: Mapping[str, str]) -> Iterator[None]:
    """Name files in errors as the user does, not by their copies."""
    try:
        yield
    except TheanoRNNError as error:
        if error.args and isinstance(error.args[0], str):
            text = error.args[0]
            for copy, original in names.items():
                text = text.replace(copy, str(original))
            error.args = (text, *error.args[1:])
        raise
