"""Each token is in one band of frequency and in one of positions."""

import numpy as np
import pytest

from theano_rnn.error_analysis.groups import OCCURRENCES, POSITIONS, FrequencyBands, band_names, band_of
from theano_rnn.text.vocabulary import SPECIAL_TOKENS, Vocabulary


def vocabulary_of(words):
    return Vocabulary([*SPECIAL_TOKENS, *(f"w{number}" for number in range(words))])


@pytest.mark.parametrize(
    "words, names",
    [
        (1, ["rank 1"]),
        (10, ["rank 1-10"]),
        (11, ["rank 1-10", "rank 11"]),
        (1005, ["rank 1-10", "rank 11-100", "rank 101-1,000", "rank 1,001-1,005"]),
    ],
)
def test_bands_of_ranks_grow_tenfold_up_to_the_size_of_the_vocabulary(words, names):
    bands = FrequencyBands.by_rank(vocabulary_of(words))
    assert list(bands.names) == [*names, "sentence end", "unknown"]
    for rank in {1, min(10, words), words}:
        name = bands.names[bands.of_id[2 + rank]].removeprefix("rank ").replace(",", "")
        first, _, last = name.partition("-")
        assert int(first) <= rank <= int(last or first)
    assert [bands.names[bands.of_id[one]] for one in (1, 2)] == ["sentence end", "unknown"]


def test_bands_of_occurrences_hold_the_words_with_so_many():
    counts = np.array([9, 9, 9, 123_456, 1000, 999, 4, 2, 1, 1, 0])
    bands = FrequencyBands.by_count(vocabulary_of(8), counts)
    names = ["100,000-999,999", "1,000-9,999", "100-999", "2-4", "1", "0"]
    times = [f"{name} times" for name in names]
    times[4] = "1 time"
    assert list(bands.names) == [*times, "sentence end", "unknown"]
    expected = [names[index] for index in (0, 1, 2, 3, 3, 4, 4, 5)]
    assert [bands.names[one].partition(" ")[0] for one in bands.of_id[3:]] == expected


@pytest.mark.parametrize("firsts", [POSITIONS, OCCURRENCES])
def test_bands_begin_where_their_names_say(firsts):
    names = band_names(firsts)
    for value in range(firsts[0], 300):
        first, _, last = names[band_of(np.array([value]), firsts)[0]].replace(",", "").partition("-")
        if first.endswith("more"):
            assert value >= int(first.split()[0])
        else:
            assert int(first) <= value <= int(last or first)
