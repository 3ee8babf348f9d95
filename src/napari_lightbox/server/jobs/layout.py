"""How the lazy outputs of a run lie on the disk: regular chunks, and the blocks of work that write them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import ceil, isqrt, prod
from typing import Any

import dask.array as da
import numpy as np
from dask.highlevelgraph import HighLevelGraph

from napari_lightbox.axes.order import CHANNEL
from napari_lightbox.server.jobs.wishes import Index, Region
from napari_lightbox.wire import ArrayCard

CHUNK_BYTES = 16_000_000


@dataclass(frozen=True)
class Sink:
    """One array output on its way to the disk.

    Parameters
    ----------
    name
        Of the output.
    array
        Its lazy blocks, all of one size.
    axes
        One letter per axis.
    target
        The array of results that takes the blocks.
    """

    name: str
    array: da.Array
    axes: str
    target: Any

    @cached_property
    def times(self) -> Index:
        """Chunks that a block is written as, along each axis."""
        return tuple(ceil(max(c[0], 1) / n) for c, n in zip(self.array.chunks, self.target.card.chunks, strict=True))

    @property
    def counts(self) -> dict[str, int]:
        """Number of blocks along each axis."""
        return dict(zip(self.axes, self.array.numblocks, strict=True))

    def chunks_of(self, block: Index) -> Iterator[Index]:
        """Yield the chunks of a block."""
        card: ArrayCard = self.target.card
        return product(*[range(b * t, min((b + 1) * t, g)) for b, t, g in zip(block, self.times, card.grid, strict=True)])

    def first_of(self, block: Index) -> Index:
        """Return the first chunk of a block."""
        return tuple(b * t for b, t in zip(block, self.times, strict=True))

    def is_written(self, block: Index) -> bool:
        """Return whether all chunks of a block are there."""
        return all(self.target.has(chunk) for chunk in self.chunks_of(block))


@dataclass(frozen=True)
class Group:
    """Outputs whose blocks come out of the same work.

    A unit is one block of every output; `axes` and `counts` are the grid of units.
    """

    sinks: tuple[Sink, ...]
    axes: str
    counts: Index

    @property
    def total(self) -> int:
        """Number of units."""
        return prod(self.counts)

    @cached_property
    def graph(self) -> HighLevelGraph:
        """The graphs of all outputs."""
        return HighLevelGraph.merge(*[sink.array.__dask_graph__() for sink in self.sinks])

    def unit(self, number: int) -> Index:
        """Return the place of a unit in the grid."""
        return tuple(int(i) for i in np.unravel_index(number, self.counts)) if self.counts else ()

    def number(self, unit: Sequence[int]) -> int:
        """Return the number of a unit."""
        return int(np.ravel_multi_index(tuple(unit), self.counts)) if self.counts else 0

    def blocks(self, unit: Index) -> list[tuple[Sink, Index]]:
        """Return the block of every output that a unit makes."""
        place = dict(zip(self.axes, unit, strict=True))
        return [
            (sink, tuple(place[a] for a in sink.axes))
            for sink in self.sinks
            if not any(i for a, i in place.items() if a not in sink.axes)
        ]

    def numbers(self, sink: Sink, spans: Sequence[range]) -> Iterator[int]:
        """Yield the units that make some blocks of an output."""
        wanted = dict(zip(sink.axes, spans, strict=True))
        return map(self.number, product(*[wanted.get(a, range(1)) for a in self.axes]))


@dataclass(frozen=True)
class Plan:
    """All array outputs of a job, the main one first."""

    groups: tuple[Group, ...]

    @property
    def total(self) -> int:
        """Number of units of work."""
        return sum(group.total for group in self.groups)

    @property
    def sinks(self) -> list[Sink]:
        """All outputs."""
        return [sink for group in self.groups for sink in group.sinks]

    def region(self, region: Region) -> Iterable[int]:
        """Return the units of the first group behind a part of the main output; none when it is no part of it."""
        sink = self.groups[0].sinks[0]
        if len(region) != len(sink.axes):
            return ()
        sizes = [max(c[0], 1) for c in sink.array.chunks]
        bounds = zip(region, sizes, sink.array.numblocks, strict=True)
        return self.groups[0].numbers(sink, [range(max(a // s, 0), min(ceil(b / s), n)) for (a, b), s, n in bounds])

    def chunk(self, array_id: str, index: Index) -> tuple[int, int] | None:
        """Return which unit of which group writes a chunk of an array."""
        for n, group in enumerate(self.groups):
            for sink in group.sinks:
                if sink.target.id == array_id and len(index) == len(sink.axes):
                    block = [range(i // t, i // t + 1) for i, t in zip(index, sink.times, strict=True)]
                    return n, next(group.numbers(sink, block))
        return None


def plan_of(sinks: Sequence[Sink]) -> Plan:
    """Group outputs that share their blocks."""
    groups: list[list[Sink]] = []
    for sink in sinks:
        for group in groups:
            if all(other.counts.get(a, n) == n for other in group for a, n in sink.counts.items()):
                group.append(sink)
                break
        else:
            groups.append([sink])
    made = []
    for group in groups:
        counts: dict[str, int] = {}
        for sink in group:
            counts |= {a: n for a, n in sink.counts.items() if a not in counts}
        made.append(Group(tuple(group), "".join(counts), tuple(counts.values())))
    return Plan(tuple(made))


def regular(array: da.Array) -> da.Array:
    """Return the array with blocks of one size along each axis, but for a shorter last one."""
    even = all(set(c[:-1]) <= {c[0]} and c[-1] <= c[0] for c in array.chunks)
    return array if even else array.rechunk(tuple(max(c) for c in array.chunks))


def card_of(array: da.Array, axes: str) -> ArrayCard:
    """Return the card of the results of an array with regular blocks: no chunk crosses the border of a block."""
    sizes = [max(c[0], 1) for c in array.chunks]
    for position, axis in enumerate(axes):
        total = prod(sizes) * array.dtype.itemsize
        if total <= CHUNK_BYTES or (axis == CHANNEL and position == len(axes) - 1):
            continue
        least = min(64 if axis in "yx" else 1, sizes[position])
        wanted = max(least, sizes[position] * CHUNK_BYTES // total)
        alone = array.numblocks[position] == 1
        sizes[position] = wanted if alone else _divisor(sizes[position], wanted, least)
    return ArrayCard.of(array, tuple(sizes))


def _divisor(length: int, wanted: int, least: int) -> int:
    """Return the largest divisor of a length between two bounds; the length itself where there is none."""
    small = [d for d in range(1, isqrt(length) + 1) if length % d == 0]
    fitting = [d for d in (*small, *(length // d for d in small)) if least <= d <= wanted]
    return max(fitting, default=length)
