"""Drawn words have the distribution of the network, with temperature, top_k and top_p applied."""

import functools

import numpy as np
import pytest

from theano_rnn import RNN
from theano_rnn.engines.engine import T, compile_function, precision
from theano_rnn.generation import sampling
from theano_rnn.generation.sampling import Draw, Sampler

WORD_DIM, HIDDEN_DIM = 12, 5
END, NEVER = 1, (0, 2)
# All calls of `draw` have this many rows, so that few shapes are compiled. EVEN covers [0, 1) evenly.
ROWS = 2000
EVEN = (np.arange(ROWS) + 0.5) / ROWS
TEXTS = 8000
# V is scaled by this factor, because the distributions would otherwise be nearly uniform.
SPREAD = 6.0


@functools.cache
def compiled(top_k, use_top_p, dtype="float64"):
    def build():
        variables = [T.matrix("z", dtype=dtype), T.vector("u", dtype=dtype), T.scalar("top_p", dtype=dtype)]
        return variables, Draw(top_k, use_top_p)(*variables), None

    return compile_function(build, dtype)


def draw(z, u, top_k=None, top_p=None, dtype="float64"):
    arguments = (np.asarray(z, dtype), np.asarray(u, dtype), np.asarray(1.0 if top_p is None else top_p, dtype))
    return np.array(compiled(top_k, top_p is not None, dtype)(*arguments))


def performed(z, u, top_k=None, top_p=None):
    storage = [[None]]
    Draw(top_k, top_p is not None).perform(None, [z, u, np.asarray(1.0 if top_p is None else top_p)], storage)
    return storage[0][0]


def exact_distribution(z, top_k=None, top_p=None):
    """The distribution of one row by definition: sort, cut off, normalize."""
    p = np.exp(z - z.max())
    order = sorted(range(len(z)), key=lambda i: (-p[i], i))[:top_k]
    kept, total = [], sum(p[i] for i in order)
    for i in order:
        if top_p is None or sum(p[j] for j in kept) < top_p * total:
            kept.append(i)
    result = np.zeros(len(z))
    result[kept] = p[kept] / p[kept].sum()
    return result


def assert_frequencies(drawn, distribution):
    """Chi-square test of drawn ids against a distribution; ids of probability zero must not occur."""
    counts = np.bincount(drawn, minlength=len(distribution))
    assert len(counts) == len(distribution)
    possible = distribution > 0
    assert not counts[~possible].any()
    expected = distribution[possible] * len(drawn)
    freedom = possible.sum() - 1
    chi_square = ((counts[possible] - expected) ** 2 / expected).sum()
    # The statistic has mean `freedom` and standard deviation sqrt(2 freedom). Allow five of these and a margin for the
    # skew with few classes.
    assert chi_square < freedom + 5 * np.sqrt(2 * freedom) + 10


SMALL, WIDE = 8, 2 * sampling.BLOCK_WIDTH + 44
CUTS = [(None, None), (3, None), (None, 0.7), (3, 0.7), (1, None), (1000, 0.999)]


@pytest.mark.parametrize(
    ("word_dim", "top_k", "top_p"),
    [*((SMALL, *cut) for cut in CUTS), (sampling.BLOCK_WIDTH, None, None), *((WIDE, *cut) for cut in CUTS[:4])],
)
def test_xla_and_numpy_draw_the_same_ids(word_dim, top_k, top_p):
    generator = np.random.default_rng(word_dim)
    z, u = generator.normal(size=(ROWS, word_dim)) * 2, generator.random(ROWS)
    z[:, ::3] = -np.inf
    found = draw(z, u, top_k, top_p)
    assert found.dtype == np.int32
    np.testing.assert_array_equal(found, performed(z, u, top_k, top_p))
    assert np.isfinite(z[np.arange(ROWS), found]).all()


@pytest.mark.parametrize(
    ("word_dim", "top_k", "top_p"), [*((SMALL, *cut) for cut in CUTS), *((WIDE, *cut) for cut in CUTS[:4])]
)
def test_frequencies_are_the_exact_probabilities(word_dim, top_k, top_p):
    z = np.random.default_rng(1).normal(size=word_dim) * 1.5
    z[4] = -np.inf
    counts = np.bincount(draw(np.tile(z, (ROWS, 1)), EVEN, top_k, top_p), minlength=word_dim)
    distribution = exact_distribution(z, top_k, top_p)
    # An interval of length p holds ROWS p of the evenly spaced points, plus or minus one.
    np.testing.assert_allclose(counts, distribution * ROWS, atol=1.001)
    assert not counts[distribution == 0].any()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("top_k", "top_p"), [(None, None), (3, 0.9)])
def test_ids_of_weight_zero_are_never_drawn_even_for_extreme_u(dtype, top_k, top_p):
    u = np.full(ROWS, np.nextafter(np.asarray(1, dtype), np.asarray(0, dtype)))
    u[::4] = 0
    z = np.random.default_rng(0).normal(size=(ROWS, WIDE)) * 3
    z[:, [0, 1, WIDE - 2, WIDE - 1]] = -np.inf
    drawn = draw(z, u, top_k, top_p, dtype)
    assert np.isfinite(z[np.arange(ROWS), drawn]).all()


def test_the_only_possible_id_is_drawn_for_any_u():
    z = np.full((ROWS, WIDE), -np.inf)
    z[:, 170] = -4.0
    np.testing.assert_array_equal(draw(z, EVEN), np.full(ROWS, 170))


def test_top_k_keeps_the_lower_ids_of_equal_weights():
    np.testing.assert_array_equal(np.unique(draw(np.zeros((ROWS, SMALL)), EVEN, top_k=3)), [0, 1, 2])


@pytest.mark.parametrize(("top_p", "kept"), [(0.5, 4), (0.51, 5), (0.125, 1), (0.001, 1), (1.0, 8), (0.875, 7)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_top_p_keeps_the_fewest_equal_weights_that_reach_the_fraction(top_p, kept, dtype):
    drawn = draw(np.zeros((ROWS, SMALL)), EVEN, top_p=top_p, dtype=dtype)
    np.testing.assert_array_equal(np.unique(drawn), np.arange(kept))


def test_top_p_is_a_fraction_of_what_top_k_leaves():
    drawn = draw(
        np.zeros((ROWS, SMALL)), EVEN, top_k=3, top_p=0.5
    )  # 2 of 3 equal weights reach a half; of 8 it would take 4
    np.testing.assert_array_equal(np.unique(drawn), [0, 1])


def test_top_k_1_draws_the_most_probable_id():
    z = np.random.default_rng(0).normal(size=(ROWS, SMALL))
    np.testing.assert_array_equal(draw(z, EVEN, top_k=1), z.argmax(axis=1))


# Sampler


@functools.cache
def sampler():
    with precision("float64"):
        rnn = RNN(WORD_DIM, HIDDEN_DIM, seed=4)
    rnn.V.set_value(rnn.V.get_value() * SPREAD)
    rnn.W.set_value(rnn.W.get_value() * 2)
    words_added = np.ones(WORD_DIM, int)
    words_added[[END, 5]] = 0  # 5 is punctuation
    return Sampler(rnn, END, NEVER, words_added)


def start(texts, word=3):
    return np.full(texts, word), np.zeros((texts, HIDDEN_DIM)), np.zeros(texts, int)


def drawn_texts(steps, texts, seed=0, **settings):
    u = np.random.default_rng(seed).random((steps, texts))
    return sampler().draw(u, *start(texts), **settings)


def next_word_distribution(prefix, temperature=1.0, end_allowed=True, top_k=None, top_p=None):
    values = sampler().rnn.get_values()
    s = np.zeros(HIDDEN_DIM)
    for word in prefix:
        s = np.tanh(values["U"][:, word] + values["W"].dot(s))
    z = values["V"].dot(s) / temperature
    z[list(NEVER) + ([] if end_allowed else [END])] = -np.inf
    return exact_distribution(z, top_k, top_p)


@pytest.mark.parametrize(
    "settings", [{}, {"temperature": 0.5}, {"temperature": 2.0}, {"top_k": 6, "top_p": 0.8, "temperature": 1.5}]
)
def test_words_have_the_tempered_distribution_given_the_words_before_them(settings):
    drawn, _, _ = drawn_texts(3, TEXTS, **settings)
    assert drawn.shape == (3, TEXTS) and drawn.dtype == np.int32
    assert_frequencies(drawn[0], next_word_distribution([3], **settings))
    first = np.bincount(drawn[0]).argmax()
    after = drawn[:, drawn[0] == first]
    assert_frequencies(after[1], next_word_distribution([3, first], **settings))
    second = np.bincount(after[1]).argmax()
    assert_frequencies(after[2, after[1] == second], next_word_distribution([3, first, second], **settings))


def test_excluded_ids_never_occur():
    drawn, _, _ = drawn_texts(3, TEXTS, temperature=20.0)
    assert set(np.unique(drawn)) == set(range(WORD_DIM)) - set(NEVER)


def test_two_calls_that_carry_the_state_draw_what_one_call_draws():
    u = np.random.default_rng(3).random((6, 50))
    whole, s_whole, words_whole = sampler().draw(u, *start(50))
    first, s_half, words_half = sampler().draw(u[:3], *start(50))
    second, s_end, words_end = sampler().draw(u[3:], first[-1], s_half, words_half)
    np.testing.assert_array_equal(np.concatenate([first, second]), whole)
    np.testing.assert_array_equal(np.array(s_end), np.array(s_whole))
    np.testing.assert_array_equal(np.array(words_end), np.array(words_whole))


def test_the_returned_state_is_that_before_the_last_word():
    drawn, s_prev, _ = drawn_texts(3, TEXTS)
    values = sampler().rnn.get_values()
    for text in range(20):
        s = np.zeros(HIDDEN_DIM)
        for word in [3, *drawn[:-1, text]]:
            s = np.tanh(values["U"][:, word] + values["W"].dot(s))
        np.testing.assert_allclose(np.array(s_prev)[text], s, atol=1e-10)


def test_word_counts_follow_words_added():
    drawn, _, words = drawn_texts(3, TEXTS, temperature=5.0)
    np.testing.assert_array_equal(np.array(words), np.array(sampler().words_added)[drawn].sum(axis=0))


def test_the_end_is_drawn_only_after_the_minimum_number_of_words():
    drawn, _, _ = drawn_texts(3, TEXTS, temperature=5.0, min_words=2)
    added = np.array(sampler().words_added)[drawn]
    before = added.cumsum(axis=0) - added
    assert not (drawn[before < 2] == END).any()
    assert (drawn[before == 2] == END).any()
    free, _, _ = drawn_texts(3, TEXTS, temperature=5.0)
    assert (free[0] == END).any()


def test_excluding_the_end_keeps_the_proportions_of_the_other_words():
    drawn, _, _ = drawn_texts(3, TEXTS, min_words=1)
    assert_frequencies(drawn[0], next_word_distribution([3], end_allowed=False))


def test_forbidden_words_are_excluded_before_top_k_and_top_p():
    forbidden = np.zeros((1, TEXTS, WORD_DIM), bool)
    best = int(next_word_distribution([3]).argmax())
    forbidden[0, :, [best, 7]] = True
    u = np.random.default_rng(1).random((1, TEXTS))
    expected = next_word_distribution([3])
    expected[[best, 7]] = 0
    for top_k in (None, 3):
        drawn, _, _ = sampler().draw(u, *start(TEXTS), top_k=top_k, forbidden=forbidden)
        kept = np.sort(expected)[::-1][:top_k].min()
        distribution = np.where(expected >= kept, expected, 0)
        assert_frequencies(drawn[0], distribution / distribution.sum())
    forbidden[0, ::2] = False
    drawn, _, _ = sampler().draw(u, *start(TEXTS), forbidden=forbidden)
    assert not np.isin(drawn[0, 1::2], [best, 7]).any() and np.isin(drawn[0, ::2], [best, 7]).any()


def test_the_same_uniforms_draw_the_same_words():
    one, same, other = (drawn_texts(3, TEXTS, seed)[0] for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_a_single_precision_network_draws_in_single_precision():
    rnn = RNN(WORD_DIM, HIDDEN_DIM, seed=4)
    single = Sampler(rnn, END, NEVER, np.ones(WORD_DIM, int))
    u = np.random.default_rng(0).random((1, 300))
    drawn, s_prev, words = single.draw(u, np.full(300, 3), rnn.zero_states(300), np.zeros(300, int))
    assert drawn.shape == (1, 300) and np.array(s_prev).dtype == np.float32
    np.testing.assert_array_equal(np.array(words), np.ones(300))
    assert set(np.unique(drawn)) <= set(range(WORD_DIM)) - set(NEVER)
