"""Where tiles lie: whole cells that overlap by one cell and fade into each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

Span = tuple[int, int]


@dataclass(frozen=True)
class Tile:
    """One tile per axis: the part that is read, the part that counts, and the weight of each pixel of that part."""

    read: tuple[Span, ...]
    core: tuple[Span, ...]
    weight: tuple[NDArray[np.float32], ...]


def tiles(
    wanted: Sequence[Span], there: Sequence[Span], cells: Sequence[int], reach: Sequence[int], count: int
) -> Iterator[Tile]:
    """Yield tiles that cover `wanted`; where cores overlap, their weights add up to one.

    Parameters
    ----------
    wanted, there
        What is needed and what is at hand, per axis, in pixels; both begin and end at whole cells.
    cells, reach
        Pixels per cell; cells around a core that are read with it.
    count
        Cells per core along each axis.
    """
    axes = [
        list(_along(want, have, cell, around, count))
        for want, have, cell, around in zip(wanted, there, cells, reach, strict=True)
    ]
    for parts in product(*axes):
        yield Tile(tuple(p[0] for p in parts), tuple(p[1] for p in parts), tuple(p[2] for p in parts))


def _along(wanted: Span, there: Span, cell: int, reach: int, count: int) -> Iterator[tuple[Span, Span, NDArray[np.float32]]]:
    low, high = max(wanted[0], there[0]), min(wanted[1], there[1])
    fade = (np.arange(cell, dtype=np.float32) + np.float32(0.5)) / np.float32(cell)
    step = max(count - 1, 1) * cell
    overlap = cell if count > 1 else 0
    begin = low
    while begin < high:
        end = min(begin + count * cell, high)
        weight = np.ones(end - begin, np.float32)
        if overlap and begin > low:
            weight[:cell] = fade
        last = end == high
        if overlap and not last:
            weight[-cell:] = 1 - fade
        yield (max(begin - reach * cell, there[0]), min(end + reach * cell, there[1])), (begin, end), weight
        if last:
            return
        begin += step
