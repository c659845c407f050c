"""The vocabulary: the tokens that it keeps, and conversions between tokens and ids."""

import json
import random
from collections import Counter

import numpy as np
import pytest

from theano_rnn.errors import CorpusError, OptionError
from theano_rnn.text.vocabulary import (
    SENTENCE_END,
    SENTENCE_START,
    UNKNOWN_TOKEN,
    Vocabulary,
    count_characters,
)

SPECIAL = [SENTENCE_START, SENTENCE_END, UNKNOWN_TOKEN]
COUNTS = {"the": 9, "b": 4, "a": 4, "é": 4, "Z": 4, "rare": 1}


def test_special_tokens_have_the_names_of_the_tutorial():
    assert SPECIAL == ["SENTENCE_START", "SENTENCE_END", "UNKNOWN_TOKEN"]


def test_the_most_frequent_tokens_are_kept_and_ties_are_sorted_by_code_point():
    assert Vocabulary.build(COUNTS, 7).index_to_word == [*SPECIAL, "the", "Z", "a", "b"]


def test_the_order_of_counting_does_not_matter():
    generator = random.Random(3)
    for _ in range(10):
        items = list(COUNTS.items())
        generator.shuffle(items)
        assert Vocabulary.build(dict(items), 6) == Vocabulary.build(Counter(COUNTS), 6)


@pytest.mark.parametrize(("size", "length"), [(4, 4), (np.int64(7), 7), (9, 9), (1000, 9)])
def test_the_size_includes_the_special_tokens_and_is_a_maximum(size, length):
    assert len(Vocabulary.build(COUNTS, size)) == length


@pytest.mark.parametrize("size", [3, 0, -1, 8000.0, True, "8000"])
def test_a_size_that_is_not_an_integer_of_at_least_four_is_rejected(size):
    with pytest.raises(OptionError, match=f"^vocabulary_size: expected an integer of at least 4 .*, got {size!r}$"):
        Vocabulary.build(COUNTS, size)


@pytest.mark.parametrize("counts", [{}, {"a": 0}, {SENTENCE_END: 5}])
def test_counts_without_tokens_are_rejected(counts):
    with pytest.raises(CorpusError, match="the training text has no tokens"):
        Vocabulary.build(counts, 10)


def test_newlines_are_not_tokens_if_they_end_sentences():
    with pytest.raises(CorpusError, match="the training text has no tokens"):
        Vocabulary.build({"\n": 3}, 10, newline_ends_sentence=True)


def test_index_to_word_and_word_to_index_are_inverse():
    vocabulary = Vocabulary.build(COUNTS, 100)
    assert [vocabulary.word_to_index[word] for word in vocabulary.index_to_word] == list(range(len(vocabulary)))
    assert [vocabulary.start, vocabulary.end, vocabulary.unknown] == [vocabulary.word_to_index[s] for s in SPECIAL]


def test_decoding_undoes_encoding_except_for_unknown_tokens():
    vocabulary = Vocabulary.build(COUNTS, 6)
    ids = vocabulary.encode(["the", "rare", "a", "never"])
    assert ids.dtype == np.int32
    assert ids.tolist() == [3, 2, 5, 2]
    assert vocabulary.decode(ids) == ["the", UNKNOWN_TOKEN, "a", UNKNOWN_TOKEN]
    assert vocabulary.decode(iter([3, np.int32(5)])) == ["the", "a"]
    assert vocabulary.encode(token for token in ["a"]).tolist() == [5]


def test_an_empty_list_of_tokens_has_no_ids():
    vocabulary = Vocabulary.build(COUNTS, 6)
    for ids in (vocabulary.encode([]), vocabulary.encode_text("")):
        assert ids.shape == (0,)
        assert ids.dtype == np.int32
        assert vocabulary.decode(ids) == []


def test_a_word_spelled_like_a_special_token_is_unknown():
    vocabulary = Vocabulary.build({"a": 1, **dict.fromkeys(SPECIAL, 99)}, 100)
    assert vocabulary.index_to_word == [*SPECIAL, "a"]
    assert vocabulary.encode([*SPECIAL, "a"]).tolist() == [2, 2, 2, 3]
    assert [token in vocabulary for token in [*SPECIAL, "a", "b"]] == [False, False, False, True, False]


def test_a_string_is_not_accepted_as_tokens():
    with pytest.raises(TypeError, match="tokens: expected an iterable of str, got a str"):
        Vocabulary.build(COUNTS, 6).encode("the a")


@pytest.mark.parametrize("newline_ends_sentence", [False, True])
def test_a_newline_is_an_entry_or_the_end_of_the_sentence(newline_ends_sentence):
    vocabulary = Vocabulary.build(Counter("a\nb\n"), 100, newline_ends_sentence)
    assert vocabulary.newline_ends_sentence is newline_ends_sentence
    newline = vocabulary.end if newline_ends_sentence else vocabulary.word_to_index["\n"]
    assert ("\n" in vocabulary.index_to_word) is not newline_ends_sentence
    assert "\n" in vocabulary
    assert vocabulary.encode(["a", "\n"])[1] == newline
    assert vocabulary.encode_text("a\n")[1] == newline


def test_the_sentence_end_is_decoded_as_itself_or_as_a_newline():
    vocabulary = Vocabulary.build({"a": 1}, 100, newline_ends_sentence=True)
    assert vocabulary.decode([3, 1, 0]) == ["a", SENTENCE_END, SENTENCE_START]
    assert vocabulary.decode([3, 1, 0], end_as_newline=True) == ["a", "\n", SENTENCE_START]
    assert vocabulary.index_to_word[1] == SENTENCE_END


@pytest.mark.parametrize("newline_ends_sentence", [False, True])
@pytest.mark.parametrize(
    "known",
    ["abc\n", "é😀\ud800\0", "\U0010ffff", ["word", "x"], ["word"]],
    ids=["ascii", "odd", "last", "mixed", "none"],
)
def test_encode_text_agrees_with_encode(known, newline_ends_sentence):
    vocabulary = Vocabulary.build(Counter(known), 100, newline_ends_sentence)
    text = "abcx\n é😀😁\ud800\udfff\0\U0010ffff\n"
    ids = vocabulary.encode_text(text)
    assert ids.dtype == np.int32
    assert ids.tolist() == vocabulary.encode(list(text)).tolist()


@pytest.mark.parametrize("bad", [-1, 9, 2**70])
@pytest.mark.parametrize("container", [list, tuple])
def test_the_error_names_an_id_out_of_range(bad, container):
    with pytest.raises(ValueError, match=f"ids: expected ids from 0 to 8, got {bad}"):
        Vocabulary.build(COUNTS, 9).decode(container([0, 3, bad]))


def test_an_id_that_is_not_an_integer_is_a_type_error():
    with pytest.raises(TypeError, match="cannot be interpreted as an integer"):
        Vocabulary.build(COUNTS, 9).decode(np.array([1.0]))


@pytest.mark.parametrize("texts", [[], [""], ["abca\n", "b"], ["é😀\ud800\0", "\U0010ffff😀"]])
def test_every_character_is_counted(texts):
    counts = count_characters(iter(texts))
    assert counts == Counter("".join(texts))
    assert {type(count) for count in counts.values()} <= {int}


@pytest.mark.parametrize("newline_ends_sentence", [False, True])
def test_the_configuration_survives_json(newline_ends_sentence):
    vocabulary = Vocabulary.build({"a": 2, "é\ud800\0": 1}, 100, newline_ends_sentence)
    loaded = Vocabulary.from_configuration(json.loads(json.dumps(vocabulary.to_configuration())))
    assert loaded == vocabulary
    assert loaded.newline_ends_sentence is newline_ends_sentence
    assert loaded.encode(["a", "\n"]).tolist() == vocabulary.encode(["a", "\n"]).tolist()


def test_vocabularies_are_equal_if_words_and_flag_are():
    first = Vocabulary([*SPECIAL, "a"])
    assert first != Vocabulary([*SPECIAL, "b"])
    assert first != Vocabulary([*SPECIAL, "a"], newline_ends_sentence=True)
    assert first != [*SPECIAL, "a"]
    assert repr(first) == "Vocabulary(4 tokens, word level)"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"words": [*SPECIAL, 7]}, "entry 3 of the vocabulary: expected a str, got 7"),
        ({"words": [*SPECIAL, "a", "a"]}, "'a' is in the vocabulary more than once"),
        ({"words": [*SPECIAL, SENTENCE_END]}, "'SENTENCE_END' is in the vocabulary more than once"),
        ({"words": ["a", *SPECIAL]}, r"the vocabulary begins with \['a', .*; expected \['SENTENCE_START'"),
        ({"words": []}, r"the vocabulary begins with \[\]"),
        ({"words": "abc"}, "words of the vocabulary: expected a list, got str"),
        ({"newline_ends_sentence": 1}, "newline_ends_sentence: expected True or False, got 1"),
        ({"words": [*SPECIAL, "\n"], "newline_ends_sentence": True}, "a newline is an entry of the vocabulary"),
        ({"size": 8}, "unknown or missing key of the vocabulary: size"),
    ],
)
def test_an_invalid_configuration_is_rejected(changes, message):
    configuration = Vocabulary.build({"a": 1}, 100).to_configuration() | changes
    with pytest.raises(ValueError, match=message):
        Vocabulary.from_configuration(configuration)


def test_a_configuration_without_a_key_is_rejected():
    with pytest.raises(ValueError, match="unknown or missing key of the vocabulary: newline_ends_sentence"):
        Vocabulary.from_configuration({"words": SPECIAL})


def test_a_configuration_that_is_not_a_dict_is_rejected():
    with pytest.raises(ValueError, match="expected the vocabulary as a dict, got list"):
        Vocabulary.from_configuration(SPECIAL)


def test_min_count_applies_before_the_size():
    counts = {"a": 5, "b": 3, "c": 3, "d": 2, "SENTENCE_END": 9}
    assert Vocabulary.build(counts, 100, min_count=3).index_to_word[3:] == ["a", "b", "c"]
    assert Vocabulary.build(counts, 5, min_count=3).index_to_word[3:] == ["a", "b"]
    assert Vocabulary.build(counts, 5, min_count=5).index_to_word[3:] == ["a"]


def test_min_count_above_every_frequency_is_rejected():
    with pytest.raises(
        CorpusError, match="`min_count` is 6, but no token of the training text occurs more than 5 times;"
    ):
        Vocabulary.build({"a": 5, "b": 3}, 100, min_count=6)


def test_find_agrees_with_encode():
    vocabulary = Vocabulary.build({"a": 5, "b": 3}, 100)
    for token in ("a", "b", "c", "SENTENCE_END"):
        assert vocabulary.find(token) == vocabulary.encode([token])[0]
