"""HTML pages: self-contained, with all text escaped."""

import html.parser

import pytest

from theano_rnn.results.pages import escaped, write_page


class Texts(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.texts = [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.texts.append(data)


def test_a_page_shows_text_unchanged_and_loads_nothing(tmp_path):
    write_page(tmp_path / "a.html", "<b>&", (f"<p>{escaped(text)}</p>" for text in ("a < b", '"x"')))
    page = Texts()
    page.feed((tmp_path / "a.html").read_text(encoding="utf-8"))
    assert {"<b>&", "a < b", '"x"'} <= set(page.texts)
    assert {"b", "link", "script", "img"}.isdisjoint(tag for tag, _ in page.tags)
    assert ("meta", {"charset": "utf-8"}) in page.tags


@pytest.mark.parametrize(
    "text, shown",
    [
        ("é 猫 😀", "é 猫 😀"),
        ("a\x00b\x1b[0m", "a\\x00b\\x1b[0m"),
        ("\ud800", "\\ud800"),
        ("\u202e", "\\u202e"),
        ("\u2028\u200b\n", "\\u2028\\u200b\\n"),
        ("a\tb\xa0c\u3000d", "a\tb\xa0c\u3000d"),
        ("\u0645\u06cc\u200c\u062e 👩\u200d👧", "\u0645\u06cc\u200c\u062e 👩\u200d👧"),
        ("'\"<&>", "&#x27;&quot;&lt;&amp;&gt;"),
    ],
)
def test_invisible_characters_are_escaped(text, shown):
    assert escaped(text) == shown
