"""Segments as TSV, CSV, JSON and TextGrid, read back."""

import csv
import io
import json

import pytest

from theano_rnn.errors import OptionError, OutputFileError
from theano_rnn.files.text_files import TextInput
from theano_rnn.speech.input_files import find_speech_files
from theano_rnn.speech.label_files import read_segments
from theano_rnn.speech.segment_output import FORMATS, check_textgrids, write_textgrids
from theano_rnn.speech.segments import Segment
from theano_rnn.speech.textgrid import Interval, Tier, read_tiers, textgrid_text

LABELS = ['"ə', "a\tb", '"x"', "日本", "", 'say "a"', "a,b", "{", "name"]
SEGMENTS = [
    Segment("dr1/one", number / 10, (number + 1) / 10, label, 0.25) for number, label in enumerate(LABELS)
]  # fmt: skip


def lines(name, segments):
    return "".join(f"{line}\n" for line in FORMATS[name](segments))


@pytest.mark.parametrize("name", ["tsv", "csv"])
def test_tables_are_read_back(tmp_path, name):
    path = tmp_path / f"t.{name}"
    path.write_text(lines(name, SEGMENTS), encoding="utf-8", newline="")
    found = read_segments(find_speech_files([path]).labels, {"dr1/one": 1})["dr1/one"]
    assert [(one.start, one.end, one.label) for one in found] == [(one.start, one.end, one.label) for one in SEGMENTS]


def test_each_format_shows_names_times_labels_and_probabilities():
    segments = [Segment("a", 0, 0.57, "s", 1 / 3), Segment("a", 0.57, 3, "ow")]
    assert lines("tsv", segments) == "a\t0\t0.57\ts\t0.333333\na\t0.57\t3\tow\t\n"
    assert lines("csv", segments) == "name,start,end,label,probability\na,0,0.57,s,0.333333\na,0.57,3,ow,\n"
    first, second = map(json.loads, lines("json", segments).splitlines())
    assert first == {"name": "a", "start": 0, "end": 0.57, "label": "s", "probability": 1 / 3}
    assert second["probability"] is None


def test_csv_keeps_line_ends_in_labels():
    text = lines("csv", [Segment("a", 0, 1, "two\nlines", 0.5)])
    assert list(csv.reader(io.StringIO(text)))[1] == ["a", "0", "1", "two\nlines", "0.500000"]


def test_a_textgrid_has_a_tier_of_labels_and_one_of_probabilities(write):
    tiers = read_tiers(TextInput(write("a.TextGrid", lines("textgrid", SEGMENTS))))
    assert [tier.name for tier in tiers] == ["label", "probability"]
    assert [one.text for one in tiers[0].intervals] == LABELS
    assert {one.text for one in tiers[1].intervals} == {"0.250000"}
    assert read_tiers(TextInput(write("b", lines("textgrid", [Segment("a", 0, 1, "x")]))))[0].intervals[0].end == 1


def test_a_textgrid_holds_one_recording():
    with pytest.raises(
        OptionError, match="^format: a TextGrid holds one recording, and there are 2; name a folder with"
    ):
        lines("textgrid", [Segment("a", 0, 1, "x"), Segment("b", 0, 1, "x")])


def test_a_folder_of_textgrids_is_read_back(tmp_path):
    other = [Segment("two", 0, 1, "x")]
    written = write_textgrids(tmp_path / "new", [SEGMENTS, other])
    assert written == [tmp_path / "new/dr1/one.TextGrid", tmp_path / "new/two.TextGrid"]
    found = read_segments(find_speech_files([tmp_path / "new"]).labels, {"dr1/one": 1, "two": 1}, "label")
    assert [one.label for one in found["dr1/one"]] == LABELS and found["two"] == other


def test_only_textgrids_with_the_same_tiers_are_replaced(tmp_path, write):
    check_textgrids(tmp_path / "none", ["dr1/one"])
    write_textgrids(tmp_path, [SEGMENTS])
    check_textgrids(tmp_path, ["dr1/one", "two"])
    by_hand = "".join(textgrid_text([Tier("phones", [Interval(0, 1, "x")])], 1))
    for content in (by_hand, "no TextGrid"):
        write("two.TextGrid", content)
        with pytest.raises(OutputFileError, match="two.TextGrid: is there already, with other tiers; choose another"):
            check_textgrids(tmp_path, ["dr1/one", "two"])


@pytest.mark.parametrize("name", ["../a", "/a", "..", "", "c:a", "b\\..\\..\\a"])
def test_names_cannot_lead_out_of_the_folder(tmp_path, name):
    with pytest.raises(OutputFileError, match="the name of this recording cannot be a file's name; rename it"):
        write_textgrids(tmp_path / "new", [[Segment(name, 0, 1, "x")]])
    with pytest.raises(OutputFileError, match="the name of this recording cannot be a file's name; rename it"):
        check_textgrids(tmp_path / "new", [name])
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_created_is_reported(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputFileError, match="file/dr1: cannot be created: Not a directory"):
        write_textgrids(tmp_path / "file", [SEGMENTS])
