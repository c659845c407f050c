"""Given texts: a column of a table, or the lines of a file that belong to those of the text."""

import re

import pytest

from theano_rnn.errors import CorpusError, OptionError
from theano_rnn.files.corpus_formats import open_inputs
from theano_rnn.reading_studies.given_texts import GivenTexts


def read(source, paths, column=None):
    inputs = list(open_inputs(paths, column=column))
    given = GivenTexts(str(source), inputs)
    texts = [text for reader in inputs for text in given.texts(reader, column)]
    return list(zip(given.take(len(texts)), texts, strict=True))


def test_a_column_of_each_table_is_read(write):
    first = write("a.csv", 'before,text\n"The, dog",sees.\n,x\n')
    second = write("b.tsv", "text\tid\tBefore\ny\t1\tz\nshort\n")
    assert read("before", [first, second]) == [("The, dog", "sees."), ("", "x"), ("z", "y"), ("", "short")]
    assert read("text", [second], column="id")[0] == ("y", "1")


def test_the_lines_of_a_file_belong_to_those_of_the_text(write):
    assert read(write("given.txt.gz", "The dog\n\n"), [write("a.txt", "sees.\nx")]) == [("The dog", "sees."), ("", "x")]
    assert read(write("none.txt", ""), [write("b.txt", "")]) == []


@pytest.mark.parametrize("given, text, lines", [("a\nb\n", "x\n", 1), ("a\n", "x\ny\nz\n", 1), ("", "x\n", 0)])
def test_different_numbers_of_lines_are_refused(write, given, text, lines):
    paths = write("given.txt", given), write("a.txt", text)
    with pytest.raises(
        CorpusError, match=rf"{paths[len(given) < len(text)]} has more lines than .* after line {lines};"
    ):
        read(paths[0], paths[1:])


def test_other_inputs_are_refused(write):
    table, text = write("a.csv", "text,x\na,b\n"), write("a.txt", "a\n")
    for source, paths, message in [
        (text, [text, text], "given: .* holds the given texts of one file, got 2 files"),
        (text, [text, table], "given: expected tables or one text, got both"),
        ("absent.txt", [text], "absent.txt: no such file; check the path"),
    ]:
        with pytest.raises((OptionError, CorpusError), match=message):
            read(source, paths)
    with pytest.raises(
        CorpusError, match=re.escape("has no column 'z'; its columns are text, x; choose one of them with `given`")
    ):
        read("z", [table])
