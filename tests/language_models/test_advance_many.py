"""`advance_many`, which advances many states in one step, agrees with `advance` and with a loop in NumPy."""

import re
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from support import numpy_networks
from support.language_models import SPECIAL, WORDS, make

from theano_rnn.engines.engine import compiled_shapes, precision
from theano_rnn.language_models import batched_steps
from theano_rnn.language_models.language_model import LanguageModel
from theano_rnn.networks import network_graphs
from theano_rnn.networks.rnn import RNN
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import SENTENCE_END, Vocabulary

NETWORKS = {
    "simple": {},
    "gru with embeddings": {"cell": "gru", "bias": True, "embedding_dim": 4},
    "stacked, tied lstm": {"cell": "lstm", "layers": 2, "tied": True, "bias": True},
}


def with_network(dtype="float64", **settings):
    vocabulary = Vocabulary([*SPECIAL, *WORDS])
    rnn = RNN(len(vocabulary), 5, seed=3, dtype=dtype, **settings)
    generator = np.random.default_rng(0)
    rnn.set_values({name: value + generator.normal(size=value.shape) for name, value in rnn.get_values().items()})
    return LanguageModel(rnn, vocabulary, Tokenizer())


@pytest.fixture(scope="module")
def lm():
    return make(WORDS)


@pytest.fixture(scope="module")
def exact():
    with precision("float64"):
        return make(WORDS)


def random_sentences(number, seed=0):
    generator = np.random.default_rng(seed)
    words = [*WORDS, "zebra", "The"]
    return [list(generator.choice(words, generator.integers(1, 9))) for _ in range(number)]


def advanced_together(lm, sentences):
    """ln P of each token of each sentence and its end; sentences leave the batch when they end."""
    states, found = [lm.state() for _ in sentences], [[] for _ in sentences]
    for step in range(max(map(len, sentences)) + 1):
        going = [i for i, words in enumerate(sentences) if step <= len(words)]
        words = [sentences[i][step] if step < len(sentences[i]) else SENTENCE_END for i in going]
        following, values = lm.advance_many([states[i] for i in going], words)
        for i, state, value in zip(going, following, values, strict=True):
            states[i] = state
            found[i].append(value)
    return states, found


@pytest.mark.parametrize("name", NETWORKS)
def test_the_values_equal_a_loop_in_numpy(name):
    lm = with_network(**NETWORKS[name])
    sentences = random_sentences(7)
    _, found = advanced_together(lm, sentences)
    parameters = lm.rnn.get_values()
    for words, values in zip(sentences, found, strict=True):
        ids = [lm.start, *(lm.vocabulary.find(word.lower()) for word in words)]
        state = np.zeros(lm.rnn.architecture.state_dim)
        o, _ = numpy_networks.forward(parameters, lm.rnn.cell, lm.rnn.layers, ids, state)
        following = [*ids[1:], lm.vocabulary.end]
        np.testing.assert_allclose(values, np.log(o[np.arange(len(ids)), following]), rtol=0, atol=1e-10)


def test_the_values_and_states_equal_those_of_advance(lm):
    generator = np.random.default_rng(1)
    states = [lm.state()]
    for _ in range(30):  # states at different places in different sentences
        states.append(lm.advance(states[generator.integers(len(states))], str(generator.choice(WORDS)))[0])
    chosen = [states[i] for i in generator.integers(0, len(states), 50)]
    words = [str(word) for word in generator.choice([*WORDS, "zebra", SENTENCE_END], 50)]
    following, values = lm.advance_many(chosen, words)
    expected = [lm.advance(state, word) for state, word in zip(chosen, words, strict=True)]
    assert values.dtype == np.float64 and values.shape == (50,)
    np.testing.assert_allclose(values, [value for _, value in expected], rtol=1e-6, atol=1e-6)
    assert following == [state for state, _ in expected]
    assert [repr(state) for state in following] == [repr(state) for state, _ in expected]
    for state, (other, _) in zip(following, expected, strict=True):
        np.testing.assert_allclose(state.s_prev, other.s_prev, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("sharpness", [1, 20])
def test_a_large_vocabulary_in_single_precision_agrees_with_advance_to_1e_6(sharpness):
    lm = make([f"w{i}" for i in range(3000)], hidden_dim=60)
    values = lm.rnn.get_values()
    lm.rnn.set_values({**values, "V": values["V"] * sharpness})
    states = [lm.advance(lm.state(), f"w{i}")[0] for i in range(40)]
    best = [np.argsort(-lm.next_log_probabilities(state), kind="stable") for state in states]
    words = [lm.vocabulary.index_to_word[next(i for i in ids[place:] if i > 2)] for place, ids in enumerate(best)]
    found = lm.advance_many(states, words)[1]
    expected = [lm.advance(state, word)[1] for state, word in zip(states, words, strict=True)]
    assert len({round(value, 3) for value in expected}) > 20
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_the_sums_are_the_scores(exact):
    sentences = [["the", "dog", "sees", "the", "dog", "."], [], ["dog"], ["sees", "zebra", "."]]
    states, found = advanced_together(exact, sentences)
    expected = exact.score([" ".join(words) for words in sentences], split=False)
    np.testing.assert_allclose([sum(values) for values in found], expected, rtol=0, atol=1e-10)
    assert set(states) == {exact.state()}  # after the end


@pytest.mark.parametrize("number", [2, 5, 37])
def test_one_state_and_equal_states_can_be_advanced_by_several_words(exact, number):
    words = [[*WORDS, "zebra", SENTENCE_END][i % 6] for i in range(number)]
    beginning = exact.advance(exact.state(), "the")[0]
    equal = exact.advance(exact.state(), "the")[0]
    other = exact.advance(beginning, "dog")[0]
    expected = [exact.advance(beginning, word)[1] for word in words]
    for states in ([beginning] * number, [beginning, *[equal] * (number - 1)]):
        np.testing.assert_allclose(exact.advance_many(states, words)[1], expected, rtol=0, atol=1e-12)
    mixed = exact.advance_many([other, *[beginning] * number], ["sees", *words])[1]
    np.testing.assert_allclose(mixed, [exact.advance(other, "sees")[1], *expected], rtol=0, atol=1e-12)


def test_more_states_than_one_call_computes_are_divided(exact, monkeypatch):
    monkeypatch.setattr(batched_steps, "OUTPUTS_PER_CALL", 3 * exact.rnn.word_dim)
    generator = np.random.default_rng(4)
    states = [exact.state()]
    for _ in range(10):
        states.append(exact.advance(states[-1], str(generator.choice(WORDS)))[0])
    order = generator.permutation(np.repeat(np.arange(11), 3))
    words = [WORDS[i] for i in generator.integers(0, 4, 33)]
    found = exact.advance_many([states[i] for i in order], words)[1]
    expected = [exact.advance(states[i], word)[1] for i, word in zip(order, words, strict=True)]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


@pytest.mark.xla
def test_few_shapes_are_compiled():
    with precision("float64"):
        lm = make(WORDS)
    states = [lm.state()]
    while len(states) < 64:
        states += lm.advance_many([states[len(states) // 4]] * 4, WORDS)[0]
    for number in range(2, 65):
        lm.advance_many(states[:number], [WORDS[i % 4] for i in range(number)])
    assert compiled_shapes(lm.rnn._functions[network_graphs.chosen_log_probabilities]) <= 12


def test_several_threads_get_the_results_of_one(exact):
    sentences = random_sentences(12, seed=7)
    expected = advanced_together(exact, sentences)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(4) as pool:
            assert all(found == expected for found in pool.map(lambda _: advanced_together(exact, sentences), range(8)))
    finally:
        sys.setswitchinterval(interval)


@pytest.mark.parametrize("base", [2, 10])
def test_the_base_is_that_of_advance(exact, base):
    states = [exact.state(), exact.advance(exact.state(), "dog")[0]]
    found = exact.advance_many(states, ["the", "sees"], base=base)[1]
    nats = exact.advance_many(states, ["the", "sees"])[1]
    np.testing.assert_allclose(found, nats / np.log(base), rtol=1e-12)


def test_no_states_give_no_values(exact):
    states, values = exact.advance_many([], [])
    assert states == [] and values.shape == (0,) and values.dtype == np.float64


def test_special_tokens_have_the_names_that_decoders_use():
    with precision("float64"):
        lm = make(["a", "b", " "], level="char")
    states = [lm.state(), lm.advance(lm.state(), "a")[0]] * 2
    following, values = lm.advance_many(states, ["</s>", "\n", "<unk>", SENTENCE_END])
    for state, word, value in zip(states, ["</s>", "\n", "<unk>", SENTENCE_END], values, strict=True):
        assert value == pytest.approx(lm.advance(state, word)[1], abs=1e-12)
    assert following[0] == following[1] == following[3] == lm.state() != following[2]


def test_iterables_other_than_lists_are_accepted(exact):
    states = [exact.state(), exact.advance(exact.state(), "dog")[0]]
    expected = exact.advance_many(states, ["the", "sees"])[1]
    found = exact.advance_many(iter(states), np.array(["the", "sees"]))[1]
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    "change, error, message",
    [
        (
            lambda states, words: (states[:1], words),
            ValueError,
            "states and words: expected the same number, got 1 and",
        ),
        (
            lambda states, words: (states, words[:1]),
            ValueError,
            "states and words: expected the same number, got 2 and",
        ),
        (
            lambda states, words: (states[0], words),
            TypeError,
            "states: expected a list of State, one for each word, got",
        ),
        (
            lambda states, words: (states, "the"),
            TypeError,
            "words: expected a list of str, one for each state, got str",
        ),
        (
            lambda states, words: (states, None),
            TypeError,
            "words: expected a list of str, one for each state, got None",
        ),
        (lambda states, words: ([states[0], None], words), TypeError, "states[1]: expected a State from `state` or"),
        (lambda states, words: (states, ["the", 3]), TypeError, "words[1]: expected a str, got int"),
        (
            lambda states, words: (states, ["the", "the dog"]),
            ValueError,
            "words[1]: expected one word or SENTENCE_END,",
        ),
        (lambda states, words: (states, ["<s>", "the"]), ValueError, "words[0]: expected one word or SENTENCE_END,"),
    ],
)
def test_an_invalid_argument_is_named(exact, change, error, message):
    states = [exact.state(), exact.advance(exact.state(), "dog")[0]]
    with pytest.raises(error, match=f"^{re.escape(message)}"):
        exact.advance_many(*change(states, ["the", "sees"]))


def test_nothing_is_computed_if_an_argument_is_invalid(exact, monkeypatch):
    monkeypatch.setattr(RNN, "chosen_log_probabilities", lambda *arguments: pytest.fail("computed"))
    with pytest.raises(ValueError):
        exact.advance_many([exact.state(), exact.advance(exact.state(), "dog")[0]], ["the", ""])
