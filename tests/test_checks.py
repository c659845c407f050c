"""Every public method rejects wrong arguments, and names the argument and the value in the message."""

import numpy as np
import pytest

from theano_rnn.checks import check_bptt_truncate, check_choice, check_count, check_ids, check_pair, check_real
from theano_rnn.networks.rnn import RNN

WRONG_IDS = {
    "too great": ([0, 3, 12, 13], ValueError, r"^{name}: word id 12 at position 2 is outside 0 … 11$"),
    "negative": ([0, -1], ValueError, r"^{name}: word id -1 at position 1 is outside 0 … 11$"),
    "past 32 bits": ([2**32], ValueError, r"^{name}: word id 4294967296 at position 0 is outside 0 … 11$"),
    "past 63 bits": ([2**63], ValueError, r"^{name}: word id 9223372036854775808 at position 0 is outside 0 … 11$"),
    "empty": ([], ValueError, r"^{name}: expected at least one word id, got an empty sequence$"),
    "two-dimensional": ([[1, 2]], ValueError, r"^{name}: expected a 1-D sequence of word ids, got shape \(1, 2\)$"),
    "a number": (3, ValueError, r"^{name}: expected a 1-D sequence of word ids, got shape \(\)$"),
    "ragged": ([[1], [2, 3]], ValueError, r"^{name}: expected a sequence of word ids, got a ragged one$"),
    "floats": ([1.0, 2.5], TypeError, r"^{name}: expected integer word ids, got float64 values such as .*1\.0"),
    "bools": ([True, False], TypeError, r"^{name}: expected integer word ids, got bool values such as .*True"),
    "strings": (["go", "on"], TypeError, r"^{name}: expected integer word ids, got <U2 values such as .*go"),
    "None": ([None, 1], TypeError, r"^{name}: expected integer word ids, got object values such as None$"),
}

ONE_SEQUENCE = {
    "forward_propagation": lambda rnn, x: rnn.forward_propagation(x),
    "hidden_states": lambda rnn, x: rnn.hidden_states(x),
    "predict": lambda rnn, x: rnn.predict(x),
}
TWO_SEQUENCES = {
    "ce_error": lambda rnn, x, y: rnn.ce_error(x, y),
    "bptt": lambda rnn, x, y: rnn.bptt(x, y),
    "sgd_step": lambda rnn, x, y: rnn.sgd_step(x, y, 0.1),
    "gradient_check": lambda rnn, x, y: rnn.gradient_check(x, y),
}
MANY_SENTENCES = {
    "calculate_total_loss": lambda rnn, X, Y: rnn.calculate_total_loss(X, Y),
    "calculate_loss": lambda rnn, X, Y: rnn.calculate_loss(X, Y),
}

wrong_ids = pytest.mark.parametrize("wrong", WRONG_IDS)


@pytest.fixture(scope="module")
def rnn():
    from theano_rnn import RNN

    return RNN(word_dim=12, hidden_dim=5, seed=1)


@wrong_ids
@pytest.mark.parametrize("method", ONE_SEQUENCE)
def test_methods_of_one_sequence_reject_wrong_ids(rnn, method, wrong):
    ids, error, message = WRONG_IDS[wrong]
    with pytest.raises(error, match=message.format(name="x")):
        ONE_SEQUENCE[method](rnn, ids)


@wrong_ids
@pytest.mark.parametrize("method", TWO_SEQUENCES)
def test_methods_of_two_sequences_reject_wrong_ids_in_either(rnn, method, wrong):
    ids, error, message = WRONG_IDS[wrong]
    with pytest.raises(error, match=message.format(name="x")):
        TWO_SEQUENCES[method](rnn, ids, [1, 2, 3, 4])
    with pytest.raises(error, match=message.format(name="y")):
        TWO_SEQUENCES[method](rnn, [1, 2, 3, 4], ids)


@wrong_ids
@pytest.mark.parametrize("method", MANY_SENTENCES)
def test_methods_of_many_sentences_name_the_wrong_sentence(rnn, method, wrong):
    ids, error, message = WRONG_IDS[wrong]
    with pytest.raises(error, match=message.format(name=r"X\[1\]")):
        MANY_SENTENCES[method](rnn, [[1], ids], [[2], [1, 2]])
    with pytest.raises(error, match=message.format(name=r"Y\[0\]")):
        MANY_SENTENCES[method](rnn, [[1, 2], [1]], [ids, [2]])


def test_a_truncation_that_is_too_long_to_compile_is_rejected():
    assert check_bptt_truncate(1000) == 1000
    message = r"^bptt_truncate: expected at most 1000, or -1 for the whole sentence, got 1001$"
    with pytest.raises(ValueError, match=message):
        RNN(12, 5, bptt_truncate=1001)


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        ("0.1", TypeError, "expected a number, got '0.1'"),
        (None, TypeError, "expected a number, got None"),
        (True, TypeError, "expected a number, got True"),
        (np.nan, ValueError, "expected a number, got nan"),
        (np.inf, ValueError, "expected a finite number, got inf"),
    ],
)
def test_a_learning_rate_that_is_not_a_finite_number_is_rejected(rnn, value, error, message):
    before = rnn.get_values()
    with pytest.raises(error, match=f"^learning_rate: {message}$"):
        rnn.sgd_step([1, 2], [2, 3], value)
    np.testing.assert_array_equal(rnn.get_values()["W"], before["W"])


def test_numpy_numbers_are_numbers():
    assert check_real("x", np.float32(0.5)) == 0.5 and check_real("x", np.int64(3), above=0) == 3.0


@pytest.mark.parametrize("name", ["h", "error_threshold"])
@pytest.mark.parametrize("value", [0, -1.0, np.nan])
def test_a_gradient_check_step_or_threshold_must_be_above_zero(rnn, name, value):
    with pytest.raises(ValueError, match=f"^{name}: expected a number( above 0)?, got "):
        rnn.gradient_check([1, 2], [2, 3], **{name: value})


@pytest.mark.parametrize("method", TWO_SEQUENCES)
def test_x_and_y_of_different_lengths_are_rejected(rnn, method):
    with pytest.raises(ValueError, match=r"^x and y: expected the same length, got 2 and 3$"):
        TWO_SEQUENCES[method](rnn, [1, 2], [1, 2, 3])


@pytest.mark.parametrize("method", MANY_SENTENCES)
def test_sentences_that_do_not_pair_up_are_rejected(rnn, method):
    with pytest.raises(ValueError, match=r"^X and Y: expected the same number of sentences, got 1 and 2$"):
        MANY_SENTENCES[method](rnn, [[1]], [[1], [2]])
    with pytest.raises(ValueError, match=r"^X: expected at least one sentence, got none$"):
        MANY_SENTENCES[method](rnn, [], [])
    with pytest.raises(ValueError, match=r"^X\[1\] and Y\[1\]: expected the same length, got 1 and 2$"):
        MANY_SENTENCES[method](rnn, [[1], [1]], [[1], [1, 2]])


@pytest.mark.parametrize("name", ["word_dim", "hidden_dim"])
@pytest.mark.parametrize("value", [2.0, True, "7", None, np.float32(3)])
def test_sizes_that_are_not_integers_are_rejected(name, value):
    from theano_rnn import RNN

    with pytest.raises(TypeError, match=rf"^{name}: expected an integer, got "):
        RNN(**{"word_dim": 12, "hidden_dim": 5, name: value})


@pytest.mark.parametrize("name", ["word_dim", "hidden_dim"])
@pytest.mark.parametrize("value", [0, -3])
def test_sizes_below_one_are_rejected(name, value):
    from theano_rnn import RNN

    with pytest.raises(ValueError, match=rf"^{name}: expected at least 1, got {value}$"):
        RNN(**{"word_dim": 12, "hidden_dim": 5, name: value})


@pytest.mark.parametrize("value", ["sigmoid", "", None, 3])
def test_an_unknown_activation_is_rejected_with_a_list_of_the_known_ones(value):
    from theano_rnn import RNN

    with pytest.raises(ValueError, match=r"^activation: expected one of tanh, relu, got "):
        RNN(12, 5, activation=value)


def test_the_network_rejects_invalid_truncations():
    from theano_rnn import RNN

    with pytest.raises(ValueError, match=r"^bptt_truncate: expected at least -1, got -2$"):
        RNN(12, 5, bptt_truncate=-2)
    for value in (1.5, True, "4"):
        with pytest.raises(TypeError, match=rf"^bptt_truncate: expected an integer, got {value!r}$"):
            RNN(12, 5, bptt_truncate=value)


@pytest.mark.parametrize("value", [None, -1, np.int64(-1)])
def test_minus_one_and_none_mean_the_whole_sentence(value):
    assert check_bptt_truncate(value) is None


@pytest.mark.parametrize("value", [0, 4, np.int64(7)])
def test_truncations_are_returned_as_plain_ints(value):
    checked = check_bptt_truncate(value)
    assert checked == value and type(checked) is int


def test_counts_are_returned_as_plain_ints():
    checked = check_count("n", np.int32(5))
    assert checked == 5 and type(checked) is int
    assert check_count("n", 0, minimum=0) == 0


def test_a_count_below_its_minimum_is_rejected():
    with pytest.raises(ValueError, match=r"^n: expected at least 3, got 2$"):
        check_count("n", 2, minimum=3)


def test_a_choice_is_returned_unchanged():
    assert check_choice("fruit", "fig", ("apple", "fig")) == "fig"


@pytest.mark.parametrize(
    "ids", [[0, 11], (0, 11), np.array([0, 11], np.uint8), np.array([0, 11], np.int64), range(0, 12, 11)]
)
def test_any_one_dimensional_integer_sequence_becomes_int32(ids):
    checked = check_ids("x", ids, 12)
    assert checked.dtype == np.int32
    np.testing.assert_array_equal(checked, [0, 11])


def test_checked_ids_are_a_copy():
    ids = np.array([1, 2], np.int32)
    check_ids("x", ids, 12)[0] = 9
    assert ids[0] == 1


def test_a_pair_is_returned_in_order():
    x, y = check_pair([1, 2], [3, 4], 12)
    np.testing.assert_array_equal([x, y], [[1, 2], [3, 4]])
