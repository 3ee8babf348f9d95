"""Box arithmetic: which chunks a box touches, how a box grows, where its parts go."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

Box = tuple[slice, ...]
Bounds = tuple[tuple[int, ...], ...]


def bounds_of(chunks: Sequence[Sequence[int]]) -> Bounds:
    """Return the cumulative edges of every axis: (0, n0, n0 + n1, ...)."""
    return tuple(_edges(tuple(sizes)) for sizes in chunks)


def chunks_of(bounds: Bounds) -> tuple[tuple[int, ...], ...]:
    """Return the chunk sizes of every axis; the inverse of `bounds_of`."""
    return tuple(_sizes(edges) for edges in bounds)


# stacks have up to a million chunks along one axis: the same edges are asked for again and again
@lru_cache(maxsize=64)
def _edges(sizes: tuple[int, ...]) -> tuple[int, ...]:
    return (0, *np.cumsum(sizes).tolist())


@lru_cache(maxsize=64)
def _sizes(edges: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(np.diff(edges).tolist())


def box_of(bounds: Bounds, index: Sequence[int]) -> Box:
    """Return the box of the chunk with this index."""
    return tuple(slice(edges[i], edges[i + 1]) for edges, i in zip(bounds, index, strict=True))


def shape_of(box: Box) -> tuple[int, ...]:
    """Return the shape of a box."""
    return tuple(s.stop - s.start for s in box)


def grown(box: Box, radius: Sequence[int], shape: Sequence[int]) -> Box:
    """Return the box grown by `radius` on both sides and cut at the borders of `shape`."""
    return tuple(slice(max(s.start - r, 0), min(s.stop + r, n)) for s, r, n in zip(box, radius, shape, strict=True))


def within(box: Box, outer: Box) -> Box:
    """Return `box` in the coordinates of `outer`."""
    return tuple(slice(s.start - o.start, s.stop - o.start) for s, o in zip(box, outer, strict=True))


@dataclass(frozen=True)
class Part:
    """A piece of a box: chunk index, slices inside that chunk, slices inside the box."""

    index: tuple[int, ...]
    inside: Box
    target: Box


def parts_of(box: Box, bounds: Bounds) -> Iterator[Part]:
    """Yield the pieces of chunks that together make up `box`."""
    axes = [list(_axis_parts(s, edges)) for s, edges in zip(box, bounds, strict=True)]
    for combination in product(*axes):
        yield Part(tuple(c[0] for c in combination), tuple(c[1] for c in combination), tuple(c[2] for c in combination))


def _axis_parts(wanted: slice, edges: Sequence[int]) -> Iterator[tuple[int, slice, slice]]:
    chunk = bisect_right(edges, wanted.start) - 1
    while chunk < len(edges) - 1 and edges[chunk] < wanted.stop:
        start, stop = max(wanted.start, edges[chunk]), min(wanted.stop, edges[chunk + 1])
        if stop > start:
            yield chunk, slice(start - edges[chunk], stop - edges[chunk]), slice(start - wanted.start, stop - wanted.start)
        chunk += 1


def assemble(pieces: Sequence[NDArray[Any]], parts: Sequence[tuple[Box, Box]], shape: tuple[int, ...]) -> NDArray[Any]:
    """Put pieces together; a box inside one chunk is a view, nothing is copied."""
    if len(pieces) == 1:
        return np.asarray(pieces[0])[parts[0][0]]
    whole = np.empty(shape, np.asarray(pieces[0]).dtype)
    for piece, (inside, target) in zip(pieces, parts, strict=True):
        whole[target] = np.asarray(piece)[inside]
    return whole
