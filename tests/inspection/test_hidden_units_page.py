import dataclasses
import functools
import html.parser
import re

import numpy as np
import pytest

from theano_rnn.inspection.hidden_units import observe, unit_figures
from theano_rnn.inspection.hidden_units_page import marked_token, shade_styles, shown, write_units_page
from theano_rnn.language_models.language_model import LanguageModel
from theano_rnn.networks.rnn import RNN
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import Vocabulary

WORDS = ["SENTENCE_START", "SENTENCE_END", "UNKNOWN_TOKEN", "the", "dog", "<b>", "&"]


@functools.cache
def language_model(level="word", activation="tanh"):
    words = WORDS if level == "word" else [*WORDS[:3], "a", "b"]
    rnn = RNN(len(words), 7, activation=activation, seed=4)
    rnn.set_values({name: 3 * value for name, value in rnn.get_values().items()})
    return LanguageModel(rnn, Vocabulary(words, level == "char"), Tokenizer(level, tokenized=level == "word"))


class Spans(html.parser.HTMLParser):
    """[(classes, title, text)] of the coloured tokens, and all other tags."""

    def __init__(self):
        super().__init__()
        self.spans, self.tags, self.current = [], [], None

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.append(tag)
        if tag == "span" and "title" in attributes:
            self.current = [attributes["class"].split(), attributes["title"], ""]

    def handle_data(self, data):
        if self.current:
            self.current[2] += data

    def handle_endtag(self, tag):
        if tag == "span" and self.current:
            self.spans.append(self.current)
            self.current = None


def page_of(path, observed):
    write_units_page(path / "a.html", "Units of <m>", observed)
    text = (path / "a.html").read_text(encoding="utf-8")
    page = Spans()
    page.feed(text)
    return page, text


def test_each_token_has_the_shade_and_the_value_of_its_state(tmp_path):
    observed = observe(language_model(), ["the <b> & cat", "dog"], [5])
    page, text = page_of(tmp_path, observed)
    values = np.concatenate(observed.values)[:, 5]
    assert [span[2] for span in page.spans] == ["the", "<b>", "&", "cat", "dog"]
    for (classes, title, _), value in zip(page.spans, values, strict=True):
        assert classes[0] == f"v{round(float(value) * 10)}"
        assert title == shown(value)
    assert [span[2] for span in page.spans if "u" in span[0]] == ["cat"]
    assert "Units of &lt;m&gt;" in text and "starts anew" in text
    assert {"script", "link", "img", "b"}.isdisjoint(page.tags)


def test_lines_of_words_are_shown_as_they_were_written(tmp_path):
    lm = LanguageModel(language_model().rnn, language_model().vocabulary, Tokenizer())
    page, text = page_of(tmp_path, observe(lm, ["The  dog,  can't", 'say "the dog"'], [0]))
    assert [span[2] for span in page.spans] == ["The", "dog", ",", "ca", "n't", "say", '"', "the", "dog", '"']
    assert re.sub("<[^>]*>", "", text.partition('<div class="text">')[2]).split("\n")[1] == "The  dog,  can&#x27;t"


def test_characters_keep_their_lines_and_blanks(tmp_path):
    observed = observe(language_model("char"), ["a b", "", "b"], [0])
    page, text = page_of(tmp_path, observed)
    assert [span[2] for span in page.spans] == ["a", " ", "b", "", "", "b", ""]
    assert [place for place, span in enumerate(page.spans) if "e" in span[0]] == [3, 4, 6]
    assert text.count('<p dir="auto">') == 3
    assert "carried on from line to line" in text


def test_relu_is_shaded_up_to_its_largest_value(tmp_path):
    observed = observe(language_model(activation="relu"), ["the dog the <b> dog"], [1])
    (one,) = observed.figures
    assert 0 < one.highest < 0.9  # or else the scale of tanh would do
    page, _ = page_of(tmp_path, observed)
    shades = [int(span[0][0].removeprefix("v")) for span in page.spans]
    assert max(shades) == 10 and min(shades) >= 0


def test_a_relu_unit_that_is_always_zero_can_be_shown(tmp_path):
    observed = observe(language_model(activation="relu"), ["the dog"], [1])
    values = [np.zeros_like(observed.values[0])]
    figures = unit_figures([1], observed.readings, values)
    page, _ = page_of(tmp_path, dataclasses.replace(observed, values=values, figures=figures))
    assert [span[1] for span in page.spans] == ["0.00", "0.00"]


def test_without_a_choice_five_units_are_shown_the_table_links_to_them(tmp_path):
    observed = observe(language_model(), ["the dog the & dog"])
    page, text = page_of(tmp_path, observed)
    expected = [str(one.unit) for one in observed.figures[:5]]
    assert re.findall(r'<h2 id="unit(\d)">', text) == re.findall(r'href="#unit(\d)"', text) == expected
    assert len(page.spans) == 5 * 5


def test_a_text_that_was_cut_says_so(tmp_path):
    lm = language_model()
    assert "The first 2 tokens of the text" in page_of(tmp_path, observe(lm, ["the dog the"], [0], 2))[1]
    assert "The text has 3 tokens" in page_of(tmp_path, observe(lm, ["the dog the"], [0], 3))[1]


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return np.dot(linear, [0.2126, 0.7152, 0.0722])


def test_the_text_is_readable_on_every_shade():
    colours = dict(re.findall(r"\.v(-?\d+) \{ background: #(\w{6}); \}", shade_styles()))
    assert list(map(int, colours)) == list(range(-10, 11))
    text = luminance("1a1a1a")
    for colour in colours.values():  # contrast ratio of the Web Content Accessibility Guidelines, level AAA
        assert (luminance(colour) + 0.05) / (text + 0.05) >= 7


@pytest.mark.parametrize("value, text", [(-0.004, "0.00"), (0.5, "0.50"), (-0.999, "−1.00"), (12.345, "12.35")])
def test_values_have_two_digits_and_no_negative_zero(value, text):
    assert shown(value) == text


def test_no_token_can_harm_the_page():
    assert marked_token("<i>\x00", 3, 0.31, True) == '<span class=v3 title="0.31">&lt;i&gt;\\x00</span>'
