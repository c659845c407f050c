"""Lays out a directed graph from top to bottom: positions of boxes, and the lines between them. Must not know networks.

The method is that of Sugiyama, Tagawa and Toda (1981): assign boxes to layers, order each layer so that few lines
cross, then choose horizontal positions. A line that passes through a layer has a dummy box there, which reserves space
for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

GAP, LAYER_GAP = 18, 30  # between boxes of a layer, and between layers, in pixels
DUMMY_WIDTH = 6
SWEEPS = 12  # alternately downwards and upwards

Point = tuple[float, float]
Layers = list[list[int]]  # the boxes of each layer, from left to right


@dataclass(frozen=True)
class Layout:
    """Positions in pixels.

    Attributes
    ----------
    width, height : float
    boxes : list of (x, y)
        The upper left corner of each box.
    lines : list of (source, target, points)
        For each connection, the points (x, y) from the lower edge of one box to the upper edge of the other.
    """

    width: float
    height: float
    boxes: list[Point]
    lines: list[tuple[int, int, list[Point]]]


def lay_out(sizes: Sequence[tuple[float, float]], inputs: Sequence[Sequence[int]]) -> Layout:
    """Place each box below its inputs, so that lines are short and rarely cross.

    Parameters
    ----------
    sizes : sequence of (width, height)
        In pixels.
    inputs : sequence of sequences of int
        For each box, the indices of the boxes from which lines lead to it. They are smaller than its own index.

    Returns
    -------
    Layout

    Examples
    --------
    >>> layout = lay_out([(60, 24), (60, 24)], [[], [0]])
    >>> layout.boxes
    [(0.0, 0), (0.0, 54)]
    >>> layout.lines
    [(0, 1, [(30.0, 24), (30.0, 54)])]
    """
    if not sizes:
        return Layout(0, 0, [], [])
    layer_of = _assign_layers(inputs)
    widths = [width for width, _ in sizes]
    chains, upper, layers = _insert_dummies(inputs, layer_of, widths)
    lower = lower_neighbors(upper, len(widths))
    layers = order_layers(layers, upper, lower)
    lefts = _horizontal_positions(layers, widths, upper, lower)
    tops: list[float] = []
    height: float = 0
    for layer in layers:
        tops.append(height)
        height += max((sizes[box][1] for box in layer if box < len(sizes)), default=0) + LAYER_GAP

    def line_points(chain: _Chain) -> list[Point]:
        """Return points from the middle of the source's lower edge, through the dummies, to the target's upper edge."""
        source, target = chain.source, chain.target
        points: list[Point] = [(lefts[source] + widths[source] / 2, tops[layer_of[source]] + sizes[source][1])]
        for layer, dummy in enumerate(chain.dummies, layer_of[source] + 1):
            x = lefts[dummy] + DUMMY_WIDTH / 2
            points += [(x, tops[layer]), (x, tops[layer + 1] - LAYER_GAP)]
        end_x = lefts[target] + widths[target] * (chain.input_number + 1) / (len(inputs[target]) + 1)
        return [*points, (end_x, tops[layer_of[target]])]

    lines = [(chain.source, chain.target, line_points(chain)) for chain in chains]
    boxes = [(lefts[box], tops[layer_of[box]]) for box in range(len(sizes))]
    width = max(left + width for left, width in zip(lefts, widths, strict=True))
    return Layout(width, height - LAYER_GAP, boxes, lines)


@dataclass(frozen=True)
class _Chain:
    """A line from a source, through a dummy in each layer that it passes, to an input of a target."""

    source: int
    target: int
    input_number: int  # the number of the target's input, counted from 0
    dummies: list[int]


def _assign_layers(inputs: Sequence[Sequence[int]]) -> list[int]:
    """Return the layer of each box: below all its inputs, and as near as possible to the boxes that use it."""
    layer_of: list[int] = []
    for sources in inputs:
        layer_of.append(1 + max((layer_of[source] for source in sources), default=-1))
    needed_by: list[list[int]] = [[] for _ in inputs]
    for target, sources in enumerate(inputs):
        for source in sources:
            needed_by[source].append(target)
    for box in reversed(range(len(inputs))):
        if needed_by[box]:
            layer_of[box] = min(layer_of[target] for target in needed_by[box]) - 1
    return layer_of


def _insert_dummies(
    inputs: Sequence[Sequence[int]], layer_of: Sequence[int], widths: list[float]
) -> tuple[list[_Chain], dict[int, list[int]], Layers]:
    """Add a dummy box to each layer that a line passes through, and append its width to `widths`.

    Returns the lines, the neighbors of each box in the layer above, and the boxes of each layer.
    """
    layers: Layers = [[] for _ in range(max(layer_of) + 1)]
    for box, layer in enumerate(layer_of):
        layers[layer].append(box)
    chains: list[_Chain] = []
    upper: dict[int, list[int]] = {box: [] for box in range(len(inputs))}
    for target, sources in enumerate(inputs):
        for input_number, source in enumerate(sources):
            dummies, above = [], source
            for layer in range(layer_of[source] + 1, layer_of[target]):
                dummy = len(widths)
                widths.append(DUMMY_WIDTH)
                layers[layer].append(dummy)
                upper[dummy] = [above]
                dummies.append(dummy)
                above = dummy
            upper[target].append(above)
            chains.append(_Chain(source, target, input_number, dummies))
    return chains, upper, layers


def lower_neighbors(upper: dict[int, list[int]], count: int) -> list[list[tuple[int, float]]]:
    """Find the neighbors of each box in the layer below.

    Parameters
    ----------
    upper : dict of int to list of int
        The neighbors of each box in the layer above.
    count : int
        Number of boxes.

    Returns
    -------
    list of lists of (int, float)
        For each box, its lower neighbors and the points on their upper edges where the lines end, from 0 (left) to 1
        (right).
    """
    lower: list[list[tuple[int, float]]] = [[] for _ in range(count)]
    for box, above in upper.items():
        for i, neighbor in enumerate(above):
            lower[neighbor].append((box, (i + 1) / (len(above) + 1)))
    return lower


def order_layers(layers: Layers, upper: dict[int, list[int]], lower: list[list[tuple[int, float]]]) -> Layers:
    """Order the boxes of each layer so that few lines cross.

    Sort each layer by the mean position of its neighbors, alternately above and below, and keep the best order found.

    Parameters
    ----------
    layers : list of lists of int
        The boxes of each layer.
    upper : dict of int to list of int
        The neighbors of each box in the layer above.
    lower : list of lists of (int, float)
        From `lower_neighbors`.

    Returns
    -------
    list of lists of int
    """
    order = best = layers
    fewest = count_crossings(order, upper)
    for sweep in range(SWEEPS):
        order = [list(layer) for layer in order]
        downwards = sweep % 2 == 0
        pairs = list(zip(order, order[1:], strict=False))
        for above, below in pairs if downwards else reversed(pairs):
            fixed, moved = (above, below) if downwards else (below, above)
            position = {box: i for i, box in enumerate(fixed)}
            own = {box: i for i, box in enumerate(moved)}
            wanted: dict[int, list[float]] = {
                box: [position[n] for n in upper[box]] if downwards else [position[n] + edge for n, edge in lower[box]]
                for box in moved
            }
            moved.sort(key=lambda box, wanted=wanted, own=own: _mean(wanted[box], own[box]))  # type: ignore[misc]
        crossings = count_crossings(order, upper)
        if crossings < fewest:
            best, fewest = order, crossings
    return best


def count_crossings(layers: Layers, upper: dict[int, list[int]]) -> int:
    """Count the crossings of lines between adjacent layers.

    Parameters
    ----------
    layers : list of lists of int
        The boxes of each layer, from left to right.
    upper : dict of int to list of int
        The neighbors of each box in the layer above.

    Returns
    -------
    int

    Examples
    --------
    >>> count_crossings([[0, 1], [2, 3]], {2: [1], 3: [0]})
    1
    """
    total = 0
    for above, layer in zip(layers, layers[1:], strict=False):
        position = {box: i for i, box in enumerate(above)}
        ends = [position[neighbor] for box in layer for neighbor in upper[box]]
        total += sum(ends[i] > ends[j] for i in range(len(ends)) for j in range(i + 1, len(ends)))
    return total


def _horizontal_positions(
    layers: Layers, widths: list[float], upper: dict[int, list[int]], lower: list[list[tuple[int, float]]]
) -> list[float]:
    """Return the left edges: each box is near the middle of its neighbors, and no boxes overlap."""
    lefts = [0.0] * len(widths)
    for layer in layers:
        _place_layer(layer, [0.0] * len(layer), widths, lefts)
    for sweep in range(SWEEPS):
        downwards = sweep % 2 == 0
        for layer in layers if downwards else reversed(layers):
            wanted = []
            for box in layer:
                neighbors = upper[box] if downwards else [neighbor for neighbor, _ in lower[box]]
                middle = _mean([lefts[n] + widths[n] / 2 for n in neighbors], lefts[box] + widths[box] / 2)
                wanted.append(middle - widths[box] / 2)
            _place_layer(layer, wanted, widths, lefts)
    first = min(lefts)
    return [left - first for left in lefts]


@dataclass
class _Block:
    """Adjacent boxes of a layer that touch, and therefore move together."""

    sum_of_wanted: float
    count: int
    members: list[tuple[int, float]]  # boxes, and their offsets in the block
    width: float

    @property
    def left(self) -> float:
        return self.sum_of_wanted / self.count


def _place_layer(layer: list[int], wanted: list[float], widths: list[float], lefts: list[float]) -> None:
    """Place the boxes of a layer in order, each as near as possible to its wanted left edge.

    This is isotonic least-squares regression: boxes that would overlap move together (pool adjacent violators).
    """
    blocks: list[_Block] = []
    for box, left in zip(layer, wanted, strict=True):
        blocks.append(_Block(left, 1, [(box, 0.0)], widths[box] + GAP))
        while len(blocks) > 1 and blocks[-2].left + blocks[-2].width > blocks[-1].left:
            last, before = blocks.pop(), blocks[-1]
            before.sum_of_wanted += last.sum_of_wanted - last.count * before.width
            before.count += last.count
            before.members += [(member, offset + before.width) for member, offset in last.members]
            before.width += last.width
    for block in blocks:
        for box, offset in block.members:
            lefts[box] = block.left + offset


def _mean(values: Sequence[float], default: float) -> float:
    return sum(values) / len(values) if values else default
