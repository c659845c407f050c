"""Lay out a directed graph from top to bottom: positions of boxes, and the lines between them. Must not know networks.

The method is that of Sugiyama, Tagawa and Toda (1981): assign boxes to layers, order each layer so that few lines
cross, then choose horizontal positions. A line that passes a layer has a dummy box there, which keeps a gap for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

GAP, LAYER_GAP = 18, 30  # between boxes side by side, and between layers, in pixels
DUMMY_WIDTH = 6
SWEEPS = 12  # downwards and upwards in turn

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
    """Place each box below its inputs, so that lines are short and seldom cross.

    Parameters
    ----------
    sizes : sequence of (width, height)
        In pixels.
    inputs : sequence of sequences of int
        For each box, the boxes from which lines lead to it. All of them come before it.

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
        height += max((sizes[one][1] for one in layer if one < len(sizes)), default=0) + LAYER_GAP

    def line_points(chain: _Chain) -> list[Point]:
        """From the middle of a box's lower edge, through the dummies, to a place on the upper edge of another."""
        source, target = chain.source, chain.target
        points: list[Point] = [(lefts[source] + widths[source] / 2, tops[layer_of[source]] + sizes[source][1])]
        for layer, dummy in enumerate(chain.dummies, layer_of[source] + 1):
            x = lefts[dummy] + DUMMY_WIDTH / 2
            points += [(x, tops[layer]), (x, tops[layer + 1] - LAYER_GAP)]
        end_x = lefts[target] + widths[target] * (chain.place + 1) / (len(inputs[target]) + 1)
        return [*points, (end_x, tops[layer_of[target]])]

    lines = [(chain.source, chain.target, line_points(chain)) for chain in chains]
    boxes = [(lefts[one], tops[layer_of[one]]) for one in range(len(sizes))]
    width = max(left + width for left, width in zip(lefts, widths, strict=True))
    return Layout(width, height - LAYER_GAP, boxes, lines)


@dataclass(frozen=True)
class _Chain:
    """A line: from a source, through a dummy in each layer that it passes, to an input of a target."""

    source: int
    target: int
    place: int  # which of the target's inputs
    dummies: list[int]


def _assign_layers(inputs: Sequence[Sequence[int]]) -> list[int]:
    """The layer of each box: below all of its inputs, and as near as possible to the boxes that need it."""
    layer_of: list[int] = []
    for sources in inputs:
        layer_of.append(1 + max((layer_of[source] for source in sources), default=-1))
    needed_by: list[list[int]] = [[] for _ in inputs]
    for target, sources in enumerate(inputs):
        for source in sources:
            needed_by[source].append(target)
    for one in reversed(range(len(inputs))):
        if needed_by[one]:
            layer_of[one] = min(layer_of[target] for target in needed_by[one]) - 1
    return layer_of


def _insert_dummies(
    inputs: Sequence[Sequence[int]], layer_of: Sequence[int], widths: list[float]
) -> tuple[list[_Chain], dict[int, list[int]], Layers]:
    """Put a dummy box into each layer that a line passes, and append its width to `widths`.

    Returns the lines, the neighbors of each box in the layer above, and the boxes of each layer.
    """
    layers: Layers = [[] for _ in range(max(layer_of) + 1)]
    for one, layer in enumerate(layer_of):
        layers[layer].append(one)
    chains: list[_Chain] = []
    upper: dict[int, list[int]] = {one: [] for one in range(len(inputs))}
    for target, sources in enumerate(inputs):
        for place, source in enumerate(sources):
            dummies, above = [], source
            for layer in range(layer_of[source] + 1, layer_of[target]):
                dummy = len(widths)
                widths.append(DUMMY_WIDTH)
                layers[layer].append(dummy)
                upper[dummy] = [above]
                dummies.append(dummy)
                above = dummy
            upper[target].append(above)
            chains.append(_Chain(source, target, place, dummies))
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
        For each box, its lower neighbors, and where on their upper edges the lines end: from 0 (left) to 1 (right).
    """
    lower: list[list[tuple[int, float]]] = [[] for _ in range(count)]
    for one, above in upper.items():
        for place, neighbor in enumerate(above):
            lower[neighbor].append((one, (place + 1) / (len(above) + 1)))
    return lower


def order_layers(layers: Layers, upper: dict[int, list[int]], lower: list[list[tuple[int, float]]]) -> Layers:
    """Order the boxes of each layer so that few lines cross.

    Sorts each layer by the mean place of its neighbors above and below in turn, and keeps the best order found.

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
            place = {one: i for i, one in enumerate(fixed)}
            own = {one: i for i, one in enumerate(moved)}
            wanted: dict[int, list[float]] = {
                one: [place[n] for n in upper[one]] if downwards else [place[n] + edge for n, edge in lower[one]]
                for one in moved
            }
            moved.sort(key=lambda one, wanted=wanted, own=own: _mean(wanted[one], own[one]))  # type: ignore[misc]
        found = count_crossings(order, upper)
        if found < fewest:
            best, fewest = order, found
    return best


def count_crossings(layers: Layers, upper: dict[int, list[int]]) -> int:
    """Count how often lines between adjacent layers cross.

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
        place = {one: i for i, one in enumerate(above)}
        ends = [place[neighbor] for one in layer for neighbor in upper[one]]
        total += sum(ends[i] > ends[j] for i in range(len(ends)) for j in range(i + 1, len(ends)))
    return total


def _horizontal_positions(
    layers: Layers, widths: list[float], upper: dict[int, list[int]], lower: list[list[tuple[int, float]]]
) -> list[float]:
    """The left edges: each box near the middle of its neighbors, and no box over another."""
    lefts = [0.0] * len(widths)
    for layer in layers:
        _place_layer(layer, [0.0] * len(layer), widths, lefts)
    for sweep in range(SWEEPS):
        downwards = sweep % 2 == 0
        for layer in layers if downwards else reversed(layers):
            wanted = []
            for one in layer:
                neighbors = upper[one] if downwards else [neighbor for neighbor, _ in lower[one]]
                middle = _mean([lefts[n] + widths[n] / 2 for n in neighbors], lefts[one] + widths[one] / 2)
                wanted.append(middle - widths[one] / 2)
            _place_layer(layer, wanted, widths, lefts)
    first = min(lefts)
    return [left - first for left in lefts]


@dataclass
class _Block:
    """Boxes of a layer that touch each other and so move together."""

    sum_of_wanted: float
    count: int
    members: list[tuple[int, float]]  # boxes, and their offsets in the block
    width: float

    @property
    def left(self) -> float:
        return self.sum_of_wanted / self.count


def _place_layer(layer: list[int], wanted: list[float], widths: list[float], lefts: list[float]) -> None:
    """Place the boxes of a layer in their order, each as near as possible to where it is wanted.

    Least squares under an order: boxes that would overlap move together (the pool adjacent violators algorithm).
    """
    blocks: list[_Block] = []
    for one, left in zip(layer, wanted, strict=True):
        blocks.append(_Block(left, 1, [(one, 0.0)], widths[one] + GAP))
        while len(blocks) > 1 and blocks[-2].left + blocks[-2].width > blocks[-1].left:
            last, before = blocks.pop(), blocks[-1]
            before.sum_of_wanted += last.sum_of_wanted - last.count * before.width
            before.count += last.count
            before.members += [(member, offset + before.width) for member, offset in last.members]
            before.width += last.width
    for block in blocks:
        for one, offset in block.members:
            lefts[one] = block.left + offset


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise
