"""Generated texts: their distribution, lengths and prompts."""

import collections

import numpy as np
import pytest

from theano_rnn.language_models.language_model import LanguageModel
from theano_rnn.networks.rnn import RNN
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import SENTENCE_END, SENTENCE_START, UNKNOWN_TOKEN, Vocabulary

SPECIAL = [SENTENCE_START, SENTENCE_END, UNKNOWN_TOKEN]
FORBIDDEN = (SENTENCE_START, UNKNOWN_TOKEN)


def make(words, level="word"):
    vocabulary = Vocabulary([*SPECIAL, *words], newline_ends_sentence=level == "char")
    rnn = RNN(len(vocabulary), 6, seed=8)
    rnn.set_values({name: 2.5 * value for name, value in rnn.get_values().items()})
    return LanguageModel(rnn, vocabulary, Tokenizer(level=level))


@pytest.fixture(scope="module")
def lm():
    """Words only, so that the tokens of a text are text.split()."""
    return make(["the", "dog", "cat", "sees", "likes", "often"])


@pytest.fixture(scope="module")
def marks():
    """Half of the vocabulary is punctuation that attaches to a word."""
    return make(["the", "dog", "sees", "(", ")", ".", ",", "n't"])


@pytest.fixture(scope="module")
def characters():
    return make(["a", "b", " "], level="char")


def first_words(lm, temperature=1.0, without=FORBIDDEN):
    """Probabilities of the first words, renormalized without those that are never drawn."""
    weights = {word: p ** (1 / temperature) for word, p in lm.next_words("", k=100) if word not in without}
    return {word: weight / sum(weights.values()) for word, weight in weights.items()}


def assert_frequencies(counts, probabilities):
    n = sum(counts.values())
    assert counts.keys() <= probabilities.keys()
    for word, p in probabilities.items():
        assert abs(counts[word] / n - p) < 4 * np.sqrt(p * (1 - p) / n) + 1e-9, word


def test_the_same_seed_gives_the_same_texts(lm):
    assert lm.generate(64, seed=5) == lm.generate(64, seed=5)
    assert lm.generate(64, seed=5) != lm.generate(64, seed=6)
    assert lm.generate(64) != lm.generate(64)


@pytest.mark.parametrize("n", [0, 1, 70])
def test_the_requested_number_of_texts_is_drawn_and_they_differ(lm, n):
    texts = lm.generate(n, seed=1)
    assert len(texts) == n and all(isinstance(text, str) for text in texts)
    assert n < 2 or len(set(texts)) > n / 2


def test_special_tokens_are_never_drawn(lm):
    allowed = set(lm.vocabulary.index_to_word) - set(SPECIAL)
    drawn = {word for text in lm.generate(640, seed=2) for word in text.split()}
    assert drawn == allowed


def test_first_words_have_the_frequencies_of_the_network(lm):
    """With min_words 0 a text can be empty, if SENTENCE_END is drawn first."""
    counts = collections.Counter(text or SENTENCE_END for text in lm.generate(2000, min_words=0, max_words=1, seed=3))
    assert_frequencies(counts, first_words(lm))


def test_first_words_have_the_frequencies_of_the_network_if_the_text_may_not_end(lm):
    counts = collections.Counter(lm.generate(2000, min_words=1, max_words=1, seed=4))
    assert_frequencies(counts, first_words(lm, without=SPECIAL))


def test_words_after_a_prompt_have_the_frequencies_of_the_network(lm):
    """The state after the prompt is therefore that of forward propagation."""
    texts = lm.generate(2000, prompt="the dog", min_words=3, max_words=3, seed=5)
    weights = {word: p for word, p in lm.next_words("the dog", k=100) if word not in SPECIAL}
    expected = {word: p / sum(weights.values()) for word, p in weights.items()}
    assert_frequencies(collections.Counter(text.split()[2] for text in texts), expected)


def test_temperature_sharpens_and_flattens_the_distribution(lm):
    for temperature in (0.5, 2.0):
        counts = collections.Counter(lm.generate(2000, temperature, min_words=1, max_words=1, seed=6))
        assert_frequencies(counts, first_words(lm, temperature, without=SPECIAL))
    probabilities = first_words(lm, without=SPECIAL)
    likeliest = max(probabilities, key=probabilities.get)
    assert probabilities[likeliest] < 0.9
    assert set(lm.generate(64, 0.01, min_words=1, max_words=1, seed=7)) == {likeliest}


def greedy(lm, prompt, min_words, max_words):
    """The most probable word at each step, with everything recomputed for each word."""
    ids = lm.encode(prompt)[:-1].tolist()
    words = prompt.split()
    while len(words) < max_words:
        o = lm.rnn.forward_propagation(ids)[-1].copy()
        o[[lm.vocabulary.start, lm.vocabulary.unknown]] = -1
        if len(words) < min_words:
            o[lm.vocabulary.end] = -1
        ids.append(int(o.argmax()))
        if ids[-1] == lm.vocabulary.end:
            break
        words.append(lm.vocabulary.index_to_word[ids[-1]])
    return " ".join(words)


@pytest.mark.parametrize("prompt", ["", "the dog", "cat zebra likes"])
def test_top_k_1_is_greedy_decoding(lm, prompt):
    for min_words, max_words in ((1, 9), (9, 9)):
        (text,) = lm.generate(1, top_k=1, prompt=prompt, min_words=min_words, max_words=max_words, seed=0)
        assert text == greedy(lm, prompt, min_words, max_words)


def test_a_long_text_carries_the_state_from_call_to_call(lm):
    """The text is longer than the steps of one call."""
    (text,) = lm.generate(1, top_k=1, min_words=70, max_words=70, seed=0)
    words = text.split()
    assert len(words) == 70
    ids = [lm.vocabulary.start, *lm.vocabulary.encode(words)]
    o = lm.rnn.forward_propagation(ids)[:-1].copy()
    o[:, :3] = -1
    np.testing.assert_array_equal(o.argmax(axis=1), ids[1:])


def test_top_k_keeps_the_most_probable_words_in_proportion(lm):
    probabilities = first_words(lm, without=SPECIAL)
    likeliest = sorted(probabilities, key=probabilities.get, reverse=True)[:2]
    expected = {word: probabilities[word] / sum(probabilities[w] for w in likeliest) for word in likeliest}
    counts = collections.Counter(lm.generate(1000, top_k=2, min_words=1, max_words=1, seed=8))
    assert_frequencies(counts, expected)


def test_top_k_larger_than_the_vocabulary_has_no_effect(lm):
    counts = collections.Counter(lm.generate(1000, top_k=10**6, min_words=1, max_words=1, seed=9))
    assert_frequencies(counts, first_words(lm, without=SPECIAL))


def test_top_p_keeps_the_fewest_words_that_reach_the_probability(lm):
    probabilities = first_words(lm, without=SPECIAL)
    ordered = sorted(probabilities, key=probabilities.get, reverse=True)
    reached = np.cumsum([probabilities[word] for word in ordered])
    top_p = float((reached[1] + reached[2]) / 2)  # three words are needed
    expected = {word: probabilities[word] / reached[2] for word in ordered[:3]}
    counts = collections.Counter(lm.generate(1000, top_p=top_p, min_words=1, max_words=1, seed=10))
    assert_frequencies(counts, expected)
    assert set(lm.generate(64, top_p=1e-6, min_words=1, max_words=1, seed=11)) == {ordered[0]}
    assert len(set(lm.generate(640, top_p=1.0, min_words=1, max_words=1, seed=11))) == len(ordered)


@pytest.mark.parametrize(
    "prompt",
    ["the", "The dog", "zebra", "the  Quagga (sees", 'he said: "the dog', "the dog sees.", "don't", "SENTENCE_END"],
)
def test_every_text_begins_with_the_unchanged_prompt(marks, prompt):
    texts = marks.generate(64, prompt=prompt, max_words=12, seed=1)
    assert all(text.startswith(prompt) for text in texts)
    assert any(len(text.split()) > len(prompt.split()) for text in texts)


@pytest.mark.parametrize("min_words, max_words", [(1, 1), (3, 3), (0, 4), (5, 8), (1, 100)])
def test_lengths_in_words_are_within_the_limits(marks, min_words, max_words):
    lengths = {len(text.split()) for text in marks.generate(64, min_words=min_words, max_words=max_words, seed=2)}
    # A text of punctuation alone has no word, but text.split() gives one piece.
    assert min_words <= min(lengths) and max(lengths) <= max(max_words, 1)
    assert len(lengths) > 1 or min_words == max_words


@pytest.mark.parametrize("prompt", ["the dog", "The (dog, sees"])
def test_the_prompt_counts_towards_the_length(marks, prompt):
    words = len(prompt.split())
    for text in marks.generate(64, prompt=prompt, min_words=5, max_words=5, seed=3):
        assert len(text.split()) == 5
    for text in marks.generate(64, prompt=prompt, max_words=words, seed=3):
        assert len(text.split()) == words


def test_at_character_level_lengths_count_characters(characters):
    for min_words, max_words in ((7, 7), (2, 5)):
        lengths = {len(text) for text in characters.generate(64, min_words=min_words, max_words=max_words, seed=1)}
        assert lengths == set(range(min_words, max_words + 1))


def test_at_character_level_texts_have_no_newline_and_no_unknown_character(characters):
    assert set("".join(characters.generate(64, seed=2))) == {"a", "b", " "}


@pytest.mark.parametrize("prompt", ["a b", "B a ", "a\nb", " "])
def test_at_character_level_every_text_begins_with_the_prompt_and_its_whitespace(characters, prompt):
    texts = characters.generate(64, prompt=prompt, min_words=len(prompt) + 1, max_words=9, seed=3)
    assert all(text.startswith(prompt) and len(prompt) < len(text) <= 9 for text in texts)


def test_first_characters_have_the_frequencies_of_the_network(characters):
    counts = collections.Counter(characters.generate(2000, min_words=1, max_words=1, seed=4))
    assert_frequencies(counts, first_words(characters, without=SPECIAL))


@pytest.mark.parametrize(
    "demand, error, message",
    [
        ({"n": -1}, ValueError, "n: expected at least 0, got -1"),
        ({"n": 1.5}, TypeError, "n: expected an integer"),
        ({"temperature": 0}, ValueError, "temperature: expected a number above 0, got 0; `top_k=1`"),
        ({"temperature": -1}, ValueError, "temperature: "),
        ({"temperature": "1"}, TypeError, "temperature: expected a number, got '1'"),
        ({"temperature": None}, TypeError, "temperature: expected a number, got None"),
        ({"top_p": "x"}, TypeError, "top_p: expected a number, got 'x'"),
        ({"temperature": 1e-31}, ValueError, "temperature: expected a number from 1e-30 to 1e\\+30, got 1e-31"),
        ({"max_words": 2**40}, ValueError, "max_words: expected at most 1000000000, got "),
        ({"temperature": float("nan")}, ValueError, "temperature: "),
        ({"temperature": float("inf")}, ValueError, "temperature: "),
        ({"top_k": 0}, ValueError, "top_k: expected at least 1, got 0"),
        ({"top_k": 2.5}, TypeError, "top_k: expected an integer"),
        ({"top_p": 0}, ValueError, "top_p: expected a number above 0 and at most 1, got 0"),
        ({"top_p": 1.1}, ValueError, "top_p: "),
        ({"top_p": float("nan")}, ValueError, "top_p: "),
        ({"min_words": -1}, ValueError, "min_words: expected at least 0"),
        ({"max_words": 0}, ValueError, "max_words: expected at least 1"),
        ({"min_words": 5, "max_words": 4}, ValueError, r"min_words: expected at most `max_words` \(4\), got 5"),
        ({"prompt": "the dog", "max_words": 1}, ValueError, r"prompt: expected at most `max_words` \(1\) words, got 2"),
        ({"prompt": None}, TypeError, "(prompt|sentence): expected a str, got NoneType"),
        ({"prompt": ["the"]}, TypeError, "(prompt|sentence): expected a str, got list"),
        ({"seed": -1}, ValueError, "seed: "),
    ],
)
def test_an_argument_out_of_range_is_rejected_by_name(lm, demand, error, message):
    with pytest.raises(error, match=f"^{message}"):
        lm.generate(**{"n": 1, **demand})
