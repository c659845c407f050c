"""The page that colors each token by its surprisal, parsed as a browser would."""

import html.parser
import io
import math
import os
import re
import signal
import tracemalloc

import numpy as np
import pytest

from theano_rnn.errors import OutputFileError
from theano_rnn.files.signals import SignalReceived, handling_signals
from theano_rnn.results import surprisal_page
from theano_rnn.results.surprisal_page import EDGES, SHADES, STYLE, TEXT_COLOR, SurprisalPage, marked_line, shade
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import SENTENCE_END

LINES = [
    'He said  "no", I don’t\tknow.',
    "",
    "<b>not bold</b> & <script>alert('1')</script>",
    "猫 sat, هذا نص 👩‍👩‍👧 İstanbul ΟΔΟΣ",
    "می‌خواهم\xa0a\u3000b",
]


class Page(html.parser.HTMLParser):
    """Parses a page: for each sentence [(text of an element, {attributes})], and all tags."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.sentences, self.open, self.all_text = [], [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.append((tag, attributes))
        if attributes.get("dir") == "auto":
            self.sentences.append([])
        if tag not in ("meta", "br", "input"):
            self.open.append((tag, attributes))
        if tag == "span" and "title" in attributes:
            self.sentences[-1].append(["", attributes])

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        self.all_text += data
        if any(attributes.get("dir") == "auto" for _, attributes in self.open):
            if self.open[-1][0] == "span":
                self.sentences[-1][-1][0] += data
            else:
                self.sentences[-1].append([data, None])


def scored(line, tokenizer, seed=0):
    """A line with random scores: (line, tokens, values, known)."""
    words = [*tokenizer.tokenize(line), SENTENCE_END]
    generator = np.random.default_rng([seed, len(line)])
    return line, words, -generator.exponential(5, len(words)), generator.random(len(words)) < 0.7


def written(path, sentences, about=None):
    page = SurprisalPage(path, "Surprisal", about or {})
    for sentence in sentences:
        page.add_sentence(*sentence)
    page.finish()
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "tokenizer", [Tokenizer(), Tokenizer(tokenized=True), Tokenizer(level="char")], ids=["words", "tokenized", "char"]
)
def test_the_page_shows_the_text_unchanged_with_the_bits_of_each_token(tmp_path, tokenizer):
    sentences = [scored(line, tokenizer) for line in LINES]
    page = Page(written(tmp_path / "a.html", sentences))
    assert page.open == []
    assert ["".join(text for text, _ in shown) for shown in page.sentences] == LINES
    for shown, (_, words, values, known) in zip(page.sentences, sentences, strict=True):
        marks = [(text, attributes) for text, attributes in shown if attributes]
        assert len(marks) == len(words)
        for (text, attributes), word, value, is_known in zip(marks, words, values, known, strict=True):
            bits, _, rest = attributes["title"].partition(" bits")
            assert float(bits) == pytest.approx(-value / math.log(2), abs=0.0051)
            classes = attributes["class"].split()
            if word == SENTENCE_END:
                assert (text, rest, "e" in classes) == ("", ", end of the sentence", True)
            else:
                assert text and (rest == ", unknown") == ("u" in classes) == (not is_known)
            assert classes[0] == f"c{sum(-value / math.log(2) >= edge for edge in EDGES)}"
    assert "text-decoration: underline dotted" in re.search(r"\.u \{(.*?)\}", STYLE)[1]


def test_the_page_is_self_contained_and_runs_no_script_from_the_text(tmp_path):
    text = written(tmp_path / "a.html", [scored(line, Tokenizer()) for line in LINES], {"text": "<i>.txt"})
    page = Page(text)
    assert [tag for tag, _ in page.tags].count("script") == 1
    assert {tag for tag, _ in page.tags} <= set(
        "html head meta title style body h1 table tr th td p sub br span label input main div output script".split()
    )
    assert {name for _, attributes in page.tags for name in attributes} <= set(
        "lang charset name content class title dir data-bits type hidden".split()
    )
    assert "//" not in text.replace("</script>", "") and "url(" not in text and "@import" not in text
    assert "<i>.txt" in page.all_text


def test_the_summary_table_precedes_the_text(tmp_path):
    values = [np.log([0.5, 0.25]), np.log([0.125, 0.5, 0.5])]
    known = [np.array([True, True]), np.array([False, True, True])]
    words = [["a", SENTENCE_END], ["b", "c", SENTENCE_END]]
    sentences = zip(["a", "b c"], words, values, known, strict=True)
    text = written(tmp_path / "a.html", sentences, {"model": "rnn.npz"})
    rows = dict(re.findall(r"<tr><th>(.*?)</th><td>(.*?)</td></tr>", text.partition("<main>")[0]))
    assert rows == {
        "model": "rnn.npz",
        "sentences": "2",
        "tokens": "5, sentence ends counted",
        "perplexity": f"{2 ** (8 / 5):.2f} per token",
        "surprisal": "1.6000 bits per token",
        "unknown": "1 (33.33% without sentence ends)",
        "without them": f"perplexity {2 ** (5 / 4):.2f}, 1.2500 bits per token",
    }
    assert "<p>1 · 1.50 bits per token · perplexity 2.83 · 2 tokens</p>" in text
    assert "<p>2 · 1.67 bits per token · perplexity 3.17 · 3 tokens · 1 unknown</p>" in text
    assert re.findall(r'data-bits="(.*?)"', text) == ["1.5000", "1.6667"]


def test_at_character_level_the_page_shows_bits_per_character(tmp_path):
    page = SurprisalPage(tmp_path / "a.html", "Surprisal", {}, "char")
    page.add_sentence("a", ["a", SENTENCE_END], np.log([0.5, 0.25]), np.array([False, True]))
    page.finish()
    text = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert "<td>1.5000 bits/char</td>" in text and "<td>2.83 per character</td>" in text
    assert "2.0000 bits/char</td>" in text  # without unknown characters
    assert "<p>1 · 1.50 bits/char · perplexity 2.83 · 2 tokens · 1 unknown</p>" in text


def test_impossible_tokens_are_shown_and_sorted_as_infinite(tmp_path):
    text = written(tmp_path / "a.html", [("a", ["a", SENTENCE_END], np.array([-math.inf, 0]), np.array([True, True]))])
    assert 'data-bits="1000000000.0000"' in text and '<span class=c7 title="inf bits">a</span>' in text
    assert "inf bits per token · perplexity inf" in text


def test_invisible_characters_are_escaped_and_spaces_have_a_tooltip():
    shown = marked_line("\x00 \u202e", ["\x00", " ", "\u202e", SENTENCE_END], [0.0, 1.0, 2.0, 3.0], [True] * 4)
    assert shown == (
        '<span class=c0 title="0.00 bits">\\x00</span><span class="c1 b" title="1.00 bits"> </span>'
        '<span class=c2 title="2.00 bits">\\u202e</span>'
        '<span class="c3 e" title="3.00 bits, end of the sentence"></span>'
    )


def test_tokens_that_do_not_match_the_line_are_shown_themselves():
    shown = marked_line("something else", ["a", "<b>", SENTENCE_END], [0.0, 1.0, 2.0], [True, False, True])
    assert shown.startswith(
        '<span class=c0 title="0.00 bits">a</span> <span class="c1 u" title="1.00 bits, unknown">&lt;b&gt;</span><span'
    )


def luminance(color):
    """Relative luminance by WCAG 2.1."""
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


def test_every_shade_has_enough_contrast_and_is_darker_than_the_previous_one():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert all(contrast(TEXT_COLOR, color) >= 4.5 for color in SHADES)
    assert contrast("#595959", "#ffffff") >= 4.5
    for lighter, darker in zip(SHADES, SHADES[1:], strict=False):
        assert luminance(lighter) > luminance(darker) * 1.05
    assert all(f".c{i} {{ background: {color}; }}" in STYLE for i, color in enumerate(SHADES))


@pytest.mark.parametrize(
    "bits, expected", [(0, 0), (0.99, 0), (1, 1), (2.5, 2), (4.9, 3), (13.9, 6), (14, 7), (math.inf, 7)]
)
def test_shades_follow_the_edges_of_the_legend(bits, expected):
    assert shade(bits) == expected
    assert len(SHADES) == len(EDGES) + 1


def test_the_page_appears_only_when_it_is_complete(tmp_path):
    (tmp_path / "a.html").write_text("old")
    page = SurprisalPage(tmp_path / "a.html", "Surprisal", {})
    page.add_sentence(*scored("a b", Tokenizer()))
    assert [path.name for path in tmp_path.iterdir()] == ["a.html"]
    page.discard()
    assert (tmp_path / "a.html").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.html"]


def test_a_signal_during_writing_keeps_the_old_page(tmp_path, monkeypatch):
    (tmp_path / "a.html").write_text("old")
    page = SurprisalPage(tmp_path / "a.html", "Surprisal", {})
    page.add_sentence(*scored("a b", Tokenizer()))
    monkeypatch.setattr(surprisal_page, "_legend", lambda: os.kill(os.getpid(), signal.SIGTERM) or "")
    with handling_signals(lambda number, frame: None), pytest.raises(SignalReceived):
        page.finish()
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a.html", "old")]


@pytest.mark.parametrize("call", ["write", "seek"])
def test_a_full_disk_is_reported_with_the_name_of_the_page(tmp_path, monkeypatch, call):
    def full(*details):
        raise OSError(28, "No space left on device")

    body = type("FullDisk", (io.BytesIO,), {call: full, "close": full})()
    monkeypatch.setattr(surprisal_page.tempfile, "TemporaryFile", lambda dir: body)
    page = SurprisalPage(tmp_path / "a.html", "Surprisal", {})
    with pytest.raises(OutputFileError, match="a.html: cannot be written: No space left on device; choose another"):
        page.add_sentence(*scored("a b", Tokenizer()))
        page.finish()
    page.discard()
    assert list(tmp_path.iterdir()) == []
    type(body).close = io.BytesIO.close  # Python calls it again when it frees the object


def test_a_missing_folder_is_reported(tmp_path):
    with pytest.raises(OutputFileError, match="a.html: cannot be written: No such file or directory"):
        SurprisalPage(tmp_path / "none" / "a.html", "Surprisal", {})


def test_memory_does_not_grow_with_the_text(tmp_path):
    sentence = scored("some words " * 50, Tokenizer(tokenized=True))
    page = SurprisalPage(tmp_path / "a.html", "Surprisal", {})
    page.add_sentence(*sentence)
    tracemalloc.start()
    for _ in range(100):
        page.add_sentence(*sentence)
    page.finish()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (tmp_path / "a.html").stat().st_size > 450_000 > 1.5 * peak
