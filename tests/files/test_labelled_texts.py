"""Tables of labelled texts: headers, two columns, quotes, gzip, standard input."""

import gzip
import io

import pytest

from theano_rnn.errors import CorpusError
from theano_rnn.files.labelled_texts import LabelledText, read_labelled_texts

EXPECTED = [("good", 'He said "yes".'), ("bad", "No, never")]


def found(path, column=None):
    return [one[:2] for one in read_labelled_texts([path], column)]


@pytest.mark.parametrize(
    "name, content",
    [
        ("t.tsv", 'label\ttext\ngood\tHe said "yes".\nbad\tNo, never\n'),
        ("t.txt", 'good\tHe said "yes".\n\nbad\tNo, never'),
        ("t.tsv", '\ufeffID\tText \tLabel\r\n1\tHe said "yes".\tgood\r\n2\tNo, never\tbad\r\n'),
        ("t.tsv", 'label\tbody\ngood\t"He said ""yes""."\nbad\t"No, never"\n'),
        ("t.csv", 'text,label\n"He said ""yes"".",good\n"No, never",bad\n'),
        ("t.csv", 'label;text\ngood;He said "yes".\nbad;No, never\n'),
        ("t.csv", 'good,He said "yes".\nbad,"No, never"\n'),
    ],
)
def test_every_kind_of_table_gives_the_same_texts(tmp_path, name, content):
    path = tmp_path / name
    path.write_text(content, encoding="utf-8", newline="")
    assert found(path) == EXPECTED
    zipped = tmp_path / f"{name}.gz"
    zipped.write_bytes(gzip.compress(path.read_bytes()))
    assert found(zipped) == EXPECTED


def test_a_column_can_be_chosen_and_other_columns_do_not_matter(tmp_path):
    path = tmp_path / "t.tsv"
    path.write_text("label\ttext\tReview\ngood\tx\tOne.\nbad\ty\tTwo.\n", encoding="utf-8")
    assert found(path, "review") == [("good", "One."), ("bad", "Two.")]
    assert found(path) == [("good", "x"), ("bad", "y")]


def test_standard_input_is_read_without_a_file_and_texts_know_their_place():
    source = io.BytesIO(b"good\tOne.\nbad\tTwo.\n")
    assert list(read_labelled_texts([], None, source)) == [
        LabelledText("good", "One.", "standard input, line 1"),
        LabelledText("bad", "Two.", "standard input, line 2"),
    ]


@pytest.mark.parametrize(
    "name, content, column, message",
    [
        ("t.tsv", "label\tcomment\na\tb\n", None, "t.tsv, line 1: there is no column text or body; expected a header"),
        ("t.tsv", "text\tsentiment\na\tb\n", None, "t.tsv, line 1: there is no column label"),
        ("t.tsv", "label\ttext\na\tb\n", "review", "there is no column review; .*the columns are 'label', 'text'"),
        (
            "t.tsv",
            "only one column\n",
            None,
            "line 1: there is no column label; .* or two columns, label and text",
        ),
        ("t.csv", "label,text\ngood,One.\nbad\n", None, "t.csv, line 3: expected 2 columns, got 1"),
        ("t.tsv", "label\ttext\n\tOne.\n", None, "t.tsv, line 2: the label is empty"),
        ("t.tsv", "label\ttext\ngood\t \n", None, "t.tsv, line 2: the text is empty; remove the row"),
    ],
)
def test_tables_without_labels_or_texts_are_rejected_with_the_line(tmp_path, name, content, column, message):
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    with pytest.raises(CorpusError, match=message):
        found(path, column)
