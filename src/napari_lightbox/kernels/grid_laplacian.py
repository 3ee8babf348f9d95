"""Solve symmetric linear systems on a pixel grid by conjugate gradients, with multigrid where that pays."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from napari_lightbox.kernels.grid_laplacian_compiled import Grid
    from napari_lightbox.kernels.grid_multigrid_compiled import Levels

Mode: TypeAlias = Literal["cg_j", "cg_mg", "cg", "bf"]
_Vector: TypeAlias = NDArray[np.float64]

_FEWEST = 64  # unknowns at which a level is solved directly
_PER_THREAD = 1 << 15  # unknowns below which a second thread costs more than it saves
_SHARE = 0.7  # of the weights that cross a coarse face; fewest steps between 1 (Galerkin) and 0.5 (twice the distance)


def empty_grid(shape: Sequence[int], dtype: Any = np.float64) -> Grid:
    """Return a system of zeros over a (z, y, x) grid."""
    from napari_lightbox.kernels.grid_laplacian_compiled import Grid

    depth, row, plane = shape[0], shape[2], shape[1] * shape[2]
    diagonal, inverse, right, down, deep = np.zeros((5, (depth + 2) * plane), dtype)
    return Grid(diagonal, inverse, right, down, deep, row, plane, plane, depth > 1)


class _Team:
    """Runs compiled loops over index ranges on all processors and adds up what they return."""

    def __init__(self) -> None:
        self._workers = os.cpu_count() or 1
        self._pool = ThreadPoolExecutor(self._workers)

    def run(self, work: Callable[..., Any], start: int, stop: int, weight: int = 1) -> float:
        """Call ``work(..., begin, end)`` on the parts of a range; each item stands for `weight` unknowns."""
        parts = max(1, min(self._workers, (stop - start) * weight // _PER_THREAD))
        if parts == 1:
            return float(work(start, stop) or 0.0)
        edges = [start + (stop - start) * i // parts for i in range(parts + 1)]
        return float(sum(v or 0.0 for v in self._pool.map(work, edges[:-1], edges[1:])))

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown()


class Solver:
    """One system, solved for several right-hand sides; use it in a with block.

    Parameters
    ----------
    grid
        The system; its inverse diagonal is written here.
    mode
        Preconditioner: cg none, cg_j the diagonal, cg_mg a multigrid cycle; bf factorises the matrix instead.
    """

    def __init__(self, grid: Grid, mode: Mode) -> None:
        from napari_lightbox.kernels import grid_laplacian_compiled as compiled

        self._grid, self._compiled, self._mode, self._team = grid, compiled, mode, _Team()
        compiled.write_inverse(grid)
        self._levels = _Hierarchy(grid, self._team) if mode == "cg_mg" else None
        self._direct = _factorised(grid) if mode == "bf" else None
        self.steps = 0

    def __enter__(self) -> Self:
        """Return the solver."""
        return self

    def __exit__(self, *error: object) -> None:
        """End the threads."""
        self._team.close()

    def solve(self, b: _Vector, tolerance: float, most: int) -> tuple[_Vector, bool]:
        """Return x with ``|b - A x| <= tolerance``, and whether that was reached within `most` steps."""
        if self._direct is not None:
            return self._direct(b), True
        compiled = self._compiled
        run = partial(self._run, b.size)
        x, r, z, product = np.zeros_like(b), b.copy(), np.zeros_like(b), np.zeros_like(b)
        squared = run(compiled.dot, r, r)
        self._precondition(r, z)
        p, old = z.copy(), run(compiled.dot, r, z)
        for _ in range(most):
            if squared <= tolerance**2 or old <= 0:
                return x, True
            step = old / run(compiled.multiply, p, product, self._grid)
            squared = run(compiled.advance, x, r, p, product, step)
            self._precondition(r, z)
            new = run(compiled.dot, r, z)
            run(compiled.turn, p, z, new / old)
            old = new
            self.steps += 1
        return x, squared <= tolerance**2

    def _run(self, size: int, work: Callable[..., Any], *arguments: Any) -> float:
        return self._team.run(partial(work, *arguments), self._grid.pad, size - self._grid.pad)

    def _precondition(self, r: _Vector, z: _Vector) -> None:
        if self._levels is not None:
            self._levels.improve(r, z)
        elif self._mode == "cg_j":
            self._run(r.size, self._compiled.scale, r, self._grid.inverse, z)
        else:
            z[:] = r


class _Hierarchy:
    """Ever coarser systems, each pixel of one standing for 2 x 2 x 2 of the one before."""

    def __init__(self, grid: Grid, team: _Team) -> None:
        from napari_lightbox.kernels import grid_laplacian_compiled as compiled

        self._compiled, self._team = compiled, team
        # what only steers the search needs no double precision, and takes half the time without
        names = ("diagonal", "inverse", "right", "down", "deep")
        self._grids = [grid._replace(**{name: getattr(grid, name).astype(np.float32) for name in names})]
        self._halves: list[NDArray[np.int64]] = []
        shape = _shape(grid)
        while np.prod(shape) > _FEWEST:
            halves = np.array([2 if n > 1 else 1 for n in shape])
            shape = tuple(-(-n // int(h)) for n, h in zip(shape, halves, strict=True))
            coarse = empty_grid(shape, np.float32)
            compiled.coarsen(self._grids[-1], coarse, halves, _SHARE)
            compiled.write_inverse(coarse)
            self._grids.append(coarse)
            self._halves.append(halves)
        self._large = sum(int(np.prod(_shape(g))) >= 2 * _PER_THREAD for g in self._grids[:-1])
        self._small = _packed(self._grids[self._large :], self._halves[self._large :], self._large == 0)
        self._b = [np.zeros_like(g.diagonal) for g in self._grids[: self._large]]
        self._x = [np.zeros_like(g.diagonal) for g in self._grids[: self._large]]

    def improve(self, b: _Vector, x: _Vector) -> None:
        """Write an approximate solution into `x`."""
        # residuals shrink by many orders: brought to one, the smallest stay above what single precision holds
        scale = float(np.abs(b).max()) or 1.0
        first_b, first_x = self._vectors(0)
        np.divide(b, scale, out=first_b, casting="same_kind")
        self._cycle(0)
        np.multiply(first_x, scale, out=x)

    def _vectors(self, level: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return right-hand side and solution of a level."""
        if level < self._large:
            return self._b[level], self._x[level]
        size = self._grids[level].diagonal.size
        return self._small.b[:size], self._small.x[:size]

    def _cycle(self, level: int) -> None:
        """Write an approximate solution of one level: a W cycle, symmetric so that conjugate gradients hold."""
        from napari_lightbox.kernels.grid_multigrid_compiled import cycle

        if level == self._large:
            cycle(self._small, 0)
            return
        b, x = self._vectors(level)
        x[:] = 0
        self._relax(b, x, self._grids[level], (0, 1))
        for _ in range(2 if level else 1):
            self._correct(b, x, level)
        self._relax(b, x, self._grids[level], (1, 0))

    def _correct(self, b: NDArray[np.float32], x: NDArray[np.float32], level: int) -> None:
        fine, coarse, halves = self._grids[level], self._grids[level + 1], self._halves[level]
        below_b, below_x = self._vectors(level + 1)
        down = partial(self._compiled.restrict, b, x, fine, below_b, coarse, halves)
        self._team.run(down, 0, _lines(coarse), coarse.row * 8)
        self._cycle(level + 1)
        up = partial(self._compiled.correct, x, fine, below_x, coarse, halves)
        self._team.run(up, 0, _lines(fine), fine.row)

    def _relax(self, b: NDArray[np.float32], x: NDArray[np.float32], grid: Grid, colours: tuple[int, int]) -> None:
        for colour in colours:
            self._team.run(partial(self._compiled.relax, b, x, colour, grid), 0, _lines(grid), grid.row)


def _packed(grids: Sequence[Grid], halves: Sequence[NDArray[np.int64]], finest: bool) -> Levels:
    """Return the levels behind each other, with the inverse of the last one."""
    from napari_lightbox.kernels.grid_multigrid_compiled import Levels

    starts = np.cumsum([0, *[g.diagonal.size for g in grids]])
    repeats = np.full(len(grids), 2)
    repeats[0] -= finest
    diagonal, inverse, right, down, deep = (np.concatenate(arrays) for arrays in list(zip(*grids, strict=True))[:5])
    b, x = np.zeros((2, int(starts[-1])), np.float32)
    return Levels(
        diagonal,
        inverse,
        right,
        down,
        deep,
        b,
        x,
        starts,
        np.array([g.row for g in grids]),
        np.array([g.plane for g in grids]),
        np.array([g.solid for g in grids]),
        np.array([*halves, np.ones(3, np.int64)]),
        repeats,
        np.linalg.pinv(_dense(grids[-1]), hermitian=True).astype(np.float32),
    )


def _shape(grid: Grid) -> tuple[int, ...]:
    return (grid.diagonal.size // grid.plane - 2, grid.plane // grid.row, grid.row)


def _lines(grid: Grid) -> int:
    return int((grid.diagonal.size - 2 * grid.pad) // grid.row)


def _matrix(grid: Grid) -> Any:
    """Return the system as a sparse matrix over all pixels; pixels that take no part get a 1 on the diagonal."""
    from scipy import sparse

    n = grid.diagonal.size - 2 * grid.pad
    inner = slice(grid.pad, grid.pad + n)
    main = np.where(grid.diagonal[inner] > 0, grid.diagonal[inner], 1)
    steps = {1: grid.right, grid.row: grid.down, grid.plane: grid.deep}
    used = {step: weights[inner][: n - step] for step, weights in steps.items() if step < n}
    bands = [-w for w in used.values()]
    return sparse.diags_array([main, *bands, *bands], offsets=[0, *used, *[-step for step in used]], format="csc")


def _dense(grid: Grid) -> NDArray[np.float64]:
    return np.asarray(_matrix(grid).toarray())


def _factorised(grid: Grid) -> Callable[[_Vector], _Vector]:
    from scipy.sparse.linalg import splu

    factors = splu(_matrix(grid), permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True})

    def solve(b: _Vector) -> _Vector:
        x = np.zeros_like(b)
        x[grid.pad : b.size - grid.pad] = factors.solve(b[grid.pad : b.size - grid.pad])
        return x

    return solve
