"""The page shows each token of a text in the color of a unit's value."""

import dataclasses
import functools
import html.parser
import re
from pathlib import Path

import numpy as np
import pytest

from theano_rnn.inspection.hidden_units import HiddenActivity, hidden_activity, unit_statistics
from theano_rnn.inspection.hidden_units_page import format_value, mark_token, shade_styles, write_units_page
from theano_rnn.language_models.language_model import LanguageModel
from theano_rnn.networks.rnn import RNN
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import Vocabulary

WORDS = ["SENTENCE_START", "SENTENCE_END", "UNKNOWN_TOKEN", "the", "dog", "<b>", "&"]


@functools.cache
def language_model(level: str = "word", activation: str = "tanh") -> LanguageModel:
    words = WORDS if level == "word" else [*WORDS[:3], "a", "b"]
    rnn = RNN(len(words), 7, activation=activation, seed=4)
    rnn.set_values({name: 3 * value for name, value in rnn.get_values().items()})
    return LanguageModel(rnn, Vocabulary(words, level == "char"), Tokenizer(level, tokenized=level == "word"))


class Spans(html.parser.HTMLParser):
    """(classes, title, text) of each colored token, and the names of all tags."""

    def __init__(self) -> None:
        super().__init__()
        self.spans: list[tuple[list[str], str, str]] = []
        self.tags: list[str] = []
        self.current: tuple[list[str], str, str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.tags.append(tag)
        if tag == "span" and "title" in attributes:
            self.current = (attributes["class"] or "").split(), attributes["title"] or "", ""

    def handle_data(self, data: str) -> None:
        if self.current:
            classes, title, text = self.current
            self.current = classes, title, text + data

    def handle_endtag(self, tag: str) -> None:
        if tag == "span" and self.current:
            self.spans.append(self.current)
            self.current = None


def page_of(path: Path, activity: HiddenActivity) -> tuple[Spans, str]:
    write_units_page(path / "a.html", "Units of <m>", activity)
    text = (path / "a.html").read_text(encoding="utf-8")
    page = Spans()
    page.feed(text)
    return page, text


def test_each_token_has_the_shade_and_the_value_of_its_state(tmp_path: Path) -> None:
    activity = hidden_activity(language_model(), ["the <b> & cat", "dog"], [5])
    page, text = page_of(tmp_path, activity)
    values = np.concatenate(activity.states)[:, 5]
    assert [span[2] for span in page.spans] == ["the", "<b>", "&", "cat", "dog"]
    for (classes, title, _), value in zip(page.spans, values, strict=True):
        assert classes[0] == f"v{round(float(value) * 10)}"
        assert title == format_value(value)
    assert [span[2] for span in page.spans if "u" in span[0]] == ["cat"]
    assert "Units of &lt;m&gt;" in text and "is zero at the beginning of each sentence" in text
    assert {"script", "link", "img", "b"}.isdisjoint(page.tags)


def test_lines_of_words_are_shown_as_they_were_written(tmp_path: Path) -> None:
    lm = LanguageModel(language_model().rnn, language_model().vocabulary, Tokenizer())
    page, text = page_of(tmp_path, hidden_activity(lm, ["The  dog,  can't", 'say "the dog"'], [0]))
    assert [span[2] for span in page.spans] == ["The", "dog", ",", "ca", "n't", "say", '"', "the", "dog", '"']
    assert re.sub("<[^>]*>", "", text.partition('<div class="text">')[2]).split("\n")[1] == "The  dog,  can&#x27;t"


def test_characters_keep_their_lines_and_spaces(tmp_path: Path) -> None:
    activity = hidden_activity(language_model("char"), ["a b", "", "b"], [0])
    page, text = page_of(tmp_path, activity)
    assert [span[2] for span in page.spans] == ["a", " ", "b", "", "", "b", ""]
    assert [place for place, span in enumerate(page.spans) if "e" in span[0]] == [3, 4, 6]
    assert text.count('<p dir="auto">') == 3
    assert "carried from line to line" in text


def test_relu_values_are_shaded_relative_to_the_largest(tmp_path: Path) -> None:
    activity = hidden_activity(language_model(activation="relu"), ["the dog the <b> dog"], [1])
    (one,) = activity.statistics
    assert 0 < one.highest < 0.9  # otherwise the scale of tanh would pass
    page, _ = page_of(tmp_path, activity)
    shades = [int(span[0][0].removeprefix("v")) for span in page.spans]
    assert max(shades) == 10 and min(shades) >= 0


def test_a_relu_unit_that_is_always_zero_can_be_shown(tmp_path: Path) -> None:
    activity = hidden_activity(language_model(activation="relu"), ["the dog"], [1])
    states = [np.zeros_like(activity.states[0])]
    statistics = unit_statistics([1], activity.sequences, states)
    page, _ = page_of(tmp_path, dataclasses.replace(activity, states=states, statistics=statistics))
    assert [span[1] for span in page.spans] == ["0.00", "0.00"]


def lstm(layers: int = 1) -> LanguageModel:
    rnn = RNN(len(WORDS), 7, cell="lstm", layers=layers, seed=4)
    rnn.set_values({name: 3 * value for name, value in rnn.get_values().items()})
    return LanguageModel(rnn, Vocabulary(WORDS), Tokenizer("word", tokenized=True))


def test_cell_states_are_shaded_relative_to_the_largest_absolute_value(tmp_path: Path) -> None:
    activity = hidden_activity(lstm(), ["the dog the <b> dog"], [1], of="cell")
    page, text = page_of(tmp_path, activity)
    values = activity.states[0][:, 1]
    expected = np.rint(values / np.abs(values).max() * 10)
    assert [int(span[0][0].removeprefix("v")) for span in page.spans] == expected.tolist()
    assert "in c<sub>t</sub>, the cell state after reading the token" in text


def test_gates_are_shaded_from_0_to_1(tmp_path: Path) -> None:
    activity = hidden_activity(lstm(2), ["the dog the <b> dog"], [1], of="forget-gate", layer=1)
    page, text = page_of(tmp_path, activity)
    assert [int(span[0][0].removeprefix("v")) for span in page.spans] == np.rint(activity.states[0][:, 1] * 10).tolist()
    assert 'class="v0">0.00</span> <span class="v5">0.50</span> <span class="v10">1.00</span></p>' in text
    assert "in f<sub>t</sub> of layer 1, the forget gate when the token is read" in text


def test_units_that_follow_a_property_are_listed_with_links_to_those_on_the_page(tmp_path: Path) -> None:
    activity = hidden_activity(language_model("char"), ['a "b a" b'] * 10, by="quotes")
    _, text = page_of(tmp_path, activity)
    (quotes,) = (one.units for one in activity.properties if one.name == "quotes")
    first, correlation = quotes[0]
    assert f'<li>quotes: <a href="#unit{first}">{first}</a> ({format_value(correlation)})' in text
    assert "These are the units that follow quotes best." in text


def test_by_default_five_units_are_shown_and_the_table_links_to_them(tmp_path: Path) -> None:
    activity = hidden_activity(language_model(), ["the dog the & dog"])
    page, text = page_of(tmp_path, activity)
    expected = [str(one.unit) for one in activity.statistics[:5]]
    assert re.findall(r'<h2 id="unit(\d)">', text) == re.findall(r'href="#unit(\d)"', text) == expected
    assert len(page.spans) == 5 * 5


def test_the_page_says_whether_the_text_was_truncated(tmp_path: Path) -> None:
    lm = language_model()
    assert "shows the first 2 tokens of the text" in page_of(tmp_path, hidden_activity(lm, ["the dog the"], [0], 2))[1]
    assert "The text has 3 tokens" in page_of(tmp_path, hidden_activity(lm, ["the dog the"], [0], 3))[1]


def luminance(color: str) -> float:
    parts = [int(color[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


def test_text_is_readable_on_every_shade() -> None:
    colors = dict(re.findall(r"\.v(-?\d+) \{ background: #(\w{6}); \}", shade_styles()))
    assert list(map(int, colors)) == list(range(-10, 11))
    text = luminance("1a1a1a")
    for color in colors.values():  # contrast ratio of the Web Content Accessibility Guidelines, level AAA
        assert (luminance(color) + 0.05) / (text + 0.05) >= 7


@pytest.mark.parametrize("value, text", [(-0.004, "0.00"), (0.5, "0.50"), (-0.999, "−1.00"), (12.345, "12.35")])
def test_values_have_two_decimals_and_no_negative_zero(value: float, text: str) -> None:
    assert format_value(value) == text


def test_tokens_are_escaped() -> None:
    assert mark_token("<i>\x00", 3, 0.31, True) == '<span class=v3 title="0.31">&lt;i&gt;\\x00</span>'
