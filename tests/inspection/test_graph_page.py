import xml.etree.ElementTree

import pytest

from theano_rnn.engines.engine import engine_name
from theano_rnn.inspection.forward_graph import Box, ForwardGraph
from theano_rnn.inspection.graph_page import curve, graph_sections, picture, write_graph_page
from theano_rnn.networks.rnn import RNN

HAS_PROGRAM = engine_name() == "pytensor"  # of XLA
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def sections():
    return graph_sections(ForwardGraph(RNN(11, 5, seed=1)), with_program=HAS_PROGRAM)


def test_pictures_are_well_formed_and_show_each_box_and_line(sections):
    drawn = [section for section in sections if section.boxes]
    assert len(drawn) == 4
    for section in drawn:
        root = xml.etree.ElementTree.fromstring(picture(section.boxes, section.heading))
        assert len(root.findall(f".//{SVG}rect")) == len(section.boxes)
        assert len(root.findall(f".//{SVG}path")) == sum(len(box.inputs) for box in section.boxes)
        texts = {text.text for text in root.iter(f"{SVG}text")}
        assert {box.label for box in section.boxes} <= texts
        for rectangle in root.findall(f".//{SVG}rect"):
            assert 0 <= float(rectangle.get("x")) <= float(root.get("width"))


def test_labels_cannot_harm_the_page():
    box = Box("operation", "<script>&\x00", "n", "?")
    assert "<script>" not in picture([box], "t<") and "&lt;script&gt;&amp;\\x00" in picture([box], "t<")


def test_the_page_has_pictures_and_texts_and_loads_nothing(sections, tmp_path):
    write_graph_page(tmp_path / "a.html", "The graph of <a>", sections)
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 4 and page.count("<pre>") == 2 + HAS_PROGRAM
    assert "The graph of &lt;a&gt;" in page and ("HloModule" in page) == HAS_PROGRAM
    assert "<script" not in page and "<link" not in page and 'src="' not in page
    assert page.count("http") == page.count("http://www.w3.org/2000/svg")


def test_without_the_program_nothing_of_it_is_made():
    class Forward:
        symbolic = compiled = staticmethod(lambda: ("text", []))
        step = compiled_step = staticmethod(list)

    assert [section.heading for section in graph_sections(Forward())][-1] == "One step of its loop, compiled"


def test_a_line_bends_between_its_points():
    assert curve([(0, 0), (10, 20)]) == "M0.0 0.0C0.0 10.0 10.0 10.0 10.0 20.0"
