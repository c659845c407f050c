"""TextGrids: both text forms, encodings, tiers, mistakes; what two other libraries read in ours."""

import pytest

from theano_rnn.errors import CorpusError
from theano_rnn.files.text_files import TextInput
from theano_rnn.speech.textgrid import Interval, Tier, chosen_tier, read_tiers, textgrid_text

LONG = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0 
xmax = 1.5 
tiers? <exists> 
size = 2 
item []: 
    item [1]:
        class = "IntervalTier" 
        name = "phones" 
        xmin = 0 
        xmax = 1.5 
        intervals: size = 2 
        intervals [1]:
            xmin = 0 
            xmax = 5e-1 
            text = "say ""ə"" 3 <x> ! no" 
        intervals [2]:
            xmin = 0.5 
            xmax = 1.5 
            text = "" 
    item [2]:
        class = "TextTier" 
        name = "clicks" 
        xmin = 0 
        xmax = 1.5 
        points: size = 1 
        points [1]:
            number = 0.7 
            mark = "!" 
"""  # noqa: W291
SHORT = """File type = "ooTextFile"
"TextGrid"

0 ! a comment "with quotes"
1.5
<exists>
2
"IntervalTier"
"phones"
0
1.5
2
0
.5
"say ""ə"" 3 <x> ! no"
0.5
1.5
""
"TextTier"
"clicks"
0
1.5
1
0.7
"!"
"""
NASTY = [
    "ə",
    'a "quoted" one',
    '"',
    '""',
    "tab\tin it",
    "ʃ̩",
    "日本",
    "",
    "text =",
    "xmin = 3",
    "x\\y",
    "<exists>",
    "1.5",
]


def tiers_of(path):
    return read_tiers(TextInput(path))


def written(tmp_path, labels, name="a.TextGrid"):
    intervals = [Interval(0.1 * i, 0.1 * (i + 1), label) for i, label in enumerate(labels)]
    path = tmp_path / name
    path.write_text("".join(textgrid_text([Tier("label", intervals)], 0.1 * len(labels))), encoding="utf-8", newline="")
    return path


@pytest.mark.parametrize(
    "text", [LONG, SHORT, SHORT.replace("ooTextFile", "ooTextFile short"), LONG.replace("\n", "\r\n")]
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("name", ["a.TextGrid", "a.TextGrid.gz"])
def test_both_forms_and_all_encodings_give_the_same_tiers(write, text, encoding, name):
    phones, clicks = tiers_of(write(name, text.encode(encoding)))
    assert phones.name == "phones" and not phones.is_points
    assert [one[:3] for one in phones.intervals] == [(0, 0.5, 'say "ə" 3 <x> ! no'), (0.5, 1.5, "")]
    assert clicks == Tier("clicks", [], is_points=True)


def test_intervals_know_their_lines(write):
    assert [one.line for one in tiers_of(write("a", LONG))[0].intervals] == [16, 20]
    assert [one.line for one in tiers_of(write("a", SHORT))[0].intervals] == [13, 16]


def test_a_textgrid_without_tiers_has_none(write):
    text = 'File type = "ooTextFile"\nObject class = "TextGrid"\n\nxmin = 0\nxmax = 1\ntiers? <absent>\n'
    assert tiers_of(write("a", text)) == []


def test_what_is_written_is_read_back(tmp_path):
    (tier,) = tiers_of(written(tmp_path, [*NASTY, "two\nlines"]))
    assert [one.text for one in tier.intervals] == [*NASTY, "two\nlines"]
    assert [(one.start, one.end) for one in tier.intervals][:2] == [(0, 0.1), (0.1, 0.2)]


def test_gaps_are_written_as_intervals_without_text(write):
    intervals = [Interval(0.1, 0.2, "a"), Interval(0.2, 0.3, "b"), Interval(0.5, 0.6, "c")]
    (tier,) = tiers_of(write("a", "".join(textgrid_text([Tier("x", intervals)], 1))))
    assert [one[:3] for one in tier.intervals] == [
        (0, 0.1, ""), (0.1, 0.2, "a"), (0.2, 0.3, "b"), (0.3, 0.5, ""), (0.5, 0.6, "c"), (0.6, 1, ""),
    ]  # fmt: skip


def test_praatio_reads_what_is_written(tmp_path):
    textgrid = pytest.importorskip("praatio.textgrid")
    found = textgrid.openTextgrid(str(written(tmp_path, NASTY)), includeEmptyIntervals=True).getTier("label")
    assert [one.label for one in found.entries] == NASTY
    assert found.entries[1].start == 0.1 and found.maxTimestamp == 0.1 * len(NASTY)


def test_textgrid_reads_what_is_written(tmp_path):
    textgrid = pytest.importorskip("textgrid")
    (found,) = textgrid.TextGrid.fromFile(str(written(tmp_path, NASTY)))
    assert [one.mark for one in found] == NASTY
    assert found[1].minTime == 0.1 and found.name == "label"


@pytest.mark.parametrize("name, found", [("phones", "phones"), (" Phones", "phones"), ("PHONES", "PHONES")])
def test_a_tier_is_found_by_its_name(name, found):
    assert chosen_tier([Tier("phones", []), Tier("words", []), Tier("PHONES", [])], name, "a").name == found


def test_the_only_tier_of_intervals_needs_no_name():
    assert chosen_tier([Tier("clicks", [], is_points=True), Tier("phones", [])], None, "a").name == "phones"


@pytest.mark.parametrize("tiers, name, message", [
    ([Tier("words", [])], "phones", "^a: there is no tier 'phones'; the tiers are 'words'"),
    ([], "phones", "^a: there is no tier 'phones'; the tiers are none"),
    ([Tier("words", []), Tier("phones", [])], None,
     "^a: has 2 tiers of intervals; choose one with `tier`; the tiers are 'words', 'phones'"),
    ([Tier("clicks", [], is_points=True)], None, "^a: has no tier of intervals; the tiers are 'clicks'"),
    ([Tier("clicks", [], is_points=True)], "clicks", "^a: tier 'clicks' holds points; expected intervals"),
])  # fmt: skip
def test_missing_and_ambiguous_tiers_are_rejected(tiers, name, message):
    with pytest.raises(CorpusError, match=message):
        chosen_tier(tiers, name, "a")


@pytest.mark.parametrize("content, message", [
    (b"", "a.TextGrid, line 1: is empty"),
    (b"name\tstart\n", "a.TextGrid: ends where the type of the file is expected"),
    (b'"ooTextFile" "Pitch 1"', "line 1: is not a TextGrid"),
    (b"ooBinaryFile\x08TextGrid", "is a binary TextGrid; save it in Praat as a text file"),
    (SHORT.encode("latin-1", "replace").replace(b"?", b"\xe9"), "line 15: byte 0xe9 is not UTF-8; save it"),
    (SHORT[:115].encode(), "a.TextGrid: ends where .* is expected; the file is truncated"),
    (SHORT.replace("<exists>", "<exists> x").replace("\n2\n", "\nmany\n", 1).encode(),
     "line 8: expected the number of tiers, a number, got '\"IntervalTier\"'"),
    (SHORT.replace("\n2\n", "\n2.5\n", 1).encode(), "line 7: expected the number of tiers, got 2.5"),
    (SHORT.replace('"IntervalTier"', '"PitchTier"').encode(), "line 8: a tier is of class 'PitchTier'; expected Int"),
    (SHORT.replace('"phones"', "3").encode(), "line 9: expected the name of a tier in quotes, got '3'"),
    (SHORT.replace('"!"', '"!').encode(), "line 25: the quote that begins here is not closed"),
])  # fmt: skip
def test_broken_textgrids_are_rejected_with_the_line(write, content, message):
    with pytest.raises(CorpusError, match=message) as caught:
        tiers_of(write("a.TextGrid", content))
    assert "\n" not in str(caught.value)
