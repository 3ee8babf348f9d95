"""Compiled multigrid cycle over the levels that are too small for threads: called once instead of hundreds of times."""

from __future__ import annotations

from typing import Any, NamedTuple

from numba import njit

from napari_lightbox.kernels.grid_laplacian_compiled import Grid, correct, relax, restrict


class Levels(NamedTuple):
    """Ever coarser systems, all arrays of one kind behind each other; level k lies from ``starts[k]`` to ``starts[k + 1]``.

    `b` and `x` are the right-hand side and the solution; `repeats` says how often a level is corrected from the one below,
    `bottom` is the inverse of the last one.
    """

    diagonal: Any
    inverse: Any
    right: Any
    down: Any
    deep: Any
    b: Any
    x: Any
    starts: Any
    rows: Any
    planes: Any
    solid: Any
    halves: Any
    repeats: Any
    bottom: Any


@njit(nogil=True, cache=True)
def _grid(levels: Levels, k: int) -> Grid:
    part = slice(levels.starts[k], levels.starts[k + 1])
    row, plane, solid = levels.rows[k], levels.planes[k], levels.solid[k]
    return Grid(
        levels.diagonal[part], levels.inverse[part], levels.right[part], levels.down[part], levels.deep[part],
        row, plane, plane, solid,
    )  # fmt: skip


@njit(nogil=True, cache=True)
def cycle(levels: Levels, k: int) -> None:
    """Write an approximate solution of level `k`: a symmetric W cycle."""
    fine = _grid(levels, k)
    b, x = levels.b[levels.starts[k] : levels.starts[k + 1]], levels.x[levels.starts[k] : levels.starts[k + 1]]
    if k == levels.rows.size - 1:
        _solve_bottom(levels.bottom, b[fine.pad :], x[fine.pad :])
        return
    coarse = _grid(levels, k + 1)
    below_b = levels.b[levels.starts[k + 1] : levels.starts[k + 2]]
    below_x = levels.x[levels.starts[k + 1] : levels.starts[k + 2]]
    lines, coarse_lines = (x.size - 2 * fine.pad) // fine.row, (below_x.size - 2 * coarse.pad) // coarse.row
    x[:] = 0
    relax(b, x, 0, fine, 0, lines)
    relax(b, x, 1, fine, 0, lines)
    for _ in range(levels.repeats[k]):
        restrict(b, x, fine, below_b, coarse, levels.halves[k], 0, coarse_lines)
        cycle(levels, k + 1)
        correct(x, fine, below_x, coarse, levels.halves[k], 0, lines)
    relax(b, x, 1, fine, 0, lines)
    relax(b, x, 0, fine, 0, lines)


@njit(nogil=True, cache=True)
def _solve_bottom(inverse: Any, b: Any, x: Any) -> None:
    """Write ``inverse @ b``; it is symmetric, so that rows serve as columns."""
    number = inverse.shape[0]
    x[:number] = 0
    for j in range(number):
        factor = b[j]
        row = inverse[j]
        for i in range(number):
            x[i] += factor * row[i]
