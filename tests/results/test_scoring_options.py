"""Options of scoring: defaults, ranges, and options that exclude each other."""

import math
import re

import pytest

from theano_rnn.errors import OptionError
from theano_rnn.results.score_formats import ScoringOptions


def test_defaults_are_natural_logarithms_with_unknown_words():
    options = ScoringOptions()
    assert (options.format, options.log_base, options.unknown, options.mix_weight) == ("tsv", "e", "include", 0.5)


def test_the_srilm_format_has_base_10_and_excludes_unknown_words():
    assert (ScoringOptions("srilm").log_base, ScoringOptions("srilm").unknown) == ("10", "exclude")
    assert ScoringOptions("srilm", log_base="10", unknown="include").unknown == "include"


@pytest.mark.parametrize(
    "mix_model, mix_weight, expected",
    [
        ([], None, [1]),
        ([None], None, [0.5, 0.5]),
        ([0.3], None, [0.7, 0.3]),
        ([None], 1, [1, 0]),
        ([None], 0.25, [0.25, 0.75]),
        ([None], "best", [0.5, 0.5]),
        ([0.4, None, 0.2], None, [0.2, 0.4, 0.2, 0.2]),
        ([0.4, 0.6], None, [0, 0.4, 0.6]),
    ],
)
def test_the_weights_of_models_have_the_sum_1(mix_model, mix_weight, expected):
    options = ScoringOptions(mix_model=[("m", weight) for weight in mix_model], mix_weight=mix_weight)
    assert options.weights == pytest.approx(expected)


@pytest.mark.parametrize("settings", [{"pairs": True}, {"nbest": True}, {"mix": "m.txt"}])
def test_pairs_lists_and_files_have_one_sentence_per_line(settings):
    assert ScoringOptions(**settings).split is False and ScoringOptions(given="x").split is None


@pytest.mark.parametrize("weight", [0, 0.5, 1])
def test_weights_from_0_to_1_are_valid(weight):
    assert ScoringOptions(nbest=True, weight=weight, mix="m.txt", mix_weight=weight).weight == weight


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"format": "xml"}, "format: expected one of tsv, csv, json, srilm, got 'xml'"),
        ({"log_base": "3"}, "log_base: expected one of e, 2, 10, got '3'"),
        ({"unknown": "maybe"}, "unknown: expected one of include, exclude, got 'maybe'"),
        ({"nbest": True, "weight": 1.5}, "weight: expected a number from 0 to 1, got 1.5"),
        ({"nbest": True, "weight": math.nan}, "weight: expected a number from 0 to 1, got nan"),
        ({"mix": "m.txt", "mix_weight": -0.1}, "mix_weight: expected a number from 0 to 1, got -0.1"),
        ({"words": True, "summary": True}, "`words` and `summary` exclude each other"),
        ({"format": "srilm", "log_base": "e"}, "log_base: the srilm format always has base 10, got e"),
        ({"mix_weight": 0.5}, "mix_weight: there is no file to mix with"),
        ({"best": True}, "best: applies only to n-best lists"),
        ({"weight": 0.5}, "weight: applies only to n-best lists"),
        ({"mix": "m.txt", "mix_weight": "most"}, "mix_weight: expected a number from 0 to 1, got 'most'"),
        ({"mix_model": [("m", 0.5), ("n", 0.6)]}, "mix_model: expected weights with a sum of at most 1, got 1.1"),
        ({"mix_model": [("m", 1.5)]}, "mix_model: expected a number from 0 to 1, got 1.5"),
        ({"mix_model": [("m", 0.5)], "mix_weight": 0.5}, "mix_weight: applies to one `mix_model` without a weight"),
        ({"mix_model": [("m", None)], "mix": "m.txt"}, "`mix` and `mix_model` exclude each other"),
        ({"by_word": True}, "by_word: applies only to rows of words; add `words`"),
        ({"by": "UID"}, "by: applies only to minimal pairs; add `pairs`"),
        ({"pairs": True, "given": "x"}, "`pairs` and `given` exclude each other"),
        ({"pairs": True, "mix": "m.txt", "mix_weight": "best"}, "`pairs` and `mix` exclude each other; the file has"),
        ({"nbest": True, "mix": "m.txt", "mix_weight": "best"}, "`nbest` and `mix_weight=best` exclude each other"),
        ({"nbest": True, "words": True}, "`nbest` and `words` exclude each other"),
        ({"nbest": True, "summary": True}, "`nbest` and `summary` exclude each other"),
        ({"nbest": True, "format": "json"}, "`nbest` and `format=json` exclude each other"),
    ],
)
def test_invalid_options_are_rejected(settings, message):
    with pytest.raises(OptionError, match=re.escape(message)):
        ScoringOptions(**settings)
