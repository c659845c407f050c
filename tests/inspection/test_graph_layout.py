"""The layout of any graph: boxes below their inputs, no overlaps, lines from box to box."""

import random

import pytest

from theano_rnn.inspection.graph_layout import LAYER_GAP, count_crossings, lay_out, lower_neighbors, order_layers


def random_graph(seed: int) -> tuple[list[tuple[float, float]], list[list[int]]]:
    generator = random.Random(seed)
    count = generator.randint(1, 25)
    sizes: list[tuple[float, float]] = [(generator.randint(20, 200), generator.choice([24, 40])) for _ in range(count)]
    inputs = [[generator.randrange(i) for _ in range(generator.randint(0, min(3, i)))] for i in range(count)]
    return sizes, inputs


@pytest.mark.parametrize("seed", range(40))
def test_boxes_stand_below_their_inputs_and_do_not_overlap(seed: int) -> None:
    sizes, inputs = random_graph(seed)
    layout = lay_out(sizes, inputs)
    for i, (x, y) in enumerate(layout.boxes):
        width, height = sizes[i]
        assert -1e-6 <= x and x + width <= layout.width + 1e-6 and 0 <= y and y + height <= layout.height + 1e-6
        for source in inputs[i]:
            assert layout.boxes[source][1] + sizes[source][1] + LAYER_GAP <= y + 1e-6
        for j in range(i):
            other_x, other_y = layout.boxes[j]
            beside = x + width <= other_x + 1e-6 or other_x + sizes[j][0] <= x + 1e-6
            above_or_below = y + height <= other_y or other_y + sizes[j][1] <= y
            assert beside or above_or_below, (i, j)


@pytest.mark.parametrize("seed", range(10))
def test_a_line_for_each_input_leads_from_edge_to_edge_and_through_no_box(seed: int) -> None:
    sizes, inputs = random_graph(seed)
    layout = lay_out(sizes, inputs)
    expected = sorted((source, target) for target, sources in enumerate(inputs) for source in sources)
    assert sorted((source, target) for source, target, _ in layout.lines) == expected
    for source, target, points in layout.lines:
        (x, y), (end_x, end_y) = points[0], points[-1]
        assert (x, y) == pytest.approx(
            (layout.boxes[source][0] + sizes[source][0] / 2, layout.boxes[source][1] + sizes[source][1])
        )
        assert end_y == layout.boxes[target][1]
        assert layout.boxes[target][0] < end_x < layout.boxes[target][0] + sizes[target][0]
        for point_x, point_y in points[1:-1]:
            for (box_x, box_y), (width, height) in zip(layout.boxes, sizes, strict=True):
                assert not (box_x < point_x < box_x + width and box_y < point_y < box_y + height)


def test_avoidable_crossings_are_avoided() -> None:
    upper: dict[int, list[int]] = {0: [], 1: [], 2: [1], 3: [0]}
    layers = [[0, 1], [2, 3]]
    assert count_crossings(layers, upper) == 1
    assert count_crossings(order_layers(layers, upper, lower_neighbors(upper, 4)), upper) == 0


def test_a_line_passes_boxes_on_the_side_where_it_ends() -> None:
    for last, is_left in (([0, 2], True), ([2, 0], False)):
        layout = lay_out([(60, 24)] * 4, [[], [0], [1], last])
        (points,) = (points for source, target, points in layout.lines if (source, target) == (0, 3))
        assert all((x < layout.boxes[1][0] + 30) == is_left for x, _ in points[1:-1])


def test_a_layout_without_boxes_has_no_width() -> None:
    assert lay_out([], []).width == 0
