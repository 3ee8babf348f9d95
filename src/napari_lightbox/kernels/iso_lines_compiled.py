"""Compiled marching squares: segments between pixels, linked into lines while they are found.

Segments come in raster order of their squares and are joined as scikit-image joins them, so that lines, their order and
their first vertices are the same. A vertex is known by its slot: the pixel before it and whether it lies on the pixel, on
the edge to the right or on the edge below. Only the slots of the two rows of pixels around the current squares can be asked for.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

# the edges of a square that the two possible segments of each case run between, -1 for none
_TOP, _LEFT, _RIGHT, _BOTTOM = range(4)
_LOW = np.full((16, 4), -1, np.int8)
for _case, _edges in {
    1: (_TOP, _LEFT), 2: (_RIGHT, _TOP), 3: (_RIGHT, _LEFT), 4: (_LEFT, _BOTTOM), 5: (_TOP, _BOTTOM),
    6: (_RIGHT, _TOP, _LEFT, _BOTTOM), 7: (_RIGHT, _BOTTOM), 8: (_BOTTOM, _RIGHT), 9: (_TOP, _LEFT, _BOTTOM, _RIGHT),
    10: (_BOTTOM, _TOP), 11: (_BOTTOM, _LEFT), 12: (_LEFT, _RIGHT), 13: (_TOP, _RIGHT), 14: (_LEFT, _TOP),
}.items():  # fmt: skip
    _LOW[_case, : len(_edges)] = _edges
_HIGH = _LOW.copy()
_HIGH[6] = _LEFT, _TOP, _RIGHT, _BOTTOM
_HIGH[9] = _TOP, _RIGHT, _BOTTOM, _LEFT
_NOWHERE = -1


@njit(nogil=True, cache=True)
def _cases(image: Any, level: float, row: int, cases: Any) -> int:
    """Write which corners of every square below a row of pixels lie above the level, 0 beside a NaN; count the crossed ones."""
    upper, lower = image[row], image[row + 1]
    crossed = 0
    for c in range(cases.size):
        a, b, d, e = upper[c], upper[c + 1], lower[c], lower[c + 1]
        case = int(a > level) | int(b > level) << 1 | int(d > level) << 2 | int(e > level) << 3
        case = case if (a == a) & (b == b) & (d == d) & (e == e) else 0
        cases[c] = case
        crossed += (case != 0) & (case != 15)
    return crossed


@njit(nogil=True, cache=True)
def most_vertices(image: Any, level: float) -> int:
    """Return how many vertices the lines of an image can have at most."""
    cases = np.empty(image.shape[1] - 1, np.uint8)
    total = 0
    for row in range(image.shape[0] - 1):
        total += _cases(image, level, row, cases)
    return 4 * total


@njit(nogil=True, cache=True)
def _crossing(image: Any, level: float, y: int, x: int, edge: int) -> tuple[float, float]:
    """Return where the level crosses an edge of the square whose upper left pixel is (y, x)."""
    y, x = y + (edge == _BOTTOM), x + (edge == _RIGHT)
    across = edge in (_TOP, _BOTTOM)
    first = np.float64(image[y, x])
    second = np.float64(image[y, x + 1] if across else image[y + 1, x])
    share = 0.0 if first == second else (level - first) / (second - first)
    return (np.float64(y), x + share) if across else (y + share, np.float64(x))


@njit(nogil=True, cache=True)
def _slot(y: float, x: float, row: int, width: int) -> int:
    """Return the slot of a vertex, -1 for a row that is not asked for again."""
    if not (np.isfinite(y) and np.isfinite(x)) or y < row:
        return _NOWHERE
    j, i = int(y), int(x)
    kind = 0 if j == y and i == x else 1 if j == y else 2
    return ((j & 1) * width + i) * 3 + kind


@njit(nogil=True, cache=True)
def _put(table: Any, slot: int, line: int) -> None:
    if slot != _NOWHERE:
        table[slot] = line


@njit(nogil=True, cache=True)
def _take(table: Any, slot: int) -> int:
    if slot == _NOWHERE:
        return -1
    line = table[slot]
    table[slot] = -1
    return int(line)


@njit(nogil=True, cache=True)
def _add(
    ends: Any,
    slots: tuple[int, int],
    tables: tuple[Any, Any],
    lines: Any,
    nodes: tuple[Any, Any],
    counts: Any,
    place: tuple[int, int],
) -> None:
    """Link one segment to the lines found so far.

    `lines` holds the first and the last node of each line, -1 where it became part of another; `counts` the number of
    lines and of nodes; `place` row and width, for the slots of the ends of joined lines.
    """
    starts, stops = tables
    points, after = nodes
    tail, head = _take(starts, slots[1]), _take(stops, slots[0])
    if tail >= 0 and head >= 0 and tail != head:
        after[lines[head, 1]] = lines[tail, 0]
        kept, lost = min(head, tail), max(head, tail)
        lines[kept, 0], lines[kept, 1] = lines[head, 0], lines[tail, 1]
        lines[lost, 0] = -1
        first, last = points[lines[kept, 0]], points[lines[kept, 1]]
        _put(starts, _slot(first[0], first[1], place[0], place[1]), kept)
        _put(stops, _slot(last[0], last[1], place[0], place[1]), kept)
        return
    node = counts[1]
    if tail < 0 and head < 0:
        points[node, 0], points[node, 1] = ends[0], ends[1]
        points[node + 1, 0], points[node + 1, 1] = ends[2], ends[3]
        after[node], after[node + 1] = node + 1, -1
        lines[counts[0], 0], lines[counts[0], 1] = node, node + 1
        _put(starts, slots[0], counts[0])
        _put(stops, slots[1], counts[0])
        counts[0] += 1
        counts[1] += 2
        return
    counts[1] += 1
    if head < 0:
        points[node, 0], points[node, 1] = ends[0], ends[1]
        after[node] = lines[tail, 0]
        lines[tail, 0] = node
        _put(starts, slots[0], tail)
        return
    points[node, 0], points[node, 1] = ends[2], ends[3]
    after[node] = -1
    after[lines[head, 1]] = node
    lines[head, 1] = node
    if tail < 0:
        _put(stops, slots[1], head)


@njit(nogil=True, cache=True)
def trace(image: Any, level: float, join_high: bool, points: Any, lengths: Any) -> Any:
    """Return the number of lines and their vertices (y, x) one line after the other; `lengths` gets their numbers.

    `points` is room for the vertices that `most_vertices` counts, `lengths` for half as many numbers.
    """
    height, width = image.shape
    table = _HIGH if join_high else _LOW
    cases = np.empty(width - 1, np.uint8)
    after, lines = np.empty(len(points), np.int64), np.empty((len(lengths), 2), np.int64)
    starts, stops = np.full(6 * width, -1), np.full(6 * width, -1)
    counts = np.zeros(2, np.int64)
    ends = np.empty(4)
    for y in range(height - 1):
        fresh = ((y + 1) & 1) * width * 3
        starts[fresh : fresh + 3 * width] = -1
        stops[fresh : fresh + 3 * width] = -1
        if _cases(image, level, y, cases) == 0:
            continue
        for x in range(width - 1):
            case = cases[x]
            if case == 0 or case == 15:
                continue
            for k in (0, 2):
                if table[case, k] < 0:
                    break
                ends[0], ends[1] = _crossing(image, level, y, x, table[case, k])
                ends[2], ends[3] = _crossing(image, level, y, x, table[case, k + 1])
                if ends[0] == ends[2] and ends[1] == ends[3]:
                    continue
                slots = _slot(ends[0], ends[1], y, width), _slot(ends[2], ends[3], y, width)
                _add(ends, slots, (starts, stops), lines, (points, after), counts, (y, width))
    return _in_order(points, after, lines[: counts[0]], lengths, counts[1])


@njit(nogil=True, cache=True)
def _in_order(points: Any, after: Any, lines: Any, lengths: Any, size: int) -> tuple[int, Any]:
    out = np.empty((size, 2))
    count, place = 0, 0
    for line in range(len(lines)):
        node, first = lines[line, 0], place
        while node >= 0:
            out[place, 0], out[place, 1] = points[node, 0], points[node, 1]
            node = after[node]
            place += 1
        if place > first:
            lengths[count] = place - first
            count += 1
    return count, out[:place]
