"""The warning about unknown words: when it is given, and the reason it names."""

import logging

import numpy as np
import pytest

from theano_rnn.commands.option_names import flag
from theano_rnn.language_models.unknown_words import UnknownWords, unknown_words_warning
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import SENTENCE_END, Vocabulary

SPECIAL = ["SENTENCE_START", "SENTENCE_END", "UNKNOWN_TOKEN"]
VOCABULARY = Vocabulary([*SPECIAL, "the", "dog", "cat", "sees", "sleeps", ".", "London"])
TOKENIZED, WORDS, CASED = Tokenizer(tokenized=True), Tokenizer(), Tokenizer(lowercase=False)
CHARACTERS = Tokenizer(level="char")


def warning(tokenizer, *lines, vocabulary=VOCABULARY):
    return unknown_words_warning(vocabulary, tokenizer, map(tokenizer.tokenize, lines))


def test_known_words_give_no_warning():
    assert warning(TOKENIZED, "the dog sees the cat .", "zebra dog .", "") is None
    assert warning(TOKENIZED) is None
    assert warning(TOKENIZED, "", "") is None


def test_half_unknown_words_give_no_warning_and_ends_do_not_count():
    assert warning(TOKENIZED, "the zebra") is None
    assert warning(TOKENIZED, "the zebra quagga", "").startswith("2 of 3 words (67%) are unknown to the model; ")


@pytest.mark.parametrize(
    "tokenizer, line, reason",
    [
        (
            TOKENIZED,
            "dog, cat; 'sees' dog.",
            "punctuation is attached to words here ('dog,', 'cat;', \"'sees'\"): tokenize",
        ),
        (TOKENIZED, "THE DOG SEES THE CAT", "in another case ('THE', 'DOG', 'SEES'): write them as the training text"),
        (TOKENIZED, "london Dog", "in another case ('london', 'Dog')"),
        (CASED, "THE DOG SEES THE CAT.", "in another case ('THE', 'DOG', 'SEES'): write them as the training text"),
        (TOKENIZED, "le chien dort .", "in another language or on another subject"),
        (WORDS, "le chien dort.", "in another language or on another subject"),
    ],
)
def test_the_likely_reason_is_named(tokenizer, line, reason):
    assert reason in warning(tokenizer, line)


def test_another_script_is_the_likely_reason_at_character_level():
    vocabulary = Vocabulary([*SPECIAL, *"abc "], newline_ends_sentence=True)
    assert warning(CHARACTERS, "日本語", vocabulary=vocabulary) == (
        "3 of 3 characters (100%) are unknown to the model; the text has other characters than the training text; "
        "score a text in the same script"
    )


def test_attached_full_stops_are_reported_even_if_most_words_are_known():
    """Sentences that differ only in their last word would all have the same score."""
    lines = ["the dog sees the cat.", "the cat sees the dog."]
    assert warning(TOKENIZED, *lines).startswith(
        "2 of 10 words (20%) are unknown to the model; the model was trained on"
    )
    assert warning(TOKENIZED, *lines, "the dog sleeps .", "the dog sleeps .") is None
    assert warning(WORDS, *lines) is None


def test_the_known_column_decides_which_words_are_unknown():
    unknown_words = UnknownWords(VOCABULARY, TOKENIZED)
    for _ in range(10_000):
        unknown_words.add_sentence("", ["dog", "x", SENTENCE_END], np.zeros(3), np.array([False, False, True]))
    assert unknown_words.warning().startswith("20,000 of 20,000 words")


def test_a_language_model_logs_the_warning_once_per_call(caplog):
    from support.language_models import make

    lm = make(["the", "dog", "."], tokenized=True)
    with caplog.at_level(logging.WARNING, "theano_rnn"):
        lm.score(["the dog ."] * 50 + ["a dog."] * 20)
        lm.score("a b c d")
        assert not caplog.records
        lm.score(["the dog."] * 20 + ["see dog."] * 40)
    (record,) = caplog.records
    assert "100 of 120 words (83%)" in record.getMessage() and "attached to words here ('dog.')" in record.getMessage()


def test_many_unknown_words_in_training_are_named_as_the_reason():
    unknown_words = UnknownWords(VOCABULARY, TOKENIZED, unknown_in_training=0.85)
    unknown_words.add_sentence("", ["dog.", "x", SENTENCE_END], np.zeros(3), np.array([False, False, True]))
    assert "so were 85% in its training text: train it with a larger vocabulary_size" in unknown_words.warning()


def test_options_have_the_names_that_the_user_knows():
    arguments = VOCABULARY, TOKENIZED
    many_in_training, attached = ("x", 0.85), ("dog.", 0.0)
    for (token, share), python, shell in [
        (
            many_in_training,
            "larger vocabulary_size, or a smaller min_count",
            "larger --vocabulary-size, or a smaller --min",
        ),
        (attached, "tokenized text (tokenized), and", "tokenized text (--tokenized), and"),
    ]:
        for counter, expected in [
            (UnknownWords(*arguments, share), python),
            (UnknownWords(*arguments, share, flag), shell),
        ]:
            counter.add_sentence("", [token, SENTENCE_END], np.zeros(2), np.array([False, True]))
            assert expected in counter.warning()
