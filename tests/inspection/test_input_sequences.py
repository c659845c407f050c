"""Lines of text become the sequences that a language model reads."""

from collections.abc import Iterator

import pytest

from theano_rnn.inspection.input_sequences import read_input_sequences, visible_tokens
from theano_rnn.language_models.language_model import LanguageModel
from theano_rnn.networks.rnn import RNN
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import Vocabulary

SPECIAL = ["SENTENCE_START", "SENTENCE_END", "UNKNOWN_TOKEN"]


def language_model(level: str, words: list[str]) -> LanguageModel:
    vocabulary = Vocabulary([*SPECIAL, *words], newline_ends_sentence=level == "char")
    return LanguageModel(RNN(len(vocabulary), 3, seed=1), vocabulary, Tokenizer(level=level))


words = language_model("word", ["the", "dog", "."])
characters = language_model("char", ["a", "b", " "])


def test_each_line_of_words_starts_from_the_start_token() -> None:
    sequences, is_complete = read_input_sequences(words, ["The dog.", "", "  ", "A dog"], 100)
    assert [sequence.tokens for sequence in sequences] == [["the", "dog", "."], ["a", "dog"]]
    assert [sequence.ids.tolist() for sequence in sequences] == [[0, 3, 4, 5], [0, 2, 4]]
    assert [sequence.text for sequence in sequences] == ["The dog.", "A dog"]
    assert is_complete


def test_each_sentence_of_a_line_starts_from_the_start_token() -> None:
    sequences, is_complete = read_input_sequences(words, ["The dog. The  dog.", "Dog"], 100)
    assert [sequence.text for sequence in sequences] == ["The dog.", "The dog.", "Dog"]
    assert [sequence.ids[0] for sequence in sequences] == [0, 0, 0] and is_complete


def test_lines_of_characters_form_one_sequence_that_starts_with_a_line_end() -> None:
    (sequence,), is_complete = read_input_sequences(characters, ["ab", "", "x b"], 100)
    assert "".join(sequence.tokens) == "ab\n\nx b\n"
    assert sequence.ids.tolist() == [1, 3, 4, 1, 1, 2, 5, 4, 1]
    assert is_complete and sequence.text is None


@pytest.mark.parametrize(
    "lm, max_tokens, tokens, is_complete",
    [
        (words, 3, [["the", "dog", "."]], False),
        (words, 4, [["the", "dog", "."], ["a"]], False),
        (words, 5, [["the", "dog", "."], ["a", "dog"]], True),
        (characters, 8, [list("The dog.")], False),
        (characters, 9, [list("The dog.\n")], False),
        (characters, 15, [list("The dog.\nA dog\n")], True),
    ],
)
def test_tokens_beyond_the_limit_are_left_out(
    lm: LanguageModel, max_tokens: int, tokens: list[list[str]], is_complete: bool
) -> None:
    sequences, complete = read_input_sequences(lm, ["The dog.", "A dog"], max_tokens)
    assert ([sequence.tokens for sequence in sequences], complete) == (tokens, is_complete)
    assert all(sequence.text is None or lm.tokenize(sequence.text) == sequence.tokens for sequence in sequences)


def test_no_more_lines_are_consumed_than_needed() -> None:
    def lines() -> Iterator[str]:
        yield "the dog"
        yield "the dog"
        raise AssertionError("one line too many")

    assert not read_input_sequences(words, lines(), 3)[1]


@pytest.mark.parametrize("lm", [words, characters])
@pytest.mark.parametrize("lines", [[], [""], ["", ""]])
def test_a_text_without_tokens_has_no_sequences(lm: LanguageModel, lines: list[str]) -> None:
    assert read_input_sequences(lm, lines, 10) == ([], True)


def test_the_limit_is_at_least_one_token() -> None:
    with pytest.raises(ValueError, match="max_tokens: expected at least 1, got 0"):
        read_input_sequences(words, [], 0)


def test_whitespace_and_control_characters_are_visible() -> None:
    assert visible_tokens(["a", " ", "\n", "é", "猫", "\x1b", "a b"]) == "a ' ' '\\n' é 猫 '\\x1b' a b"
