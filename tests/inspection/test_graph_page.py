"""The page of the forward graph shows every box and every text, is well-formed, and loads nothing."""

import xml.etree.ElementTree
from pathlib import Path
from typing import Any

import pytest

from theano_rnn.engines.engine import engine_name
from theano_rnn.inspection.forward_graph import Box, ForwardGraph
from theano_rnn.inspection.graph_page import Section, draw_boxes, graph_sections, svg_path, write_graph_page
from theano_rnn.networks.rnn import RNN

HAS_PROGRAM = engine_name() == "pytensor"  # of XLA
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def sections() -> list[Section]:
    return graph_sections(ForwardGraph(RNN(11, 5, seed=1)), with_program=HAS_PROGRAM)


def test_pictures_are_well_formed_and_show_every_box_and_line(sections: list[Section]) -> None:
    drawn = [section for section in sections if section.boxes]
    assert len(drawn) == 4
    for section in drawn:
        assert section.boxes
        root = xml.etree.ElementTree.fromstring(draw_boxes(section.boxes, section.heading))
        assert len(root.findall(f".//{SVG}rect")) == len(section.boxes)
        assert len(root.findall(f".//{SVG}path")) == sum(len(box.inputs) for box in section.boxes)
        texts = {text.text for text in root.iter(f"{SVG}text")}
        assert {box.label for box in section.boxes} <= texts
        for rectangle in root.findall(f".//{SVG}rect"):
            assert 0 <= float(rectangle.get("x", "")) <= float(root.get("width", ""))


def test_labels_are_escaped() -> None:
    box = Box("operation", "<script>&\x00", "n", "?")
    assert "<script>" not in draw_boxes([box], "t<") and "&lt;script&gt;&amp;\\x00" in draw_boxes([box], "t<")


def test_the_page_has_pictures_and_texts_and_loads_nothing(sections: list[Section], tmp_path: Path) -> None:
    write_graph_page(tmp_path / "a.html", "The graph of <a>", sections)
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 4 and page.count("<pre>") == 2 + HAS_PROGRAM
    assert "The graph of &lt;a&gt;" in page and ("HloModule" in page) == HAS_PROGRAM
    assert "<script" not in page and "<link" not in page and 'src="' not in page
    assert page.count("http") == page.count("http://www.w3.org/2000/svg")


def test_xlas_program_is_not_made_unless_it_is_requested() -> None:
    class FakeForwardGraph:
        symbolic: Any = staticmethod(lambda: ("text", []))
        compiled: Any = symbolic
        step: Any = staticmethod(list)
        compiled_step: Any = step

    forward: Any = FakeForwardGraph()
    assert [section.heading for section in graph_sections(forward)][-1] == "One step of its loop, compiled"


def test_a_line_bends_between_its_points() -> None:
    assert svg_path([(0, 0), (10, 20)]) == "M0.0 0.0C0.0 10.0 10.0 10.0 10.0 20.0"
