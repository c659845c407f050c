import pytest

from theano_rnn.inspection.token_sequences import listed, read_tokens
from theano_rnn.language_models.language_model import LanguageModel
from theano_rnn.networks.rnn import RNN
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import Vocabulary

SPECIAL = ["SENTENCE_START", "SENTENCE_END", "UNKNOWN_TOKEN"]


def language_model(level, words):
    vocabulary = Vocabulary([*SPECIAL, *words], newline_ends_sentence=level == "char")
    return LanguageModel(RNN(len(vocabulary), 3, seed=1), vocabulary, Tokenizer(level=level))


words = language_model("word", ["the", "dog", "."])
characters = language_model("char", ["a", "b", " "])


def test_each_line_of_words_is_read_from_its_start():
    readings, is_whole = read_tokens(words, ["The dog.", "", "  ", "A dog"], 100)
    assert [reading.tokens for reading in readings] == [["the", "dog", "."], ["a", "dog"]]
    assert [reading.ids.tolist() for reading in readings] == [[0, 3, 4, 5], [0, 2, 4]]
    assert [reading.line for reading in readings] == ["The dog.", "A dog"]
    assert is_whole


def test_each_sentence_of_a_line_is_read_from_its_start():
    readings, is_whole = read_tokens(words, ["The dog. The  dog.", "Dog"], 100)
    assert [reading.line for reading in readings] == ["The dog.", "The dog.", "Dog"]
    assert [reading.ids[0] for reading in readings] == [0, 0, 0] and is_whole


def test_lines_of_characters_are_one_stream_that_begins_after_a_line():
    (reading,), is_whole = read_tokens(characters, ["ab", "", "x b"], 100)
    assert "".join(reading.tokens) == "ab\n\nx b\n"
    assert reading.ids.tolist() == [1, 3, 4, 1, 1, 2, 5, 4, 1]
    assert is_whole and reading.line is None


@pytest.mark.parametrize(
    "lm, most, tokens, is_whole",
    [
        (words, 3, [["the", "dog", "."]], False),
        (words, 4, [["the", "dog", "."], ["a"]], False),
        (words, 5, [["the", "dog", "."], ["a", "dog"]], True),
        (characters, 8, [list("The dog.")], False),
        (characters, 9, [list("The dog.\n")], False),
        (characters, 15, [list("The dog.\nA dog\n")], True),
    ],
)
def test_what_is_beyond_the_limit_is_left_out(lm, most, tokens, is_whole):
    readings, whole = read_tokens(lm, ["The dog.", "A dog"], most)
    assert ([reading.tokens for reading in readings], whole) == (tokens, is_whole)
    assert all(reading.line is None or lm.tokenize(reading.line) == reading.tokens for reading in readings)


def test_no_more_lines_are_taken_than_needed():
    def lines():
        yield "the dog"
        yield "the dog"
        raise AssertionError("a line too many")

    assert not read_tokens(words, lines(), 3)[1]


@pytest.mark.parametrize("lm", [words, characters])
@pytest.mark.parametrize("lines", [[], [""], ["", ""]])
def test_a_text_without_tokens_gives_nothing(lm, lines):
    assert read_tokens(lm, lines, 10) == ([], True)


def test_the_limit_is_at_least_one_token():
    with pytest.raises(ValueError, match="most_tokens: expected at least 1, got 0"):
        read_tokens(words, [], 0)


def test_every_listed_token_can_be_seen():
    assert listed(["a", " ", "\n", "é", "猫", "\x1b", "a b"]) == "a ' ' '\\n' é 猫 '\\x1b' a b"
