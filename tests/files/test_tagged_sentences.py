"""Files of sentences with tags: columns, single tokens or plain text, and the line of what is wrong."""

import gzip
import io

import pytest

from theano_rnn.errors import CorpusError
from theano_rnn.files.tagged_sentences import read_tagged_sentences, sentences_to_tag

TAGGED = "The\tx\tDET\ndog\ty\tNOUN\n\n \nDogs\tz\tNOUN\n"


def to_tag(text):
    """Tokens, first line and number of columns of each sentence; plain text is split at spaces, and at slashes."""
    found = sentences_to_tag(
        iter(text.splitlines()), "t", lambda line: [sentence.split() for sentence in line.split("/")], "NVX"
    )
    return [(one.tokens, one.line, len(one.rows[0])) for one in found]


@pytest.mark.parametrize("text", [TAGGED, TAGGED.replace("\n", "\r\n"), "\n\n" + TAGGED.rstrip()])
def test_blank_lines_separate_sentences_and_lines_are_counted(tmp_path, text):
    path = tmp_path / "t.tsv"
    path.write_bytes(text.encode())
    first, second = read_tagged_sentences([path])
    assert (first.tokens, first.tags, second.tokens, second.tags) == (
        ["The", "dog"],
        ["DET", "NOUN"],
        ["Dogs"],
        ["NOUN"],
    )
    assert first.rows[1] == ["dog", "y", "NOUN"]
    skipped = 2 * text.startswith("\n")
    assert first.place(1) == f"{path}, line {2 + skipped}" and second.line == 5 + skipped


def test_several_files_compressed_files_and_standard_input_are_read(tmp_path):
    (tmp_path / "t.tsv").write_text(TAGGED, "utf-8")
    (tmp_path / "t.tsv.gz").write_bytes(gzip.compress(TAGGED.encode()))
    assert len(list(read_tagged_sentences([tmp_path / "t.tsv", tmp_path / "t.tsv.gz"]))) == 4
    assert len(list(read_tagged_sentences([], io.BytesIO(TAGGED.encode())))) == 2


def test_columns_may_be_separated_by_spaces_and_then_a_number_sign_is_a_token(tmp_path):
    (tmp_path / "t.txt").write_text("EU  NNP B-ORG \n# SYM O\n\nNo UH O\n", "utf-8")
    first, second = read_tagged_sentences([tmp_path / "t.txt"])
    assert first.rows == [["EU", "NNP", "B-ORG"], ["#", "SYM", "O"]] and second.tags == ["O"]


def test_comments_are_left_out(tmp_path):
    text = "# id = 1\n# text = The dog\nThe\tDET\ndog\tNOUN\n\n# id = 2\nDogs\tNOUN\n"
    (tmp_path / "t.tsv").write_text(text, "utf-8")
    assert [one.tokens for one in read_tagged_sentences([tmp_path / "t.tsv"])] == [["The", "dog"], ["Dogs"]]


def test_quotes_and_tags_with_spaces_around_them_are_what_they_are(tmp_path):
    (tmp_path / "t.tsv").write_text('"\tPUNCT \n#\tSYM\n\u00a0\tSYM\n', "utf-8")
    (found,) = read_tagged_sentences([tmp_path / "t.tsv"])
    assert found.tokens == ['"', "#", "\u00a0"] and found.tags == ["PUNCT", "SYM", "SYM"]


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "t.tsv: holds no sentence; expected a token, a tab and its tag on each line"),
        ("\n \n", "t.tsv: holds no sentence"),
        ("Dogs\nbark\n", "t.tsv, line 1: expected a token, a tab and its tag, got 'Dogs'"),
        (
            "Dogs bark.\nSo do they.\n",
            "t.tsv, line 2: expected 2 columns, as in the lines before, got 3: 'So do they.'",
        ),
        ("The\tDET\n\ndog\n", "t.tsv, line 3: expected a token, a tab and its tag, got 'dog'"),
        ("The\tx\tDET\ndog\tNOUN\n", "t.tsv, line 2: expected 3 columns, as in the lines before, got 2"),
        ("The\tDET\n\tNOUN\n", "t.tsv, line 2: the token is empty"),
        ("The\tDET\ndog\t \n", "t.tsv, line 2: the tag is empty"),
        ("# id\n1\tNo\t_\n\n1-2\tDogs\t_\n1\tDog\tX\n2\ts\tX\n", "t.tsv, line 4: the first column numbers the tokens"),
    ],
)
def test_a_missing_column_is_one_line_with_file_and_line_number(tmp_path, text, message):
    (tmp_path / "t.tsv").write_text(text, "utf-8")
    with pytest.raises(CorpusError) as error:
        list(read_tagged_sentences([tmp_path / "t.tsv"]))
    assert message in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    "text, expected",
    [
        ("a\tx\n\nb c\ty", [(["a"], 1, 2), (["b c"], 3, 2)]),
        ("\na\nb\n\nc\n", [(["a", "b"], 2, 1), (["c"], 5, 1)]),
        ("a\nb", [(["a", "b"], 1, 1)]),
        ("a b/c\n\nd\te f", [(["a", "b"], 1, 1), (["c"], 1, 1), (["d", "e", "f"], 3, 1)]),
        ("Title\n\na b\nc", [(["Title"], 1, 1), (["a", "b"], 3, 1), (["c"], 4, 1)]),
        ("a\nb c\n", [(["a"], 1, 1), (["b", "c"], 2, 1)]),
        ("a", [(["a"], 1, 1)]),
        ("# c\na\tx\n", [(["a"], 2, 2)]),
        ("# c\n\na\nb\n\n# d\nc", [(["a", "b"], 3, 1), (["c"], 7, 1)]),
        ("# c\n\na b\n", [(["#", "c"], 1, 1), (["a", "b"], 3, 1)]),
        ("a  1 N\n# 2 V\n\nc 3 C\n", [(["a", "#"], 1, 3), (["c"], 4, 3)]),
        ("a N\nb V", [(["a", "b"], 1, 2)]),
        ("a N\nb c", [(["a", "N"], 1, 1), (["b", "c"], 2, 1)]),
        ("a N\nb c V", [(["a", "N"], 1, 1), (["b", "c", "V"], 2, 1)]),
        ("a N\n\nb V", [(["a", "N"], 1, 1), (["b", "V"], 3, 1)]),
        ("1\tx\n2\tx\n", [(["1", "2"], 1, 2)]),
        ("1\tx\ty\n3\tx\ty\n", [(["1", "3"], 1, 3)]),
        ("", []),
        ("\n\n", []),
    ],
)
def test_the_first_lines_tell_columns_tokens_and_plain_text_apart(text, expected):
    assert to_tag(text) == expected


@pytest.mark.parametrize(
    "text, message",
    [
        ("a\tx\nb\n", "t, line 2: expected 2 columns, as in the lines before, got 1: 'b'"),
        ("a N\nb V\n\nc\n", "t, line 4: expected 2 columns, as in the lines before, got 1: 'c'"),
        ("a\nb\n\nc d\n", "t, line 4: expected one token, as in the lines before, got 'c d'"),
        ("\tx\n", "t, line 1: the token is empty"),
    ],
)
def test_input_that_changes_its_form_is_rejected(text, message):
    with pytest.raises(CorpusError, match=message):
        to_tag(text)


def test_plain_text_is_read_line_by_line():
    def lines():
        yield "a b"
        raise AssertionError("the second line is not needed yet")

    assert next(sentences_to_tag(lines(), "t", lambda line: [line.split()])).tokens == ["a", "b"]
