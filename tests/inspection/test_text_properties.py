"""Properties of texts, and the units that follow them."""

import numpy as np
import pytest

from theano_rnn.inspection.text_properties import (
    MIN_TOKENS,
    correlations,
    inside_brackets,
    inside_quotes,
    line_positions,
    units_of_properties,
)

TEXT = 'He said "no" (and (left)).\n' * 20


def test_positions_start_again_after_each_line_end() -> None:
    assert line_positions("ab\n\nabc") == [1, 2, 0, 0, 1, 2, 3]
    assert line_positions(["the", "dog", "."]) == [1, 2, 3]


@pytest.mark.parametrize(
    "text, expected",
    [
        ('a"b"c', [0, 1, 1, 0, 0]),
        ("“a”b", [1, 1, 0, 0]),
        ('"a\nb"c', [1, 1, 1, 1, 0, 0]),
        ('"a\n\nb"c', [1, 1, 1, 0, 0, 1, 1]),
        ("it's", [0, 0, 0, 0]),
    ],
)
def test_quotes_open_and_close_and_end_at_an_empty_line(text: str, expected: list[int]) -> None:
    assert inside_quotes(text) == expected


def test_quotes_of_word_tokenizers_are_recognized() -> None:
    assert inside_quotes(["``", "no", "''", "he"]) == [1, 1, 0, 0]


@pytest.mark.parametrize(
    "text, expected",
    [("(a[b]c)d", [1, 1, 1, 1, 1, 1, 0, 0]), ("a)b(c", [0, 0, 0, 1, 1]), ("(a\n\nb", [1, 1, 1, 0, 0])],
)
def test_brackets_nest_and_close_at_an_empty_line(text: str, expected: list[int]) -> None:
    assert inside_brackets(text) == expected


def test_correlations_agree_with_numpy() -> None:
    generator = np.random.default_rng(1)
    values, feature = generator.normal(size=(30, 3)), generator.normal(size=30)
    values[:, 2] = 1
    expected = [np.corrcoef(values[:, unit], feature)[0, 1] for unit in range(2)]
    np.testing.assert_allclose(correlations(values, feature), [*expected, 0], atol=1e-12)


def test_units_that_follow_a_property_are_found_and_measured_on_the_other_half() -> None:
    generator = np.random.default_rng(1)
    values = generator.normal(size=(len(TEXT), 6))
    values[:, 4] = -np.array(inside_quotes(TEXT)) + 0.1 * values[:, 4]
    values[:, 2] = np.array(line_positions(TEXT)) + values[:, 2]
    values[:, 5] = np.array(inside_brackets(TEXT)) + 0.1 * values[:, 5]
    half = len(TEXT) // 2
    values[half:, 5] *= -1
    found = {one.name: one.units for one in units_of_properties([TEXT[:100], TEXT[100:]], [values[:100], values[100:]])}
    assert list(found) == ["line-position", "quotes", "brackets"]
    assert (found["quotes"][0][0], found["line-position"][0][0], found["brackets"][0][0]) == (4, 2, 5)
    assert found["quotes"][0][1] < -0.9 and found["line-position"][0][1] > 0.9
    assert found["brackets"][0][1] < -0.9  # positive in the first half, but the second half is reported
    assert [unit for unit, _ in found["quotes"]] != sorted(range(6))
    expected = np.corrcoef(values[half:, 4], inside_quotes(TEXT)[half:])[0, 1]
    assert found["quotes"][0][1] == pytest.approx(expected)


def test_properties_with_few_examples_in_a_half_are_left_out() -> None:
    tokens = ["(", *["a"] * MIN_TOKENS, ")", *["b"] * 50]
    assert [one.name for one in units_of_properties([tokens], [np.ones((len(tokens), 2))])] == ["line-position"]
    assert units_of_properties([["a"]], [np.ones((1, 2))]) == []
