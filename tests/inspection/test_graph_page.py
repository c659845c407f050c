"""The page of the forward graph shows every box and every text, is well-formed, and loads nothing."""

import xml.etree.ElementTree
from pathlib import Path
from typing import Any

import pytest

from theano_rnn.engines.engine import engine_name
from theano_rnn.inspection.forward_graph import Box, ForwardGraph
from theano_rnn.inspection.graph_page import (
    Section,
    draw_boxes,
    formulas,
    graph_sections,
    svg_path,
    write_graph_page,
)
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


def test_xlas_program_is_not_compiled_unless_it_is_requested() -> None:
    class FakeForwardGraph:
        rnn: Any = RNN(11, 5, seed=1)
        symbolic: Any = staticmethod(lambda: ("text", []))
        compiled: Any = symbolic
        step: Any = staticmethod(lambda layer: [])
        compiled_step: Any = step

    forward: Any = FakeForwardGraph()
    assert [section.heading for section in graph_sections(forward)][-1] == "One step of its loop, compiled"


def test_each_layer_has_the_step_of_its_loop() -> None:
    forward = ForwardGraph(RNN(11, 5, cell="lstm", layers=2, bias=True, seed=1))
    sections = [(section.heading, section.description) for section in graph_sections(forward)]
    after = "after the same rewrites"
    assert sections[0][1] == "as theano_rnn builds it from x, U, W, V, b, U2, W2, b2 and c"
    assert [one for one in sections if "step" in one[0]] == [
        ("One step of the loop of layer 1", "what scan repeats: s_t and c_t from a_t, s_{t-1} and c_{t-1}"),
        ("One step of the loop of layer 2", "what scan repeats: s_t and c_t from a_t, s_{t-1} and c_{t-1}"),
        ("One step of the loop of layer 1, compiled", after),
        ("One step of the loop of layer 2, compiled", after),
    ]


def test_the_tutorials_network_has_the_headings_of_the_tutorial(sections: list[Section]) -> None:
    assert [section.heading for section in sections[:4]] == [
        "The symbolic graph",
        "One step of its loop",
        "The compiled graph",
        "One step of its loop, compiled",
    ]
    assert sections[0].description == "as theano_rnn builds it from x, U, W and V"
    assert sections[1].description == "what scan repeats: s_t from U x_t and s_{t-1}"


def test_the_page_has_the_formulas_of_the_cell(tmp_path: Path) -> None:
    assert formulas(RNN(11, 5, bias=True, layers=2)).startswith("a_t = U x_t + b, s_t = f(a_t + W s_{t-1}), o_t = soft")
    assert "z s_{t-1}, o_t = softmax(V s_t)" in formulas(RNN(11, 5, cell="gru"))
    write_graph_page(tmp_path / "a.html", "t", [], formulas(RNN(11, 5, cell="lstm")))
    assert "c_t = f c_{t-1} + i g" in (tmp_path / "a.html").read_text(encoding="utf-8")


def test_a_line_bends_between_its_points() -> None:
    assert svg_path([(0, 0), (10, 20)]) == "M0.0 0.0C0.0 10.0 10.0 10.0 10.0 20.0"
