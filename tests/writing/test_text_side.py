"""One side of a translation: texts become ids and ids texts, with words and with subwords."""

import json

import numpy as np
import pytest

from theano_rnn.errors import ArgumentValueError
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.writing.text_side import TextSide

TEXTS = ["The old dog isn't here.", "A dog, a cat!", "The cat - it is here?"]
FORMS = {
    "words": (Tokenizer(lines=True), None),
    "words with capitals": (Tokenizer(lowercase=False, lines=True), None),
    "tokenized": (Tokenizer(tokenized=True), None),
    "subwords": (Tokenizer(lines=True), 60),
    "subwords with capitals": (Tokenizer(lowercase=False, lines=True), 60),
}


@pytest.fixture(scope="module", params=FORMS)
def side(request):
    tokenizer, subwords = FORMS[request.param]
    if subwords is not None:
        pytest.importorskip("tokenizers")
    return TextSide.of(TEXTS, tokenizer, 100, 1, subwords)


def test_a_text_that_becomes_ids_becomes_the_same_text(side):
    keeps_case = side.tokenizer.tokenized or not side.tokenizer.lowercase
    for text in TEXTS:
        ids = side.encode(text)
        assert side.vocabulary.unknown not in ids
        assert side.text(side.vocabulary.decode(ids)) == (text if keeps_case else text.lower())


def test_sources_end_with_a_marker_and_targets_have_one_at_both_ends(side):
    ids, vocabulary = side.encode(TEXTS[0]), side.vocabulary
    assert side.source_ids(TEXTS[0]).tolist() == [*ids, vocabulary.end]
    assert side.target_ids(TEXTS[0]).tolist() == [vocabulary.start, *ids, vocabulary.end]
    assert side.source_ids("").tolist() == [vocabulary.end] and side.source_ids("").dtype == np.int32


def test_what_never_occurred_is_unknown_and_keeps_its_text_as_a_token(side):
    text = "the dog ☃ here"
    tokens = side.tokens(text)
    assert "☃" in tokens and side.text(tokens) == text
    ids = side.encode(text)
    assert (ids == side.vocabulary.unknown).sum() >= 1 and ids[tokens.index("☃")] == side.vocabulary.unknown


def test_a_word_spelled_like_a_marker_is_no_marker(side):
    ids = side.encode("SENTENCE_END dog SENTENCE_START")
    assert not {side.vocabulary.start, side.vocabulary.end} & set(ids.tolist())


def test_the_configuration_describes_the_same_side(side):
    configuration = json.loads(json.dumps(side.to_configuration()))
    other = TextSide.from_configuration(configuration)
    assert other.to_configuration() == side.to_configuration()
    assert other.vocabulary.index_to_word == side.vocabulary.index_to_word
    for text in (*TEXTS, "a ☃ zebra"):
        assert other.tokens(text) == side.tokens(text)


def test_words_that_occur_too_seldom_or_beyond_the_size_are_unknown():
    tokenizer = Tokenizer(lines=True)
    assert TextSide.of(["a a b", "a b c"], tokenizer, 100, 2).vocabulary.index_to_word[3:] == ["a", "b"]
    assert TextSide.of(["a a b", "a b c"], tokenizer, 4, 1).vocabulary.index_to_word[3:] == ["a"]


def test_log_frequencies_are_those_of_the_tokens_and_the_end():
    side = TextSide.of(["a b", "a c"], Tokenizer(lines=True), 5, 1)  # c is unknown
    found = np.exp(side.log_frequencies([side.target_ids(text) for text in ("a b", "a c")]))
    np.testing.assert_allclose(found * 6.5, [0.5, 2, 1, 2, 1])


@pytest.mark.parametrize(
    "change, error",
    [
        (lambda c: c.pop("vocabulary"), KeyError),
        (lambda c: c.pop("subwords"), KeyError),
        (lambda c: c.update(vocabulary=5), (TypeError, ValueError, KeyError)),
        (lambda c: c.update(tokenizer={"level": "syllable"}), (TypeError, ValueError)),
    ],
)
def test_wrong_configurations_are_rejected(change, error):
    configuration = TextSide.of(["a b"], Tokenizer(lines=True), 10, 1).to_configuration()
    change(configuration)
    with pytest.raises(error):
        TextSide.from_configuration(configuration)
    with pytest.raises(ArgumentValueError, match="expected a vocabulary as a dict, got list"):
        TextSide.from_configuration([configuration])
