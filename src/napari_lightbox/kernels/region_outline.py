"""Perimeter, surface and largest diameter of labelled regions, from parts that merge over blocks."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Rim(NamedTuple):
    """Foreground pixels of a block that touch other blocks."""

    start: tuple[int, ...]
    stop: tuple[int, ...]
    places: NDArray[np.int64]
    labels: NDArray[np.int64]


class Crossings(NamedTuple):
    """How often straight lines along each step cross the border of each label; `rims` hold what blocks cannot know alone."""

    labels: NDArray[np.int64]
    counts: NDArray[np.int64]
    rims: tuple[Rim, ...]


class Extremes(NamedTuple):
    """Pixels among which are the corners of the convex hull of every label."""

    labels: NDArray[np.int64]
    places: NDArray[np.int64]


def steps_of(ndim: int) -> NDArray[np.int64]:
    """Return the steps to all neighbours, each beside its opposite."""
    half = [s for s in itertools.product((-1, 0, 1), repeat=ndim) if s > (0,) * ndim]
    return np.array([d for s in half for d in (s, tuple(-v for v in s))])


def block_crossings(ids: NDArray[np.int64], numbers: NDArray[Any], start: Sequence[int], whole: Sequence[int]) -> Crossings:
    """Return the crossings of one block that begins at index `start` of an image of shape `whole`."""
    from napari_lightbox.kernels.region_sums_compiled import count_crossings

    ndim = numbers.ndim
    stop = tuple(s + n for s, n in zip(start, numbers.shape, strict=True))
    sides = np.array([(s > 0, e < w) for s, e, w in zip(start, stop, whole, strict=True)])
    open_sides = np.concatenate([np.zeros((3 - ndim, 2), bool), sides])
    steps = steps_of(ndim)
    counts = np.zeros((len(ids) + 1, len(steps)), np.int64)
    grid = np.ascontiguousarray(numbers).reshape((1,) * (3 - ndim) + numbers.shape)
    grid.flags.writeable = False
    count_crossings(grid, np.pad(steps, [(0, 0), (3 - ndim, 0)]), open_sides, counts)
    at_side = np.zeros(numbers.shape, bool)
    for axis, (before, after) in enumerate(sides):
        view = np.moveaxis(at_side, axis, 0)
        view[0] |= before
        view[-1] |= after
    places = np.nonzero(at_side & (numbers > 0))
    rim = Rim(tuple(start), stop, np.stack(places, axis=1) + np.asarray(start), ids[numbers[places].astype(np.intp) - 1])
    return Crossings(ids, counts[1:], (rim,))


def merge_crossings(a: Crossings, b: Crossings) -> Crossings:
    """Add the crossings of two blocks."""
    labels = np.union1d(a.labels, b.labels)
    counts = np.zeros((len(labels), a.counts.shape[1]), np.int64)
    for part in (a, b):
        counts[np.searchsorted(labels, part.labels)] += part.counts
    return Crossings(labels, counts, a.rims + b.rims)


def all_crossings(found: Crossings, whole: Sequence[int]) -> NDArray[np.int64]:
    """Return the crossings per label and step, those between blocks included."""
    counts = found.counts.copy()
    places = np.concatenate([r.places for r in found.rims])
    flat = places @ np.cumprod([1, *whole[:0:-1]])[::-1]
    order = np.argsort(flat)
    flat, labels = flat[order], np.concatenate([r.labels for r in found.rims])[order]
    strides = np.cumprod([1, *whole[:0:-1]])[::-1]
    for rim in found.rims:
        rows = np.searchsorted(found.labels, rim.labels)
        for k, step in enumerate(steps_of(len(whole))):
            there = rim.places + step
            in_image = ((there >= 0) & (there < whole)).all(axis=1)
            in_block = ((there >= rim.start) & (there < rim.stop)).all(axis=1)
            asked = np.flatnonzero(in_image & ~in_block)
            place = np.minimum(np.searchsorted(flat, there[asked] @ strides), len(flat) - 1)
            same = (flat[place] == there[asked] @ strides) & (labels[place] == rim.labels[asked])
            np.add.at(counts[:, k], rows[asked[~same]], 1)
    return counts


def crofton_weights(spacing: Sequence[float]) -> NDArray[np.float64]:
    """Return what one crossing along each step adds to the perimeter (2D) or surface (3D), by Crofton's formula.

    Every step stands for the directions nearer to it than to any other, and for lines as far apart as the grid has them.
    """
    step = np.asarray(spacing, float)
    ways = steps_of(len(step)) * step
    lengths = np.linalg.norm(ways, axis=1)
    apart = np.prod(step) / lengths
    if len(step) == 2:
        angles = np.arctan2(ways[:, 0], ways[:, 1])
        order = np.argsort(angles)
        gaps = np.diff(angles[order], append=angles[order[0]] + 2 * np.pi)
        share = np.empty(len(ways))
        share[order] = (gaps + np.roll(gaps, 1)) / 2
        return np.asarray(share * apart / 2)
    from scipy.spatial import SphericalVoronoi

    areas = SphericalVoronoi(ways / lengths[:, None]).calculate_areas()
    return np.asarray(areas / np.pi * apart)


def block_extremes(ids: NDArray[np.int64], numbers: NDArray[Any], start: Sequence[int]) -> Extremes:
    """Return the ends of all runs of labels along the last axis."""
    edge = np.ones((*numbers.shape[:-1], numbers.shape[-1] + 1), bool)
    edge[..., 1:-1] = numbers[..., 1:] != numbers[..., :-1]
    places = np.nonzero((edge[..., 1:] | edge[..., :-1]) & (numbers > 0))
    return Extremes(ids[numbers[places].astype(np.intp) - 1], np.stack(places, axis=1) + np.asarray(start))


def merge_extremes(a: Extremes, b: Extremes) -> Extremes:
    """Put the pixels of two blocks together."""
    return Extremes(np.concatenate([a.labels, b.labels]), np.concatenate([a.places, b.places]))


def largest_diameters(found: Extremes, labels: NDArray[np.int64], spacing: Sequence[float]) -> NDArray[np.float64]:
    """Return the largest distance between two pixel centres of each label."""
    order = np.argsort(found.labels, kind="stable")
    points = found.places[order] * np.asarray(spacing, float)
    edges = np.searchsorted(found.labels[order], labels, side="left"), np.searchsorted(found.labels[order], labels, side="right")
    return np.array([_diameter(points[a:b]) for a, b in zip(*edges, strict=True)], float)


def _diameter(points: NDArray[np.float64]) -> float:
    from scipy.spatial import ConvexHull, QhullError, distance

    if len(points) > 100:
        with contextlib.suppress(QhullError):  # flat regions have no hull; their few pixels are compared one by one
            points = points[ConvexHull(points).vertices]
    return float(max((distance.cdist(points[i : i + 1000], points).max() for i in range(0, len(points), 1000)), default=0.0))
