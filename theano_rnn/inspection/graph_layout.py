"""Where the boxes of a directed graph go, from top to bottom, and the lines between them. Knows no network."""

from dataclasses import dataclass

GAP, LAYER_GAP = 18, 30  # between boxes side by side, and between layers
THREAD = 6  # the room for a line that passes a layer
SWEEPS = 12


@dataclass(frozen=True)
class Layout:
    """Positions in pixels.

    Attributes
    ----------
    width, height : float
    boxes : list of (x, y)
        The upper left corner of each box.
    lines : list of (source, target, points)
        For each connection the points (x, y) from the lower edge of one box to the upper edge of the other.
    """

    width: float
    height: float
    boxes: list
    lines: list


def lay_out(sizes, inputs):
    """Place boxes in layers, each below its inputs, so that lines are short and seldom cross.

    After Sugiyama, Tagawa and Toda (1981): layers, then the order within each by the mean of the neighbours' places,
    then positions near the neighbours'.

    Parameters
    ----------
    sizes : sequence of (width, height)
    inputs : sequence of sequences of int
        For each box the boxes that it takes something from, all of them before it.

    Returns
    -------
    Layout
    """
    if not sizes:
        return Layout(0, 0, [], [])
    layer_of = layers(inputs)
    widths = [width for width, _ in sizes]
    chains, upper, all_layers = with_threads(inputs, layer_of, widths)
    lower = lower_neighbours(upper, len(widths))
    order = ordered(all_layers, upper, lower)
    lefts = positions(order, widths, upper, lower)
    tops, height = [], 0
    for layer in order:
        tops.append(height)
        height += max((sizes[one][1] for one in layer if one < len(sizes)), default=0) + LAYER_GAP

    def points_of(source, target, place, chain):
        """From the middle of a box's lower edge, through its threads, to its place on the upper edge of another."""
        points = [(lefts[source] + widths[source] / 2, tops[layer_of[source]] + sizes[source][1])]
        for layer, thread in enumerate(chain, layer_of[source] + 1):
            x = lefts[thread] + THREAD / 2
            points += [(x, tops[layer]), (x, tops[layer + 1] - LAYER_GAP)]
        entry = lefts[target] + widths[target] * (place + 1) / (len(inputs[target]) + 1)
        return [*points, (entry, tops[layer_of[target]])]

    lines = [(source, target, points_of(source, target, place, chain)) for source, target, place, chain in chains]
    boxes = [(lefts[one], tops[layer_of[one]]) for one in range(len(sizes))]
    width = max(left + width for left, width in zip(lefts, widths, strict=True))
    return Layout(width, height - LAYER_GAP, boxes, lines)


def layers(inputs):
    """The layer of each box: below all its inputs; what has no inputs stands just above the first that needs it."""
    layer_of = []
    for sources in inputs:
        layer_of.append(1 + max((layer_of[source] for source in sources), default=-1))
    needed_by = [[] for _ in inputs]
    for target, sources in enumerate(inputs):
        for source in sources:
            needed_by[source].append(target)
    for one in reversed(range(len(inputs))):
        if needed_by[one]:
            lowest = min(layer_of[target] for target in needed_by[one]) - 1
            layer_of[one] = lowest
    return layer_of


def with_threads(inputs, layer_of, widths):
    """Cut each line at the layers that it passes, where a thread of its own keeps the place.

    Returns
    -------
    chains : list of (source, target, which of the target's inputs, threads)
    upper : dict of int to list of int
        For each box and thread its neighbours in the layer above.
    all_layers : list of lists of int

    The threads are appended to `widths`.
    """
    all_layers = [[] for _ in range(max(layer_of) + 1)]
    for one, layer in enumerate(layer_of):
        all_layers[layer].append(one)
    chains, upper = [], {one: [] for one in range(len(inputs))}
    for target, sources in enumerate(inputs):
        for place, source in enumerate(sources):
            chain, above = [], source
            for layer in range(layer_of[source] + 1, layer_of[target]):
                thread = len(widths)
                widths.append(THREAD)
                all_layers[layer].append(thread)
                upper[thread] = [above]
                chain.append(thread)
                above = thread
            upper[target].append(above)
            chains.append((source, target, place, chain))
    return chains, upper, all_layers


def lower_neighbours(upper, count):
    """For each box and thread [(neighbour in the layer below, where on its upper edge the line ends, 0 … 1)]."""
    lower = [[] for _ in range(count)]
    for one, above in upper.items():
        for place, neighbour in enumerate(above):
            lower[neighbour].append((one, (place + 1) / (len(above) + 1)))
    return lower


def ordered(all_layers, upper, lower):
    """The layers, each sorted by the mean place of its neighbours above and below in turn: the best that was found."""
    order = best = all_layers
    fewest = crossings(order, upper)
    for sweep in range(SWEEPS):
        order = [list(layer) for layer in order]
        downwards = sweep % 2 == 0
        pairs = list(zip(order, order[1:], strict=False))
        for above, below in pairs if downwards else reversed(pairs):
            fixed, moved = (above, below) if downwards else (below, above)
            place = {one: i for i, one in enumerate(fixed)}
            own = {one: i for i, one in enumerate(moved)}
            wanted = {
                one: [place[n] for n in upper[one]] if downwards else [place[n] + edge for n, edge in lower[one]]
                for one in moved
            }
            moved.sort(key=lambda one, wanted=wanted, own=own: mean(wanted[one], own[one]))
        found = crossings(order, upper)
        if found < fewest:
            best, fewest = order, found
    return best


def crossings(order, upper):
    """How often lines between neighbouring layers cross."""
    total = 0
    for above, layer in zip(order, order[1:], strict=False):
        place = {one: i for i, one in enumerate(above)}
        ends = [place[neighbour] for one in layer for neighbour in upper[one]]
        total += sum(ends[i] > ends[j] for i in range(len(ends)) for j in range(i + 1, len(ends)))
    return total


def positions(order, widths, upper, lower):
    """The left edges: each box near the middle of its neighbours, none over another."""
    lefts = [0.0] * len(widths)
    for layer in order:
        pack(layer, [0.0] * len(layer), widths, lefts)
    for sweep in range(SWEEPS):
        downwards = sweep % 2 == 0
        for layer in order if downwards else reversed(order):
            wanted = []
            for one in layer:
                neighbours = upper[one] if downwards else [neighbour for neighbour, _ in lower[one]]
                middle = mean([lefts[n] + widths[n] / 2 for n in neighbours], lefts[one] + widths[one] / 2)
                wanted.append(middle - widths[one] / 2)
            pack(layer, wanted, widths, lefts)
    first = min(lefts)
    return [left - first for left in lefts]


def pack(layer, wanted, widths, lefts):
    """Place a layer's boxes in their order, each as near to where it is wanted as the others let it.

    Least squares under the order: neighbours that would overlap move together (pool adjacent violators).
    """
    blocks = []  # [sum of wanted starts, number, (member, offset) of each, width]
    for one, left in zip(layer, wanted, strict=True):
        blocks.append([left, 1, [(one, 0.0)], widths[one] + GAP])
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] + blocks[-2][3] > blocks[-1][0] / blocks[-1][1]:
            total, number, members, width = blocks.pop()
            before = blocks[-1]
            before[0] += total - number * before[3]
            before[1] += number
            before[2] += [(member, offset + before[3]) for member, offset in members]
            before[3] += width
    for total, number, members, _ in blocks:
        for one, offset in members:
            lefts[one] = total / number + offset


def mean(values, otherwise):
    return sum(values) / len(values) if values else otherwise
