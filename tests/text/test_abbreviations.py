"""Abbreviations: the entries of the table, and the conditions for finding more of them in a text."""

import random

import pytest

from theano_rnn.text import abbreviations as table
from theano_rnn.text.abbreviations import find_abbreviations, is_dotted

TABLES = {name: value for name, value in vars(table).items() if isinstance(value, frozenset) and name.isupper()}


@pytest.mark.parametrize("name", TABLES)
def test_entries_are_lower_case_and_without_the_final_full_stop(name):
    assert TABLES[name]
    for word in TABLES[name]:
        assert word == word.lower() == word.strip(" .,")


@pytest.mark.parametrize(
    "word",
    ["late", "fish", "kind", "it", "sat", "dog", "milk", "tea", "art", "ill", "miss", "sun", "chap", "op", "brig"],
)
def test_words_that_often_end_sentences_are_not_in_the_table(word):
    always = table.TITLES | table.CLOSABLE | table.LOWER_CASE_CLOSABLE | table.NUMBERED | table.LOWER_CASE_NUMBERED
    assert word not in always


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("U.S", True),
        ("Ph.D", True),
        ("e.g", True),
        ("U.S.A", True),
        ("late", False),
        ("3.14", False),
        ("the.end", False),
    ],
)
def test_a_dotted_word_has_full_stops_between_letters(word, expected):
    assert is_dotted(word) is expected


ENDS = "One. Two. Three. Four. Five. Six. Seven."


@pytest.mark.parametrize(
    ("contexts", "is_learned"),
    [
        (["xq. then", "xq. and"] * 3, True),  # followed by what cannot begin a sentence
        (["Xq. then", '"xq. and', "(xq.) then"] * 2, True),
        (["xq. 7", "xq., Then", "xq. then"] * 2, True),
        (["xq. then", "xq. and"], False),  # may be due to chance
        (["xq. Then", "xq. And"] * 3, False),  # followed by what begins a sentence
        ([*["xq. then", "xq. and"] * 3, "the xq then"], False),  # also without a full stop
        ([*["xq. then", "xq. and"] * 3, "(xq)"], False),
        (["xq. Ann", "xq. Bob", "xq. Cid", "xq. Dan", "xq. Eve"], False),  # as an ordinary word would be
    ],
)
def test_an_abbreviation_is_found_only_with_significant_evidence(contexts, is_learned):
    text = " ".join([*contexts, ENDS])
    assert find_abbreviations(text.split()) == (("xq",) if is_learned else ())


def test_no_ordinary_word_is_found_in_a_text_that_is_partly_in_lower_case():
    words = "thx pls btw tbh cv dj gps krk vlk dog cat sea".split()
    for seed in range(50):
        generator = random.Random(seed)
        sentences = [
            f"{generator.choice(['the', 'The'])} {generator.choice(words[9:])} sees {generator.choice(words)}."
            for _ in range(300)
        ]
        assert find_abbreviations(" ".join(sentences).split()) == ()


@pytest.mark.parametrize("word", ["late", "fish", "kind", "sky", "TV", "BBC", "hmm", "x", "bcdfghj", "日本", "b2b"])
def test_a_possible_ordinary_word_is_never_an_abbreviation(word):
    text = f"{word}. then {word}. 5 {word}., and " * 5 + ENDS * 20
    assert find_abbreviations(text.split()) == ()


def test_the_next_word_is_no_evidence_in_a_text_in_lower_case():
    assert find_abbreviations(("the cat saw the grr xq. the dog ran. it sat. " * 20).split()) == ()


def test_abbreviations_of_the_table_are_not_found_again():
    assert find_abbreviations(("Mr. Lee sp. nigra " * 6 + ENDS * 3).split()) == ("sp",)
