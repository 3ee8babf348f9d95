"""Neighbours of a pixel as steps in a flat array that has a border of one pixel on every side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.errors import ParameterError


def padded(block: NDArray[Any], fill: Any, dtype: Any = None) -> NDArray[Any]:
    """Return the block with a border of one pixel of value `fill` on every side, as `dtype`."""
    out = np.full([n + 2 for n in block.shape], fill, dtype=block.dtype if dtype is None else dtype)
    out[inner(block.ndim)] = block
    return out


def inner(ndim: int) -> tuple[slice, ...]:
    """Return the index that takes the border off again."""
    return (slice(1, -1),) * ndim


def flat_steps(shape: Sequence[int], connectivity: int) -> NDArray[np.int64]:
    """Return the flat index step to every neighbour, in raster order.

    Parameters
    ----------
    shape
        Shape of the padded array.
    connectivity
        Along how many axes a neighbour may differ: 1 faces, `ndim` faces, edges and corners.
    """
    check_connectivity(connectivity, len(shape))
    return np.array([_step(shape, moves) for moves in _moves(len(shape), connectivity) if any(moves)], np.int64)


def row_steps(shape: Sequence[int], connectivity: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the step to every neighbouring row, and by how much the row's touching part is longer at each end."""
    check_connectivity(connectivity, len(shape))
    rows = [moves for moves in _moves(len(shape) - 1, connectivity) if any(moves)]
    steps = [_step(shape, (*moves, 0)) for moves in rows]
    reach = [int(sum(map(abs, moves)) < connectivity) for moves in rows]
    return np.array(steps, np.int64), np.array(reach, np.int64)


def check_connectivity(connectivity: int, ndim: int) -> None:
    """Raise ParameterError when a connectivity does not exist in `ndim` dimensions."""
    if not 1 <= connectivity <= ndim:
        raise ParameterError("connectivity", f"{connectivity} does not exist in {ndim}D", f"Give 1 to {ndim}")


def _moves(ndim: int, connectivity: int) -> Iterator[tuple[int, ...]]:
    return (moves for moves in product((-1, 0, 1), repeat=ndim) if sum(map(abs, moves)) <= connectivity)


def _step(shape: Sequence[int], moves: Sequence[int]) -> int:
    step = 0
    for length, move in zip(shape, moves, strict=True):
        step = step * length + move
    return step
