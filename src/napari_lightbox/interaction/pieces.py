"""Boxes around changed pixels, small enough to hold."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Box: TypeAlias = tuple[slice, ...]
PIECE = 2**24


class Piece(NamedTuple):
    """Part of a box small enough to hold, where it changes, and which part of the values that is."""

    box: Box
    flat: NDArray[np.intp]
    part: slice


def pieces_of(box: Box, where: NDArray[np.intp], offset: int = 0) -> Iterator[Piece]:
    """Cut a box with few changes far apart into parts of at most `PIECE` pixels, leaving out what does not change."""
    shape = tuple(s.stop - s.start for s in box)
    if prod(shape) <= PIECE:
        yield Piece(box, where, slice(offset, offset + len(where)))
        return
    axis = next(i for i, n in enumerate(shape) if n > 1)
    inner = prod(shape[axis + 1 :])
    step = max(1, PIECE // inner)
    slabs = where // (inner * step)
    edges = [0, *(np.flatnonzero(np.diff(slabs)) + 1).tolist(), len(where)]
    for low, high in zip(edges[:-1], edges[1:], strict=True):
        first = int(slabs[low]) * step
        last = min(first + step, shape[axis])
        cut = slice(box[axis].start + first, box[axis].start + last)
        rest, local = tight((*box[:axis], cut, *box[axis + 1 :]), where[low:high] - first * inner)
        yield from pieces_of(rest, local, offset + low)


def tight(box: Box, flat: NDArray[np.intp]) -> tuple[Box, NDArray[np.intp]]:
    """Return the smallest box around some pixels of `box`, and the pixels within it."""
    places = np.unravel_index(flat, [s.stop - s.start for s in box])
    lows, highs = [int(p.min()) for p in places], [int(p.max()) + 1 for p in places]
    shape = [b - a for a, b in zip(lows, highs, strict=True)]
    small = tuple(slice(s.start + a, s.start + b) for s, a, b in zip(box, lows, highs, strict=True))
    if small == box:
        return box, flat
    return small, np.ravel_multi_index(tuple(p - a for p, a in zip(places, lows, strict=True)), shape)


def bounds_of(differs: NDArray[np.bool_]) -> Box | None:
    """Return the smallest box around the true pixels, None without any."""
    if not differs.any():
        return None
    box = []
    for axis in range(differs.ndim):
        hit = np.flatnonzero(differs.any(axis=tuple(i for i in range(differs.ndim) if i != axis)))
        box.append(slice(int(hit[0]), int(hit[-1]) + 1))
        differs = differs[(slice(None),) * axis + (box[-1],)]
    return tuple(box)


def size_of(box: Box) -> int:
    """Return the number of pixels."""
    return prod(s.stop - s.start for s in box)
