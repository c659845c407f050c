"""Models in several threads and processes, and copies of models."""

import copy
import multiprocessing
import os
import pickle
import subprocess
import sys
import threading
import warnings
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest
from support.language_models import WORDS, make

from theano_rnn.engines import engine
from theano_rnn.engines.engine import precision
from theano_rnn.errors import ForkedProcessError

SENTENCES = ["the dog sees the dog.", "the cat sees.", "", "dog the . sees " * 7]


@pytest.fixture(scope="module")
def lm():
    return make(WORDS)


def test_a_model_can_be_pickled_before_and_after_it_was_used(lm):
    fresh = pickle.loads(pickle.dumps(make(WORDS)))
    expected = lm.score(SENTENCES)
    lm.generate(1, seed=1)
    used = pickle.loads(pickle.dumps(lm))
    for copied in (fresh, used):
        np.testing.assert_array_equal(copied.score(SENTENCES), expected)
        assert copied.documents() == lm.documents()
    assert used.generate(3, seed=2) == lm.generate(3, seed=2)


def test_a_pickled_network_keeps_its_precision_and_settings():
    with precision("float64"):
        exact = make(WORDS)
        exact.rnn.set_values({name: value / 3 for name, value in exact.rnn.get_values().items()})
    copied = pickle.loads(pickle.dumps(exact))
    assert copied.rnn.dtype == "float64" and copied.rnn.U.get_value().dtype == np.float64
    assert copied.score("the dog") == exact.score("the dog")
    np.testing.assert_array_equal(copied.rnn.U.get_value(), exact.rnn.U.get_value())


def test_a_deep_copy_is_independent(lm):
    copied = copy.deepcopy(lm)
    before = lm.score("the dog")
    copied.rnn.sgd_step([0, 1], [1, 2], 0.1)
    assert copied.score("the dog") != before
    assert lm.score("the dog") == before


def test_a_state_can_be_pickled(lm):
    state, _ = lm.advance(lm.state(), "the")
    copied = pickle.loads(pickle.dumps(state))
    assert lm.advance(copied, "dog")[1] == lm.advance(state, "dog")[1]


@pytest.mark.parametrize("used_before", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_several_threads_get_the_results_of_one(used_before):
    expected = make(WORDS)
    lm = make(WORDS)
    texts = [f"{sentence} {'dog ' * (number % 9)}" for number, sentence in enumerate(SENTENCES * 12)]
    scores = {text: expected.score(text) for text in set(texts)}
    words = {seed: expected.generate(2, seed=seed, max_words=9) for seed in range(6)}
    if used_before:
        lm.score(texts[0]), lm.generate(1, seed=1)
    barrier = threading.Barrier(4)

    def work(number):
        barrier.wait()
        for text in texts[number::2]:
            assert lm.score(text) == scores[text]
            state, value = lm.advance(lm.state(), "the")
            assert value == lm.next_log_probabilities(lm.state())[lm.vocabulary.word_to_index["the"]]
            seed = len(text) % 6
            assert lm.generate(2, seed=seed, max_words=9) == words[seed]
        return True

    filters, interval = list(warnings.filters), sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(4) as pool:
            assert all(pool.map(work, range(4)))
    finally:
        sys.setswitchinterval(interval)
    assert warnings.filters == filters


def score_in_worker(lm):
    return lm.score(SENTENCES)


@pytest.mark.slow
def test_a_spawned_worker_scores_with_a_pickled_model(lm):
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        np.testing.assert_allclose(pool.submit(score_in_worker, lm).result(), lm.score(SENTENCES), rtol=1e-6)


@pytest.mark.xla
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::DeprecationWarning")
def test_use_in_a_process_forked_too_late_raises_instead_of_hanging(lm):
    lm.score("the dog")
    receiving, sending = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            lm.score("the dog")
            os.write(sending, b"scored")
        except ForkedProcessError as error:
            os.write(sending, str(error).encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    told = os.read(receiving, 1000).decode()
    assert "this process was forked from one that has already used theano_rnn" in told
    assert 'multiprocessing.get_context("spawn")' in told
    assert not engine.chosen_engine.in_forked_process


@pytest.mark.slow
def test_a_process_forked_before_the_first_use_can_use_the_model(tmp_path):
    """Runs in a separate process, because compiled functions have run in this one."""
    make(WORDS).save(tmp_path / "m.npz")
    program = (
        "import multiprocessing, sys, theano_rnn\n"
        "lm = theano_rnn.load(sys.argv[1])\n"
        "if __name__ == '__main__':\n"
        "    with multiprocessing.get_context('fork').Pool(2) as pool:\n"
        "        print(pool.map(lm.score, ['the dog', 'dog']) == [lm.score('the dog'), lm.score('dog')])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "m.npz"], capture_output=True, text=True, timeout=100
    )
    assert done.stdout.strip() == "True", done.stderr
