"""`advance`, which decoders call word by word, agrees with `score` of the whole sentence."""

import itertools
import re

import numpy as np
import pytest
from support.language_models import WORDS, make

from theano_rnn.engines.engine import precision
from theano_rnn.text.vocabulary import SENTENCE_END, SENTENCE_START, UNKNOWN_TOKEN


@pytest.fixture(scope="module")
def lm():
    return make(WORDS)


@pytest.fixture(scope="module")
def exact():
    with precision("float64"):
        return make(WORDS)


@pytest.fixture(scope="module")
def characters():
    with precision("float64"):
        return make(["a", "b", " "], level="char")


def advanced(lm, tokens, **how):
    state, total = lm.state(), 0.0
    for token in tokens:
        state, value = lm.advance(state, token, **how)
        total += value
    return state, total


@pytest.mark.parametrize("sentence", ["", "the dog", "The dog sees the cat. Nobody sees it!", "the dog sees " * 30])
def test_scores_from_advance_add_up_to_the_score_of_the_sentence(lm, exact, sentence):
    for model, tolerance in ((lm, 1e-5), (exact, 1e-10)):
        _, total = advanced(model, [*model.tokenize(sentence), SENTENCE_END])
        assert total == pytest.approx(model.score(sentence, split=False), rel=tolerance, abs=tolerance)


def test_scores_add_up_in_single_precision_for_a_sharp_distribution():
    lm = make([f"w{i}" for i in range(3000)])
    values = lm.rnn.get_values()
    lm.rnn.set_values({**values, "V": values["V"] * 60})
    generator = np.random.default_rng(3)
    for _ in range(20):
        tokens, state, total = [], lm.state(), 0.0
        for _ in range(15):  # words that are probable: one in a thousand
            best = np.argsort(-lm.next_log_probabilities(state), kind="stable")
            word = lm.vocabulary.index_to_word[next(i for i in best[generator.integers(0, 3) :] if i > 2)]
            tokens.append(word)
            state, value = lm.advance(state, word)
            total += value
        total += lm.advance(state, SENTENCE_END)[1]
        # BLAS and XLA sum products of one column and of several in other orders, which depend on the processor.
        assert total == pytest.approx(lm.score(" ".join(tokens)), rel=2e-6, abs=5e-6)


def test_an_argument_that_is_not_a_state_is_rejected(lm):
    with pytest.raises(TypeError, match="^state: expected a State from `state` or `advance`, got NoneType$"):
        lm.advance(None, "dog")


def test_scores_of_characters_add_up_to_the_score_of_the_line(characters):
    for sentence in ("ab ba", "xa", ""):
        for end in (SENTENCE_END, "\n"):
            _, total = advanced(characters, [*sentence, end])
            assert total == pytest.approx(characters.score(sentence), abs=1e-10)


def test_a_state_can_be_advanced_by_several_words_and_does_not_change(exact):
    beginning, before = advanced(exact, ["the"])
    for first, second in itertools.product(WORDS, WORDS):
        state, one = exact.advance(beginning, first)
        state, two = exact.advance(state, second)
        _, end = exact.advance(state, SENTENCE_END)
        scores = [value for _, value, _ in exact.word_scores([" ".join(["the", first, second])])[0]]
        if len(scores) == 4:  # a text such as "the . ." is split differently
            assert [before, one, two, end] == pytest.approx(scores, abs=1e-10)


def test_the_state_after_the_end_is_the_initial_state(exact):
    state, _ = advanced(exact, ["the", SENTENCE_END])
    _, total = advanced(exact, ["dog", "sees", SENTENCE_END])
    again = 0.0
    for token in ("dog", "sees", SENTENCE_END):
        state, value = exact.advance(state, token)
        again += value
    assert again == pytest.approx(total, abs=1e-12)


def test_unknown_words_and_capitals_are_treated_as_in_score(exact):
    scores = exact.word_scores("The cat")
    state, the = exact.advance(exact.state(), "The")
    _, cat = exact.advance(state, "cat")
    assert [the, cat] == pytest.approx([value for _, value, _ in scores[:2]], abs=1e-12)


def test_next_log_probabilities_sum_to_one_and_equal_the_forward_pass(exact):
    state, _ = advanced(exact, ["the", "dog"])
    values = exact.next_log_probabilities(state)
    ids = exact.encode("the dog")[:-1]
    np.testing.assert_allclose(np.exp(values), exact.rnn.forward_propagation(ids)[-1], atol=1e-12)
    assert np.exp(values).sum() == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("base", [2, 10, "e", 2.5])
def test_the_base_argument_means_the_same_in_all_methods(exact, base):
    unit = 1 if base == "e" else np.log(base)
    sentence = "the dog sees the cat."
    nats = exact.score(sentence)
    assert exact.score(sentence, base=base) == pytest.approx(nats / unit, rel=1e-12)
    assert exact.score([sentence], base=base) == pytest.approx([nats / unit], rel=1e-12)
    assert sum(value for _, value, _ in exact.word_scores(sentence, base=base)) == pytest.approx(nats / unit)
    assert advanced(exact, [*exact.tokenize(sentence), SENTENCE_END], base=base)[1] == pytest.approx(nats / unit)


@pytest.mark.parametrize(
    "base, error, message",
    [
        (1, ValueError, "logarithms to base 1 do not exist"),
        (0, ValueError, "base: expected a number above 0"),
        (-2, ValueError, "base: expected a number above 0"),
        ("10", TypeError, "base: expected a number, got '10'"),
        (float("nan"), ValueError, "base: expected a number"),
    ],
)
def test_an_invalid_base_is_rejected(exact, base, error, message):
    for call in (exact.score, exact.word_scores, lambda text, base: exact.advance(exact.state(), "the", base=base)):
        with pytest.raises(error, match=message):
            call("the", base=base)


@pytest.mark.parametrize(
    "word, error, message",
    [
        ("", ValueError, "word: expected one word or SENTENCE_END, got ''"),
        (3, TypeError, "word: expected a str, got int"),
        (None, TypeError, "word: expected a str, got NoneType"),
    ],
)
def test_an_argument_that_is_not_a_word_is_rejected(exact, word, error, message):
    with pytest.raises(error, match=message):
        exact.advance(exact.state(), word)


def test_several_characters_are_rejected_at_character_level(characters):
    with pytest.raises(ValueError, match="word: expected one character or SENTENCE_END, got 'ab'"):
        characters.advance(characters.state(), "ab")


@pytest.mark.parametrize("word", ["the dog", " the", "the ", "don't", "dog,", "<s>", SENTENCE_START])
def test_anything_but_exactly_one_token_is_rejected(exact, word):
    with pytest.raises(ValueError, match=f"^word: expected one word or SENTENCE_END, got {re.escape(repr(word))}"):
        exact.advance(exact.state(), word)


def test_special_tokens_are_accepted_under_the_names_that_decoders_use(exact, characters):
    for lm in (exact, characters):
        values = lm.next_log_probabilities(lm.state())
        for names, index in (((SENTENCE_END, "</s>"), 1), ((UNKNOWN_TOKEN, "<unk>"), 2)):
            assert [lm.advance(lm.state(), name)[1] for name in names] == [values[index]] * 2
        for name in (SENTENCE_START, "<s>"):
            with pytest.raises(ValueError, match=f"got '{name}'; `state` gives the beginning of a sentence"):
                lm.advance(lm.state(), name)
    state, _ = exact.advance(exact.state(), "</s>")
    assert (state.word, state.s_prev.any()) == (exact.start, False)


def test_a_word_of_tokenized_text_spelled_like_a_special_token_is_that_word():
    with precision("float64"):
        lm = make(["the", "</s>", "<s>", "<unk>"], tokenized=True)
    sentence = "the </s> <unk> <s> the"
    _, total = advanced(lm, [*sentence.split(), SENTENCE_END])
    assert total == pytest.approx(lm.score(sentence, split=False), abs=1e-10)


@pytest.mark.parametrize("how", [{}, {"lowercase": False}, {"tokenized": True}, {"level": "char"}])
def test_advance_accepts_every_token_of_any_text(how):
    pieces = (
        "the The dog sees don't 'tis cannot Dr. U.S. 3,000 -- - ... \"so\" (so) so. so! `` '' “so” o’clock é".split()
    )
    generator = np.random.default_rng(4)
    with precision("float64"):
        lm = make([*"the dog . n't `` '' dr.".split()] if how.get("level") is None else list("the dog."), **how)
    for _ in range(60):
        sentence = " ".join(generator.choice(pieces, generator.integers(1, 9)))
        _, total = advanced(lm, [*lm.tokenize(sentence), SENTENCE_END])
        assert total == pytest.approx(lm.score(sentence, split=False), abs=1e-9)


def test_special_tokens_and_unknown_words_are_not_in_the_vocabulary(exact):
    assert "dog" in exact.vocabulary
    for word in ("cat", "", UNKNOWN_TOKEN, SENTENCE_START, SENTENCE_END):
        assert word not in exact.vocabulary


def test_the_repr_of_a_state_shows_the_number_of_tokens(exact):
    state = exact.state()
    assert repr(state) == "State(at the beginning of a sentence, last token id 0, state_dim=5)"
    state, _ = exact.advance(state, "the")
    assert repr(state) == f"State(after 1 token, last token id {exact.vocabulary.word_to_index['the']}, state_dim=5)"
    state, _ = exact.advance(state, "dog")
    assert repr(state) == "State(after 2 tokens, last token id 4, state_dim=5)"
    state.tokens = None  # as in a pickle of version 0.1
    assert repr(state) == "State(after token id 4, state_dim=5)"
    assert repr(exact.advance(state, "dog")[0]) == "State(after token id 4, state_dim=5)"
    assert repr(exact.advance(state, "</s>")[0]) == repr(exact.state())
