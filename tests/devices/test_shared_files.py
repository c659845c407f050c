"""Files that several processes read together: each reads its part once, and all get the whole."""

import threading

import numpy as np
import pytest

from theano_rnn.devices import shared_files
from theano_rnn.devices.process_group import ProcessGroup
from theano_rnn.devices.shared_files import copy_of_leader, description, files_of, shared_data
from theano_rnn.errors import CorpusError, ModelFileError, ProcessGroupError

COUNT = 3


class Member(ProcessGroup):
    """A process of a group that gets from process 0 what is in `told`."""

    def __init__(self, index, told):
        super().__init__(0, 1)
        self.index, self.count, self.told = index, COUNT, told

    def broadcast(self, value=None):
        return value if self.leads and self.told is None else self.told


class Exchange:
    """The exchange of all processes, which run in threads, with seven bytes at a time."""

    def __init__(self):
        self.barrier = threading.Barrier(COUNT)
        self.pieces = {}
        self.local = threading.local()

    def of(self, index):
        def exchange(read, sizes):
            for begin in range(0, max(sizes), 7):
                piece = read(begin, min(begin + 7, sizes[index])) if begin < sizes[index] else b""
                self.pieces[index] = np.frombuffer(piece, np.uint8)
                self.barrier.wait(20)
                yield [self.pieces[k] for k in range(COUNT)]
                self.barrier.wait(20)

        return exchange


def together(work):
    """Run a function of (index, exchange) for each process; return its results."""
    exchange, results = Exchange(), [None] * COUNT

    def run(index):
        results[index] = work(index, exchange.of(index))

    threads = [threading.Thread(target=run, args=(index,), daemon=True) for index in range(COUNT)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


@pytest.fixture
def files(tmp_path):
    (tmp_path / "a.txt").write_bytes(bytes(range(256)) * 3)
    (tmp_path / "empty.txt").write_bytes(b"")
    folder = tmp_path / "speech"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "b.wav").write_bytes(b"one")
    (folder / "c.tsv").write_bytes(b"\xff\xfe two")
    return [str(tmp_path / "a.txt"), str(tmp_path / "empty.txt"), str(folder)]


def contents(path):
    return {str(one.relative_to(path)): one.read_bytes() for one in sorted(path.rglob("*")) if one.is_file()}


def test_all_processes_get_all_files_and_each_byte_is_read_once(files, monkeypatch):
    read = []
    original = shared_files.read_part
    monkeypatch.setattr(shared_files, "read_part", lambda *part: read.append(part[1:]) or original(*part))
    mine = description(files_of(files))

    def work(index, exchange):
        with shared_data(Member(index, mine), exchange, files) as copies:
            text, empty, folder = map(shared_files.Path, copies)
            return text.name, text.read_bytes(), empty.read_bytes(), contents(folder), text

    found = together(work)
    expected = contents(shared_files.Path(files[2]))
    for name, text, empty, folder, place in found:
        assert (name, text, empty, folder) == ("a.txt", bytes(range(256)) * 3, b"", expected)
        assert not place.exists()
    total = sum(file.size for file in files_of(files))
    assert sum(end - begin for begin, end in read) == total
    covered = np.zeros(total, int)
    for begin, end in read:
        covered[begin:end] += 1
    assert (covered == 1).all()


def test_a_process_with_another_text_is_refused(files, tmp_path):
    other = description(files_of(files))
    (tmp_path / "a.txt").write_bytes(bytes(range(255)) * 3 + b"xyz")
    member = Member(1, other)
    with pytest.raises(ProcessGroupError) as caught, shared_data(member, None, files):
        pass
    assert str(caught.value).startswith("data: must be the same in all processes; it is 4 files of 777 bytes (")
    assert str(caught.value).endswith(" in process 0")


def test_one_changed_word_changes_the_description(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("The dog sees the cat. " * 1000, encoding="utf-8")
    before = description(files_of([str(path)]))
    path.write_text("The dog sees the cat. " * 999 + "The dog sees the cot. ", encoding="utf-8")
    assert description(files_of([str(path)])) != before


def test_errors_name_the_file_of_the_user(files):
    mine = description(files_of(files))

    def work(index, exchange):
        try:
            with shared_data(Member(index, mine), exchange, files) as copies:
                raise CorpusError(f"{copies[0]}, line 3: not UTF-8")
        except CorpusError as error:
            return str(error)

    assert together(work) == [f"{files[0]}, line 3: not UTF-8"] * COUNT


@pytest.mark.parametrize("name", ["missing.txt", "pipe"])
def test_a_missing_file_and_a_pipe_are_refused(name, tmp_path):
    shared_files.os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CorpusError, match=f"{name}: (no such file|not a regular file)"):
        files_of([str(tmp_path / name)])


def test_the_file_of_process_0_is_sent_to_the_others(tmp_path):
    (tmp_path / "model.npz").write_bytes(b"0123456789" * 5)

    def work(index, exchange):
        place = tmp_path / ("model.npz" if index == 0 else "not here.npz")
        with copy_of_leader(Member(index, 50), exchange, place) as path:
            return path.read_bytes(), path == place

    assert together(work) == [(b"0123456789" * 5, index == 0) for index in range(COUNT)]


def test_a_missing_file_of_process_0_is_named(tmp_path):
    with pytest.raises(ModelFileError, match="absent.npz: cannot be read: No such file"):
        with copy_of_leader(Member(0, None), None, tmp_path / "absent.npz"):
            pass


def test_one_process_uses_the_files_themselves(files):
    with shared_data(ProcessGroup(), None, files) as found:
        assert found == files
    with copy_of_leader(ProcessGroup(), None, files[0]) as path:
        assert str(path) == files[0]
