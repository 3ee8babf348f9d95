"""Random walker: the chance that a walk from a pixel meets the seeds of each id first."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.kernels.flood import out_of_reach
from napari_lightbox.kernels.grid_laplacian import Mode, Solver, empty_grid
from napari_lightbox.kernels.slabs import run_slabs

_FLOOR = 1e-10  # weight across the strongest edge, so that every pixel is reached
_MOST_STEPS = 5_000
_CLOSER = 0.1


class Walk(NamedTuple):
    """Nearest id per pixel (0 where no walk arrives) and, on demand, the chances with the ids in front."""

    labels: NDArray[Any]
    chances: NDArray[np.float32] | None


def random_walker(
    image: NDArray[Any],
    markers: NDArray[Any],
    places: Mapping[int, NDArray[np.int64]],
    excluded: NDArray[np.bool_] | None,
    *,
    beta: float,
    intensity_range: float,
    mode: Mode,
    tolerance: float,
    spacing: Sequence[float],
    with_chances: bool,
) -> Walk:
    """Label every pixel by the id of the seeds that a random walk from it meets first, most probably.

    `image` has colour as a further last axis or not; `markers` are 0 or the id, `places` the flat indices per id;
    `intensity_range` is the difference of grey values that counts as one.
    """
    idle = out_of_reach(image, markers.shape, np.concatenate(list(places.values())), excluded)
    ids = _numbered(markers, places, idle)
    grid = _weights(image, idle, beta / intensity_range, spacing)
    outcome = _Outcome(markers, list(places), idle, with_chances)
    if outcome.unknown.any():
        _solve(grid, ids, len(places), mode, tolerance, outcome)
    return outcome.walk()


def _numbered(markers: NDArray[Any], places: Mapping[int, NDArray[np.int64]], idle: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Return 0 for unknown, 1 to K for the seeds of each id, -1 for idle pixels."""
    ids = np.zeros(markers.shape, np.int32)
    for number, at in enumerate(places.values(), start=1):
        ids.ravel()[at] = number
    ids[idle] = -1
    return ids


def _weights(image: NDArray[Any], idle: NDArray[np.bool_], beta: float, spacing: Sequence[float]) -> Any:
    """Return the graph with its weights; equal to scikit-image's within rounding."""
    from napari_lightbox.kernels.grid_laplacian_compiled import write_diagonal, write_weights

    ndim = idle.ndim
    shape = (1,) * (3 - ndim) + idle.shape
    channels = image.shape[-1] if image.ndim > ndim else 1
    volume = np.ascontiguousarray(image, np.float32 if image.dtype == np.float16 else None).reshape(*shape, channels)
    values = volume[~idle.reshape(shape)] if idle.any() else volume
    deviation = float(np.std(values, dtype=np.float64)) if values.size else 0.0
    strength = beta / (10 * deviation * np.sqrt(channels)) if deviation > 0 else 0.0
    factors = strength / np.array([1.0] * (3 - ndim) + list(spacing)) ** 2
    grid = empty_grid(shape)
    still = idle.reshape(shape)
    run_slabs(lambda a, b: write_weights(volume, still, factors, _FLOOR, grid, a, b), shape[0] * shape[1], 32)
    write_diagonal(grid)
    return grid


def _solve(grid: Any, ids: NDArray[np.int32], count: int, mode: Mode, tolerance: float, outcome: _Outcome) -> None:
    """Solve for what each id's chance differs from an even share; the last one follows from the sum.

    Starting from even shares, a pixel that the iterations hardly reach is undecided instead of wrong. The start is
    close already, so that a smaller residual is asked for than of a start from nothing.
    """
    from napari_lightbox.kernels.grid_laplacian_compiled import add_sources, cut_seeds

    padded = np.full(grid.diagonal.size, -1, np.int32)
    padded[grid.pad : grid.pad + ids.size] = ids.ravel()
    sources = [np.zeros_like(grid.diagonal) for _ in range(count)]
    for number, source in enumerate(sources, start=1):
        add_sources(source, padded, number, grid)
    cut_seeds(padded, grid)
    even = sum(sources) / count
    last = np.zeros(ids.shape)
    reached = True
    with Solver(grid, mode) as solver:
        for number, source in enumerate(sources[:-1]):
            limit = _CLOSER * tolerance * float(np.linalg.norm(source))
            x, arrived = solver.solve(source - even, limit, _MOST_STEPS)
            reached &= arrived
            part = x[grid.pad : grid.pad + ids.size].reshape(ids.shape)
            last -= part
            outcome.add(number, part + 1 / count)
        outcome.add(count - 1, last + 1 / count)
    if not reached:
        warnings.warn("random walker: the tolerance was not reached; lower beta or raise tol", RuntimeWarning, stacklevel=4)


class _Outcome:
    """Collects one chance after the other and keeps the best id."""

    def __init__(self, markers: NDArray[Any], ids: Sequence[int], idle: NDArray[np.bool_], with_chances: bool) -> None:
        self._ids = ids
        self.unknown = (markers == 0) & ~idle
        self._labels = markers.copy()
        self._best = np.full(markers.shape, -np.inf, np.float64)
        self._chances = None
        if with_chances:
            self._chances = np.stack([(markers == label).astype(np.float32) for label in ids])

    def add(self, number: int, chance: NDArray[Any]) -> None:
        """Take in the chance of the id with this number."""
        better = self.unknown & (chance > self._best)
        self._labels[better] = self._ids[number]
        self._best[better] = chance[better]
        if self._chances is not None:
            self._chances[number][self.unknown] = np.clip(chance[self.unknown], 0, 1)

    def walk(self) -> Walk:
        """Return what was found."""
        return Walk(self._labels, self._chances)
