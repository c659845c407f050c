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
        ({"nbest": True, "words": True}, "`nbest` and `words` exclude each other"),
        ({"nbest": True, "summary": True}, "`nbest` and `summary` exclude each other"),
        ({"nbest": True, "format": "json"}, "`nbest` and `format=json` exclude each other"),
    ],
)
def test_invalid_options_are_rejected(settings, message):
    with pytest.raises(OptionError, match=re.escape(message)):
        ScoringOptions(**settings)
