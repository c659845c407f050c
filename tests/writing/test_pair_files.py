"""Pairs of texts: what is read from tables and from two texts, and one line for what cannot be read."""

import io

import pytest

from theano_rnn.errors import CorpusError, OptionError
from theano_rnn.writing.pair_files import read_pairs

TWO = [("A dog.", "Un chien."), ("A cat.", "Un chat.")]


def pairs(*paths, **more):
    return [(one.source, one.target) for one in read_pairs(paths, **more)]


@pytest.mark.parametrize(
    "name, content",
    [
        ("t.tsv", "A dog.\tUn chien.\nA cat.\tUn chat.\n"),
        ("t.txt", "\ufeffA dog.\tUn chien.\r\n\r\n \t \r\nA cat. \t Un chat."),
        ("t.tsv.gz", "A dog.\tUn chien.\rA cat.\tUn chat.\r"),
        ("t.tsv", "target\tnote\tSource\nUn chien.\t\tA dog.\nUn chat.\tx\tA cat.\n"),
        ("t.tsv", "source\ttarget\tnote\nA dog.\tUn chien.\tx\nA cat.\tUn chat.\n"),
        ("t.csv", "source,target\nA dog.,Un chien.\n\nA cat.,Un chat.\n"),
        ("t.csv", "target,source\r\nUn chien.,A dog.\r\nUn chat.,A cat.\r\n"),
        ("t.csv", "source,target,note\nA dog.,Un chien.,x\nA cat.,Un chat.,\n"),
        ("t.csv.gz", '"A dog.","Un chien."\nA cat.,Un chat.\n'),
    ],
)
def test_tables_of_all_forms_give_the_same_pairs(write, name, content):
    assert pairs(write(name, content)) == TWO


def test_several_files_are_read_in_order_and_pairs_know_their_places(write):
    files = write("a.tsv", "A dog.\tUn chien.\n"), write("b.csv", "source,target\nA cat.,Un chat.\n")
    found = list(read_pairs(files))
    assert [one[:2] for one in found] == TWO
    assert found[0].place.endswith("a.tsv, line 1") and found[1].place.endswith("b.csv, line 2")


def test_standard_input_is_lines_with_a_tab():
    assert pairs(standard_input=io.BytesIO(b"A dog.\tUn chien.\n\nA cat.\tUn chat.\n")) == TWO
    with pytest.raises(CorpusError, match="standard input, line 2: there is only one column"):
        pairs(standard_input=io.BytesIO(b"A dog.\tUn chien.\nA cat.\n"))


def test_lines_of_two_texts_belong_together(write):
    source = write("t.en", "\ufeffA dog.\r\n\r\nA cat.\r\n")
    assert pairs(source, targets=write("t.fr.gz", "Un chien.\n \nUn chat.")) == TWO


@pytest.mark.parametrize(
    "name, content, message",
    [
        ("t.tsv", "a\tb\n\nno tab\n", "t.tsv, line 3: there is only one column; expected a source, a tab and its targ"),
        ("t.txt", "a\tb\tc\n", "t.txt, line 1: there are 3 columns; expected a source, a tab and its target"),
        ("t.tsv", "a\tb\n \tb\n", "t.tsv, line 2: the source is empty; remove the pair"),
        ("t.tsv", "a\tb\na\t\n", "t.tsv, line 2: the target is empty; remove the pair"),
        ("t.tsv", "note\tsource\ttarget\nx\ta\n", "t.tsv, line 2: expected at least 3 columns, got 2"),
        ("t.csv", "a,b\nc\n", "t.csv, line 2: there is only one column; expected a source and its target"),
        ("t.csv", "a,b\nc,d,e\n", "t.csv, line 2: there are 3 columns; expected a source and its target"),
        ("t.csv", "target,source\na,\n", "t.csv, line 2: the source is empty; remove the pair"),
        ("t.tsv", b"a\tb\n\xff\tc\n", "t.tsv, line 2"),
    ],
)
def test_rows_that_are_no_pairs_are_rejected_in_one_line(write, name, content, message):
    with pytest.raises(CorpusError, match=message) as error:
        pairs(write(name, content))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "source, target, message",
    [
        ("a\nb\nc\n", "x\ny\n", r"t\.en has more lines than .*t\.fr, which ends after line 2; line n of one must"),
        ("a\n", "x\ny\n", r"t\.fr has more lines than .*t\.en, which ends after line 1; line n of one must"),
        ("a\n\n", "x\ny\n", r"t\.en, line 2: the source is empty; remove the pair"),
        ("a\nb\n", "x\n \n", r"t\.fr, line 2: the target is empty; remove the pair"),
    ],
)
def test_two_texts_whose_lines_do_not_belong_together_are_rejected_in_one_line(write, source, target, message):
    with pytest.raises(CorpusError, match=message):
        pairs(write("t.en", source), targets=write("t.fr", target))


def test_a_text_of_targets_belongs_to_one_file(write):
    one = write("t.en", "a\n")
    for paths in ([one, one], []):
        message = f"target: belongs to one file of sources, got {len(paths)}; name one with `data`"
        with pytest.raises(OptionError, match=message):
            pairs(*paths, targets=one)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(CorpusError, match=r"none\.tsv"):
        pairs(tmp_path / "none.tsv")
