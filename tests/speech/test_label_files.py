"""Segments and labels of recordings from tables, TextGrids and .phn files."""

import csv
import zipfile

import pytest

from theano_rnn.errors import CorpusError, OptionError
from theano_rnn.speech.input_files import SpeechFile, find_speech_files
from theano_rnn.speech.label_files import read_recording_labels, read_segments, read_segments_if_any
from theano_rnn.speech.segments import Segment, frame_labels
from theano_rnn.speech.textgrid import Interval, Tier, textgrid_text

RATES = {"one": 16000, "dr1/two": 8000}
TABLE = "name\tstart\tend\tlabel\n"


@pytest.fixture
def labels(write):
    """Returns a function that writes files and finds them, each called like a recording."""

    def make(**contents):
        files = []
        for name, content in contents.items():
            path = write(name.replace("__", "."), content)
            files += [SpeechFile("one", path)] if name.startswith("one") else find_speech_files([path]).labels
        return files

    return make


def textgrid(*tiers):
    named = [Tier(name, [Interval(0, 0.5, "s"), Interval(0.5, 1, " ")]) for name in tiers]
    return "".join(textgrid_text(named, 1))


EXPECTED = [Segment("one", 0, 0.5, "s"), Segment("one", 0.5, 1, "")]


@pytest.mark.parametrize(
    "contents",
    [
        {"t__tsv": f"{TABLE}one\t0.5\t1\t\none.wav\t0\t0.5\t s \n"},
        {"t__csv": "label,probability,name,end,start\ns,1,one,.5,0\n,1,one,1,0.5\n"},
        {"one__TextGrid": textgrid("phones")},
        {"one__TextGrid__gz": textgrid("phones")},
    ],
)
def test_every_kind_of_file_gives_the_same_segments(labels, contents):
    assert read_segments(labels(**contents), RATES) == {"one": EXPECTED}


@pytest.mark.parametrize("name", ["one__phn", "one__PHN", "one__phn__gz"])
def test_times_in_phn_files_are_samples_of_the_recording(labels, name):
    assert read_segments(labels(**{name: "0 8000 s\n8000 16000 h#\n"}), RATES) == {
        "one": [EXPECTED[0], Segment("one", 0.5, 1, "h#")]
    }
    assert read_segments(labels(**{name: "0 8000 s\n"}), {"one": 8000})["one"][0].end == 1


def test_recordings_are_in_their_own_order_and_may_lack_segments(labels):
    files = labels(t__tsv=f"{TABLE}dr1\\two.wav\t0\t1\ta\none\t0\t1\tb\n")
    assert list(read_segments(files, RATES)) == ["one", "dr1/two"]
    assert list(read_segments(files, {**RATES, "three": 1})) == ["one", "dr1/two"]


def test_pictures_need_no_segments_and_ignore_those_of_other_recordings(labels):
    files = labels(t__tsv=f"{TABLE}one\t0\t0.5\ts\none\t0.5\t1\t\nx\t0\t1\tb\n", x__phn="0 1 a\n")
    assert read_segments_if_any(files, RATES) == {"one": EXPECTED}
    assert read_segments_if_any([], RATES) == read_segments_if_any(labels(labels__tsv="name\tlabel\n"), RATES) == {}
    with pytest.raises(CorpusError, match="line 2: the segment ends"):
        read_segments_if_any(labels(t__tsv=f"{TABLE}one\t1\t0.5\ts\n"), RATES)


def test_segments_know_their_lines(labels):
    (table,) = labels(t__tsv=f"{TABLE}\none\t0\t1\ta\n")
    assert read_segments([table], RATES)["one"][0].place == f"{table.path}, line 3"
    (grid,) = labels(one__TextGrid=textgrid("x"))
    assert read_segments([grid], RATES)["one"][1].place == f"{grid.path}, line 20"


def test_a_tier_is_chosen_by_name(labels):
    files = labels(one__TextGrid=textgrid("words", "phones"))
    assert read_segments(files, RATES, "phones") == {"one": EXPECTED}
    with pytest.raises(CorpusError, match="one.TextGrid: has 2 tiers of intervals; choose one with `tier`"):
        read_segments(files, RATES)
    with pytest.raises(CorpusError, match="one.TextGrid: there is no tier 'tones'; the tiers are 'words', 'phones'"):
        read_segments(files, RATES, "tones")
    with pytest.raises(OptionError, match="^tier: 'phones' was given, but there is no TextGrid"):
        read_segments(labels(t__tsv=f"{TABLE}one\t0\t1\ta\n"), RATES, "phones")


@pytest.mark.parametrize("contents, message", [
    ({"t__tsv": f"{TABLE}one\t1\t0.5\ta\n"},
     "t.tsv, line 2: the segment ends at 0.5 s, which is not after its start, 1 s"),
    ({"t__tsv": f"{TABLE}one\t0\t0.5\ta\none\t0.4\t1\tb\n"}, r"t.tsv, line 3: .* overlaps the one .*t.tsv, line 2\)"),
    ({"t__tsv": f"{TABLE}one\t0\thalf\ta\n"}, "t.tsv, line 2: end: expected a number, got 'half'"),
    ({"t__tsv": f"{TABLE}ones\t0\t1\ta\n"},
     r"t.tsv, line 2: there is no recording 'ones' among the 2 that are read \(one of them is 'one'\)"),
    ({"t__tsv": f"{TABLE}\t0\t1\ta\n"}, "t.tsv, line 2: the name of the recording is empty"),
    ({"other__TextGrid": textgrid("x")}, "other.TextGrid, line 16: there is no recording 'other'"),
    ({"other__phn": "0 1 a\n"}, "other.phn: there is no recording 'other'"),
    ({"one__phn": "0 100 a\n100 50 b\n"}, "one.phn, line 2: the segment ends at 0.003125 s, which is not after"),
    ({"one__phn": "0 100 a\n100 b\n"}, "one.phn, line 2: expected the first sample, the last sample and a label, got"),
    ({"one__phn": "0 1e a\n"}, "one.phn, line 1: end: expected a number, got '1e'"),
])  # fmt: skip
def test_mistakes_are_reported_with_file_and_line(labels, contents, message):
    with pytest.raises(CorpusError, match=message) as caught:
        read_segments(labels(**contents), RATES)
    assert "\n" not in str(caught.value)


def test_overlapping_intervals_of_a_textgrid_are_reported_with_the_line(labels):
    content = textgrid("x").replace("xmin = 0.5", "xmin = 0.4")
    with pytest.raises(CorpusError, match=r"one.TextGrid, line 20: .* overlaps .* \(.*line 16\)"):
        read_segments(labels(one__TextGrid=content), RATES)


def test_labels_of_whole_recordings_are_read(labels):
    files = labels(t__tsv="label\tname\nb\tdr1/two.wav\na\tone\n")
    assert read_recording_labels(files, list(RATES)) == {
        "one": ("a", f"{files[0].path}, line 3"),
        "dr1/two": ("b", f"{files[0].path}, line 2"),
    }


@pytest.mark.parametrize("contents, message", [
    ({"t__tsv": "one\ta\none\tb\n"}, r"t.tsv, line 2: recording one has a label already \(.*t.tsv, line 1\)"),
    ({"t__tsv": "one\t \n"}, "t.tsv, line 1: the label is empty"),
    ({"t__tsv": "two\ta\n"}, "t.tsv, line 1: there is no recording 'two'"),
    ({"one__phn": "0 1 a\n"}, "one.phn: labels segments; expected a table"),
])  # fmt: skip
def test_mistakes_in_labels_of_recordings_are_reported(labels, contents, message):
    with pytest.raises(CorpusError, match=message):
        read_recording_labels(labels(**contents), list(RATES))


def test_tables_of_a_folder_serve_one_purpose_each(tmp_path):
    (tmp_path / "segments.tsv").write_text(f"{TABLE}one\t0\t1\ta\n")
    (tmp_path / "labels.tsv").write_text("name\tlabel\none\tb\n")
    files = find_speech_files([tmp_path]).labels
    assert read_segments(files, RATES)["one"][0].label == "a"
    assert read_recording_labels(files, RATES)["one"][0] == "b"


def test_labels_must_be_named():
    with pytest.raises(OptionError, match="^files: expected labels of the recordings, got none; .* name, start, end"):
        read_segments([], RATES)
    with pytest.raises(OptionError, match="^files: expected labels of the recordings, got none; .* name and label"):
        read_recording_labels([], RATES)


def test_frames_of_hand_labelled_speech_have_the_label_at_their_middle(shared_data, tmp_path):
    sounds = pytest.importorskip("theano_rnn.speech.recordings")
    pytest.importorskip("soundfile")
    pytest.importorskip("kaldi_native_fbank")
    names = ("dr1-fvmh0/sa1", "dr1-fvmh0/si836")
    with zipfile.ZipFile(shared_data("speech/timit_sample_wav.zip")) as archive:
        archive.extractall(tmp_path, [f"{name}.wav" for name in names])
    with open(shared_data("speech/timit_sample_segments.tsv"), encoding="utf-8") as table:
        rows = [row for row in csv.reader(table, delimiter="\t") if row[0] in names]
    for name in names:
        lines = [f"{start} {end} {phone}" for one, start, end, phone, _ in rows if one == name]
        (tmp_path / f"{name}.PHN").write_text("\n".join(lines))
    files = find_speech_files([tmp_path])
    recordings = sounds.Recordings(files.recordings)
    segments = read_segments(files.labels, recordings.rates)
    for recording in recordings:
        found = frame_labels(segments[recording.name], len(recording.frames), recording.shift)
        spans = [(int(start), int(end), phone) for one, start, end, phone, _ in rows if one == recording.name]
        for frame, label in enumerate(found[:-2]):
            (expected,) = [phone for start, end, phone in spans if start <= frame * 160 + 80 < end]
            assert label == expected
        assert found[-2:] == [spans[-1][2]] * 2
