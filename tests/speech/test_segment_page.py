"""The page of recordings: everything is escaped, the sound is in it, and its size has a limit."""

import base64
import html
import io
import json
import re
import wave
from html.parser import HTMLParser

import numpy as np
import pytest
from support.recording_views import FOUND, GIVEN, LABELS, make_view
from support.sounds import tone

from theano_rnn.speech.segment_page import LONGEST_SHOWN, page_stretches, png_bytes, wave_bytes, write_segment_page

VOID = {"meta", "rect", "line", "path", "image"}


class Tags(HTMLParser):
    """Counts tags, and checks that each is closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.count = [], {}
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.count[tag] = self.count.get(tag, 0) + 1
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.count[tag] = self.count.get(tag, 0) + 1

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def page_of(folder, views, durations, about=None):
    write_segment_page(folder / "p.html", about or {"model": "<m>&"}, views, durations)
    return (folder / "p.html").read_text(encoding="utf-8")


def data_of(page, name):
    return [json.loads(html.unescape(value)) for value in re.findall(rf'data-{name}="([^"]*)"', page)]


def test_texts_are_escaped_and_tags_are_balanced(tmp_path):
    page = page_of(tmp_path, [make_view(), make_view(frames=1, given=None)], [0.3, 0.01])
    count = Tags(page).count
    assert count["section"] == 2 and count["script"] == 1 and "b" not in count and "r" not in count
    assert "\x07" not in page and "http" not in page.replace("http-equiv", "")
    [labels] = data_of(page, "labels")
    assert labels[0] == LABELS[0] and labels[2] == LABELS[2] and "\\x07" in labels[1]


def test_the_script_gets_segments_and_the_best_labels_of_each_frame(tmp_path):
    view = make_view()
    [data] = data_of(page_of(tmp_path, [view], [0.3]), "view")
    assert [one[:2] for one in data["given"]] == [[one.start, one.end] for one in GIVEN]
    assert [one[3] for one in data["found"]] == [one.probability for one in FOUND]
    assert [frame[0][0] for frame in data["top"]] == view.probabilities.argmax(axis=1).tolist()
    assert data["top"][0][0][1] == round(1000 * view.probabilities[0].max())


def test_found_segments_that_differ_from_given_ones_are_marked(tmp_path):
    page = page_of(tmp_path, [make_view()], [0.3])
    assert page.count('<g class="d">') == 1
    assert '<g class="d">' not in page_of(tmp_path, [make_view(given=None)], [0.3])


def test_the_sound_of_the_stretch_is_in_the_page(tmp_path):
    soundfile = pytest.importorskip("soundfile")
    sound = tone(3, 8000)
    soundfile.write(tmp_path / "r.wav", sound, 8000, subtype="FLOAT")
    view = make_view(frames=300, seconds=1.5, path=tmp_path / "r.wav", rate=8000)
    page = page_of(tmp_path, [view], [3.0])
    data = base64.b64decode(re.search(r'src="data:audio/wav;base64,([^"]+)"', page)[1])
    with wave.open(io.BytesIO(data)) as file:
        assert (file.getframerate(), file.getsampwidth(), file.getnframes()) == (8000, 2, 12000)
        samples = np.frombuffer(file.readframes(12000), "<i2")
    np.testing.assert_allclose(samples / 32767, sound[:12000], atol=1e-4)
    assert "There is no sound to play" in page_of(tmp_path, [make_view()], [0.3])


def test_a_page_says_what_it_leaves_out(tmp_path):
    assert page_stretches([3600, 5]) == [LONGEST_SHOWN]
    assert len(page_stretches([0.01] * 1000)) == 200
    page = page_of(tmp_path, [make_view()], [3600, 5])
    assert "This page shows the first 600 s of 3,605 s, 1 of 2 recordings: at most 200 recordings and 600 s." in page
    assert "This page shows" not in page_of(tmp_path, [make_view()], [0.3])


def test_many_frames_make_a_page_of_few_megabytes(tmp_path):
    view = make_view(frames=20_000, seconds=200.0, given=None)
    page = page_of(tmp_path, [view], [3600])
    assert len(page) < 2e6
    widths = [float(width) for width in re.findall(r'<image [^>]*width="([\d.]+)"', page)]
    assert max(widths) <= 3000 and sum(widths) == pytest.approx(2 * 200 * 300)


def test_pictures_and_sounds_are_read_back(tmp_path):
    shades = np.linspace(0, 1, 12).reshape(3, 4)
    image = pytest.importorskip("PIL.Image").open(io.BytesIO(png_bytes(shades, (255, 255, 255), (0, 0, 0))))
    found = np.asarray(image.convert("L"))
    np.testing.assert_allclose(found, 255 * (1 - shades), atol=5)
    with wave.open(io.BytesIO(wave_bytes(np.array([-2, 0, 2], np.float32), 8000))) as file:
        assert np.frombuffer(file.readframes(3), "<i2").tolist() == [-32767, 0, 32767]
