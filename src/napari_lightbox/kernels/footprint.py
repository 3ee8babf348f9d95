"""Flat structuring elements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.errors import InputError

FootprintShape = Literal["box", "cross", "disk", "ball", "diamond", "custom"]

# lengths such as 3 * 0.1 / 0.1 must still reach the third pixel
_SLACK = 1e-9


class Line(NamedTuple):
    """A run of cells along the last axis: offset over the other axes, first offset and length of the run."""

    lead: tuple[int, ...]
    start: int
    length: int


@dataclass(frozen=True, eq=False)
class Footprint:
    """The neighbours that an erosion or dilation looks at.

    Parameters
    ----------
    shape
        Name of the shape; boxes and crosses have faster kernels than the others.
    cells
        Boolean array of odd size; the origin lies in the centre.
    """

    shape: FootprintShape
    cells: NDArray[np.bool_]

    @property
    def reach(self) -> tuple[int, ...]:
        """Half width per axis."""
        return tuple(n // 2 for n in self.cells.shape)

    @property
    def centred(self) -> bool:
        """Whether the footprint holds its own origin."""
        return bool(self.cells[self.reach])

    def mirrored(self) -> Footprint:
        """Return the footprint reflected through its origin."""
        return Footprint(self.shape, np.flip(self.cells)) if self.shape == "custom" else self

    def lines(self) -> list[Line]:
        """Return the runs of cells along the last axis, the shortest first."""
        found = []
        *reach, last = self.reach
        for lead in np.ndindex(self.cells.shape[:-1]):
            row = self.cells[lead]
            if row.any():
                edges = np.flatnonzero(np.diff(row.astype(np.int8), prepend=0, append=0))
                at = tuple(i - r for i, r in zip(lead, reach, strict=True))
                found += [Line(at, int(a) - last, int(b - a)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
        return sorted(found, key=lambda line: line.length)


def half_widths(shape: FootprintShape, radius: Sequence[float]) -> tuple[int, ...]:
    """Return the whole pixels that a footprint of `radius` samples per axis reaches; a disk has no depth."""
    whole = [int(r + _SLACK) for r in radius]
    if shape == "disk" and len(whole) == 3:
        whole[0] = 0
    return tuple(whole)


def make_footprint(shape: FootprintShape, radius: Sequence[float]) -> Footprint:
    """Return a footprint of the given half width per axis, in samples, which need not be whole.

    A ball holds the cells whose centre lies in the ellipsoid with these half axes, a diamond those in the octahedron, a
    cross those on the axes; a disk is a ball without extent along z.
    """
    footprint = _made(shape, tuple(map(float, radius)))
    footprint.cells.flags.writeable = False
    return footprint


@lru_cache(maxsize=16)
def _made(shape: FootprintShape, radius: tuple[float, ...]) -> Footprint:
    reach = half_widths(shape, radius)
    if shape == "box":
        return Footprint(shape, np.ones([2 * r + 1 for r in reach], bool))
    grids = np.ogrid[tuple(slice(-r, r + 1) for r in reach)]
    shares = [abs(g) / max(r, 1) for g, r in zip(grids, radius, strict=True)]
    if shape == "cross":
        off_axis = sum((g != 0).astype(np.int8) for g in grids)
        return Footprint(shape, np.asarray(off_axis <= 1))
    distance: Any = sum(s if shape == "diamond" else s * s for s in shares)
    return Footprint(shape, np.asarray(distance <= 1 + _SLACK))


def custom_footprint(cells: NDArray[Any]) -> Footprint:
    """Return a footprint from an array whose non-zero cells count; the origin lies at ``size // 2``, as in scipy.ndimage.

    Raises
    ------
    InputError
        No cell is set.
    """
    wanted = np.asarray(cells) != 0
    if not wanted.any():
        raise InputError("footprint", "has no cell that is not zero", "Paint at least one pixel")
    return Footprint("custom", np.pad(wanted, [(0, 1 - n % 2) for n in wanted.shape]))
