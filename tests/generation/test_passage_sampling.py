"""Passages are drawn as plain NumPy loops draw them: with the state carried over ends of sentences, or not."""

import numpy as np
import pytest
from support.passages import drawn_passage, uniforms

from theano_rnn import RNN
from theano_rnn.generation.passage_sampling import PassageSampler

START, END, UNKNOWN = 0, 1, 2
TEXTS, STEPS = 4, 50
NETWORKS = {"simple": {}, "LSTM": {"cell": "lstm", "layers": 2, "embedding_dim": 4, "bias": True}}
KINDS = {"characters": (None, True), "carried": (START, True), "anew": (START, False)}


def network(name):
    rnn = RNN(9, 5, seed=1, dtype="float64", **NETWORKS[name])
    rnn.set_values({name: 4 * value for name, value in rnn.get_values().items()})
    return rnn


def begin(rnn, word):
    return np.full(TEXTS, word), rnn.zero_states(TEXTS), np.zeros(TEXTS, int)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *(("simple", kind) for kind in KINDS),
        *(pytest.param("LSTM", kind, marks=pytest.mark.slow) for kind in KINDS),
    ],
)
def test_ids_and_log_probabilities_are_those_of_plain_loops(name, kind):
    rnn, (start, carries) = network(name), KINDS[kind]
    first = END if start is None else START
    sampler = PassageSampler(rnn, END, [START, UNKNOWN], start, carries)
    u = uniforms(3, TEXTS, 2)
    drawn, _, _, scores = sampler.draw_scored(u.T, *begin(rnn, first), temperature=1.4)
    ended = 0
    for text in range(TEXTS):
        kept = drawn[:, text] != START
        expected = drawn_passage(
            rnn, [first], u[text], STEPS,
            end=END, never=[START, UNKNOWN], start=start, carries_state=carries, temperature=1.4,
        )  # fmt: skip
        assert drawn[kept, text].tolist() == expected[0]
        np.testing.assert_allclose(scores[kept, text], expected[1], rtol=0, atol=1e-8)
        ended += expected[0].count(END)
    assert ended > 3


@pytest.fixture(scope="module", params=[True, False])
def words(request):
    rnn = network("simple")
    return rnn, PassageSampler(rnn, END, [START, UNKNOWN], START, request.param)


def test_no_sentence_is_empty_and_start_follows_an_end_that_is_read(words):
    rnn, sampler = words
    drawn, *_ = sampler.draw(uniforms(1, TEXTS, 20).T, *begin(rnn, START), temperature=9.0)
    before = np.concatenate([np.full((1, TEXTS), START), drawn[:-1]])
    np.testing.assert_array_equal(drawn == START, (before == END) & sampler.carries_state)
    assert (drawn == END).sum() > 50 and not ((drawn == END) & np.isin(before, [START, END])).any()
    assert not (drawn == UNKNOWN).any()


def test_the_same_ids_are_drawn_with_and_without_scores(words):
    rnn, sampler = words
    u = uniforms(2, TEXTS, 2).T
    for options in ({}, {"top_k": 3, "top_p": 0.8}):
        plain, scored = (draw(u, *begin(rnn, START), **options) for draw in (sampler.draw, sampler.draw_scored))
        np.testing.assert_array_equal(plain[0], scored[0])
        np.testing.assert_array_equal(np.array(plain[1]), np.array(scored[1]))


@pytest.mark.parametrize("options", [{"temperature": 1e-30}, {"temperature": 1e30}, {"top_k": 1}, {"top_p": 1e-6}])
def test_a_sentence_begins_with_a_word_even_with_extreme_settings(options, words):
    rnn, sampler = words
    drawn, *_ = sampler.draw(uniforms(5, TEXTS, 2).T, *begin(rnn, END), **options)
    assert (drawn[0] == START).all() or not sampler.carries_state
    assert not np.isin(drawn[int(sampler.carries_state)], [START, END, UNKNOWN]).any()
