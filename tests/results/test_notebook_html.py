"""What Jupyter shows: a table of the model, and scores as text whose tokens are colored by their surprisal."""

import copy
import math
import pickle
import re

import numpy as np
import pytest
from support import language_models

from theano_rnn.language_models.text_scoring import ScoredSentence
from theano_rnn.results import notebook_html
from theano_rnn.results.surprisal_page import SHADES, shade

TEXT = "The dog sees  the <zebra> & dog."
SPAN = re.compile(r'<span style="[^"]*background: (#\w+)([^"]*)" title="([\d.]+) bits(, unknown)?">([^<]*)</span>')


@pytest.fixture(scope="module")
def lm():
    return language_models.make(language_models.WORDS)


def test_each_token_has_the_color_and_the_value_of_its_surprisal(lm):
    html = lm.word_scores(TEXT, split=False)._repr_html_()
    found = SPAN.findall(html)
    expected = lm.word_scores(TEXT, split=False)
    assert [text for *_, text in found] == [
        "The",
        "dog",
        "sees",
        "the",
        "&lt;",
        "zebra",
        "&gt;",
        "&amp;",
        "dog",
        ".",
        "↵",
    ]
    for (color, style, value, unknown, _), (_, score, known) in zip(found, expected, strict=True):
        bits = -score / math.log(2)
        assert value == f"{bits:.2f}" and color == SHADES[shade(bits)]
        assert bool(unknown) == ("dotted" in style) == (not known)
    assert "sees</span>  <span" in html  # the text is shown as it was written


def test_all_results_of_the_same_sentences_look_the_same_whatever_the_unit(lm):
    html = lm.word_scores(TEXT)._repr_html_()
    assert lm.word_scores(TEXT, base=2)._repr_html_() == html
    assert lm.word_scores([TEXT])._repr_html_() == html
    assert lm.scored_sentences(TEXT)._repr_html_() == html
    assert lm.scored_sentences([TEXT])._repr_html_() == html
    [sentence] = lm.scored_sentences(TEXT)
    assert sentence._repr_html_() == html


def test_results_are_still_lists_and_can_be_pickled_and_copied(lm):
    for found in (lm.word_scores(TEXT), lm.word_scores([TEXT, ""]), lm.scored_sentences([TEXT])):
        assert isinstance(found, list) and repr(found) == repr(list(found))
        for other in (pickle.loads(pickle.dumps(found)), copy.deepcopy(found)):
            assert repr(other) == repr(found) and other._repr_html_() == found._repr_html_()
    assert lm.word_scores(TEXT) == [*lm.word_scores(TEXT)]


def test_odd_texts_are_escaped_and_long_lists_are_cut(lm, monkeypatch):
    html = lm.word_scores(["", "\u202edog\x00 <script>", "🐕 kůň"])._repr_html_()
    assert "<script>" not in html and "\\u202e" in html and "\x00" not in html and "🐕" in html
    monkeypatch.setattr(notebook_html, "MOST_SENTENCES", 2)
    assert "… and 1 more sentence<" in lm.word_scores(["a", "b", "c"])._repr_html_()
    assert "more sentence" not in lm.word_scores(["a", "b"])._repr_html_()


def test_a_probability_of_zero_has_the_darkest_color():
    sentence = ScoredSentence("dog", ["dog", "SENTENCE_END"], np.array([-np.inf, -0.1]), np.array([True, True]))
    assert f'background: {SHADES[-1]}" title="inf bits">dog' in sentence._repr_html_()


def test_a_model_is_a_table_of_what_it_is(lm):
    html = lm._repr_html_()
    assert "<caption>LanguageModel</caption>" in html and "words, 7 entries" in html
    assert "cell=&#x27;simple&#x27;, hidden_dim=5, layers=1" in html and "95 of float32" in html
    assert "not measured" in html
    characters = language_models.make(list("ab"), "char")
    characters.training = {"history": [{"epoch": 1, "valid_loss": math.log(4)}]}
    assert "characters, 5 entries" in characters._repr_html_() and "2.00 bits/char" in characters._repr_html_()
