"""The page of predicted labels shows each text as it was written, with its words colored."""

import math
import re

from theano_rnn.results.label_page import LabelledLine, marked_text, write_label_page


def test_the_text_is_shown_as_it_was_written_with_a_value_for_each_token():
    tokens, influences = ["it", "'s", "<b>great</b>", "!"], [0.0, -0.2, 2.0, math.nan]
    found = marked_text(LabelledLine("It's  <b>GREAT</b>!", "good", 0.9, tokens, influences))
    expected = [("3", "+0.00"), ("2", "-0.20"), ("6", "+2.00"), ("3", "+nan")]
    assert re.findall(r'class=c(\d) title="([^"]*)"', found) == expected
    assert re.sub(r"<[^>]*>", "", found) == "It&#x27;s  &lt;b&gt;GREAT&lt;/b&gt;!"


def test_tokens_that_are_not_in_the_text_are_joined():
    found = marked_text(LabelledLine("one two three", "good", 0.9, ["one", "deux"], [1.0, 1.0]))
    assert re.sub(r"<[^>]*>", "", found) == "one deux"


def test_the_page_has_every_text_with_label_and_probability(tmp_path):
    lines = [LabelledLine(f"Text {i}", "a<b", 0.5, ["text", str(i)], [0.1, 0.2]) for i in range(3)]
    write_label_page(tmp_path / "p.html", "Labels", {"model": "m.npz"}, lines)
    page = (tmp_path / "p.html").read_text(encoding="utf-8")
    assert page.count('<div class="t">') == 3
    assert "3 · a&lt;b 0.500" in page and "<th>model</th><td>m.npz</td>" in page
