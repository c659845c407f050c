"""States can be compared, hashed and pickled, need little memory, and belong to one model."""

import pickle
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from support.language_models import SPECIAL, WORDS, make

from theano_rnn.engines.engine import precision
from theano_rnn.language_models.states import RecentStates, State
from theano_rnn.text.vocabulary import SENTENCE_END


@pytest.fixture(scope="module")
def lm():
    return make(WORDS)


def after(lm, *words):
    state = lm.state()
    for word in words:
        state, _ = lm.advance(state, word)
    return state


def test_states_are_equal_if_the_same_tokens_led_to_them(lm):
    assert after(lm) == after(lm) == after(lm, "dog", SENTENCE_END)
    assert after(lm, "the", "dog") == after(lm, "The", "dog") == after(lm, ".", "</s>", "the", "dog")
    assert after(lm, "zebra") == after(lm, "quagga") == after(lm, "<unk>")
    different = [after(lm), after(lm, "dog"), after(lm, "the"), after(lm, "the", "dog"), after(lm, "dog", "the")]
    assert len(set(different)) == 5 and all(different[i] != different[j] for i in range(5) for j in range(i))


def test_equal_states_have_equal_hashes(lm):
    assert hash(after(lm, "the", "dog")) == hash(after(lm, "the", "dog"))
    best = {after(lm, "the"): 1.0}
    best[after(lm, "the")] = 2.0
    assert list(best.values()) == [2.0] and after(lm, "dog") not in best


def test_states_of_one_step_in_a_batch_equal_those_of_single_steps(lm):
    states, _ = lm.advance_many([after(lm, "the"), after(lm, "dog"), after(lm)], ["dog", "sees", SENTENCE_END])
    assert states == [after(lm, "the", "dog"), after(lm, "dog", "sees"), after(lm)]


def test_a_state_differs_from_everything_else(lm):
    assert after(lm) != None and after(lm) != 0 and (after(lm) == "x") is False  # noqa: E711


def test_a_pickled_state_equals_the_original_and_continues_it(lm):
    state = after(lm, "the", "dog")
    lm.next_log_probabilities(state)
    stored = pickle.dumps(state)
    copied = pickle.loads(stored)
    assert copied == state and hash(copied) == hash(state) and repr(copied) == repr(state)
    assert lm.advance(copied, "sees") == lm.advance(state, "sees")
    assert len(stored) < 500  # without the distribution


def test_a_state_from_another_process_equals_one_of_this_process(lm, tmp_path):
    lm.save(tmp_path / "m.npz")
    program = (
        "import pickle, sys, theano_rnn\n"
        "lm = theano_rnn.load(sys.argv[1])\n"
        "state, _ = lm.advance(lm.state(), 'dog')\n"
        "sys.stdout.buffer.write(pickle.dumps((state, hash(state))))\n"
    )
    done = subprocess.run([sys.executable, "-c", program, tmp_path / "m.npz"], capture_output=True, check=True)
    state, number = pickle.loads(done.stdout)
    assert state == after(lm, "dog") and number == hash(state) == hash(after(lm, "dog"))
    assert lm.advance(state, "sees")[0] == after(lm, "dog", "sees")


def test_a_pickle_of_a_version_without_keys_loads(lm):
    old = State.__new__(State)
    state = after(lm, "the")
    old.__setstate__({"word": state.word, "s_prev": state.s_prev, "s_t": None, "log_probabilities": None})
    same = pickle.loads(pickle.dumps(old))
    assert old == same != state and hash(old) == hash(same) and old.tokens is None
    assert lm.advance(old, "dog")[1] == lm.advance(state, "dog")[1]
    assert lm.advance_many([old, state], ["dog", "dog"])[0][0] == lm.advance(same, "dog")[0]


def test_a_state_of_another_model_is_rejected(lm):
    others = [make(WORDS, hidden_dim=6), make([*WORDS, "cat"]), make(WORDS)]
    others[2].rnn.set_values({name: value / 2 for name, value in others[2].rnn.get_values().items()})
    with precision("float64"):
        others.append(make(WORDS))
    for other in others:
        assert other.state() != lm.state()
        for call in (
            lambda state: lm.advance(state, "dog"),
            lm.next_log_probabilities,
        ):
            with pytest.raises(ValueError, match="^state: is a state of another model, or of this one before more tr"):
                call(other.state())
        with pytest.raises(ValueError, match=r"^states\[1\]: is a state of another model"):
            lm.advance_many([lm.state(), other.state()], ["the", "dog"])


def test_a_state_of_a_copy_or_of_the_same_file_is_accepted(lm, tmp_path):
    lm.save(tmp_path / "m.npz")
    for same in (pickle.loads(pickle.dumps(lm)), type(lm).load(tmp_path / "m.npz")):
        assert same.state() == lm.state()
        assert lm.advance(same.state(), "dog")[1] == lm.advance(lm.state(), "dog")[1]


def test_after_training_a_state_is_begun_anew():
    lm = make(WORDS)
    before, old = lm.state(), lm.advance(lm.state(), "the")[1]
    lm.rnn.sgd_step([0, 3, 4], [3, 4, 1], 0.5)
    assert lm.state() != before and lm.advance(lm.state(), "the")[1] != old
    with pytest.raises(ValueError, match="before more training"):
        lm.advance(before, "the")


def test_a_state_shows_its_memory_and_does_not_keep_a_distribution():
    lm = make([f"w{i}" for i in range(5000)], hidden_dim=100)
    states = [lm.advance(lm.state(), f"w{i}")[0] for i in range(8)]
    assert all(400 < state.nbytes < 900 for state in states)
    words = [f"w{i}" for i in range(500)] * 8
    lm.advance_many(states * 500, words)
    tracemalloc.start()
    following = lm.advance_many(sorted(states * 500, key=hash), words)[0]
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(set(following)) == 4000
    assert used / 4000 < 900 < 4 * len(SPECIAL + ["w"] * 5000)  # a distribution has 20,012 bytes


def test_distributions_are_kept_for_the_states_used_last():
    states = [State.initial(i, np.zeros((1, 2)), bytes([i])) for i in range(5)]
    recent = RecentStates(most=10, most_bytes=3 * 80)
    for state in states:
        recent.keep(state, (np.zeros(10), np.zeros((1, 2))))
        recent.keep(state, (np.ones(10), np.zeros((1, 2))))  # a second thread
    assert [state.expansion is None for state in states] == [True, True, False, False, False]
    assert not states[2].expansion[0].any() and recent.nbytes == 240 and len(recent) == 3
    recent = RecentStates(most=2, most_bytes=1)
    for state in states[:2]:
        recent.keep(state, (np.zeros(10), np.zeros((1, 2))))
    assert len(recent) == 1 and recent.nbytes == 80


def test_the_distribution_of_a_state_is_computed_once(lm, monkeypatch):
    state = after(lm, "the")
    first = lm.next_log_probabilities(state)
    monkeypatch.setattr(type(lm.rnn), "next_log_probabilities", lambda *arguments: pytest.fail("computed again"))
    assert lm.next_log_probabilities(state) is first
    assert lm.advance(state, "dog")[1] == float(first[lm.vocabulary.word_to_index["dog"]])
