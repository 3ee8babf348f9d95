"""Connected regions of similar grey value around seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.kernels.flood import flood, within


class Surroundings(NamedTuple):
    """Where a region starts (flat indices), where it may never go, and what counts as touching."""

    starts: NDArray[np.int64]
    excluded: NDArray[np.bool_] | None
    connectivity: int


def grow(image: NDArray[Any], place: Surroundings, lower: float, upper: float) -> NDArray[np.bool_]:
    """Return the pixels from `lower` to `upper` that connect to the starts."""
    accepted = within(image, lower, upper)
    return flood(accepted if place.excluded is None else accepted & ~place.excluded, place.starts, place.connectivity)


def grow_with_confidence(
    image: NDArray[Any], place: Surroundings, *, multiplier: float, iterations: int, radius: Sequence[int]
) -> NDArray[np.bool_]:
    """Grow within `multiplier` standard deviations of the mean, which is taken again from the region each time.

    As ``SimpleITK.ConfidenceConnected``: the interval always holds the seeds' own values, and its ends are cut to
    whole numbers in integer images.
    """
    own = _finite(image.ravel()[place.starts])
    if not own.size:
        return np.zeros(image.shape, bool)
    region = None
    interval: tuple[float, float] | None = None
    mean, deviation = mean_and_deviation(box_values(image, place.starts, radius))
    for _ in range(iterations + 1):
        ends = min(mean - multiplier * deviation, own.min()), max(mean + multiplier * deviation, own.max())
        fresh = _as_pixel(ends[0], image.dtype), _as_pixel(ends[1], image.dtype)
        if fresh == interval:
            break
        interval, region = fresh, grow(image, place, *fresh)
        mean, deviation = mean_and_deviation(image[region].astype(np.float64))
        if deviation**2 < np.finfo(np.float64).eps / 10:
            break
    return np.zeros(image.shape, bool) if region is None else region


def box_values(image: NDArray[Any], starts: NDArray[np.int64], radius: Sequence[int]) -> NDArray[np.float64]:
    """Return the finite values in the boxes around all starts; the image goes on with its border values."""
    centres = np.stack(np.unravel_index(starts, image.shape), axis=-1)[:, np.newaxis]
    offsets = np.array(list(product(*[range(-r, r + 1) for r in radius])))
    places = np.clip(centres + offsets, 0, np.array(image.shape) - 1)
    return _finite(image[tuple(np.moveaxis(places, -1, 0))].ravel())


def mean_and_deviation(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return mean and sample standard deviation (0 for a single value)."""
    return float(values.mean()), float(values.std(ddof=1)) if values.size > 1 else 0.0


def assign_overlaps(
    image: NDArray[Any], regions: Mapping[int, NDArray[np.bool_]], seeds: Mapping[int, NDArray[np.int64]], dtype: Any
) -> NDArray[Any]:
    """Merge one region per id; a pixel in several goes to the id whose seeds' mean is nearest, seeds to their own."""
    if len(regions) == 1:
        ((label, region),) = regions.items()
        return np.asarray(np.multiply(region, label, dtype=dtype))
    labels = np.zeros(image.shape, dtype)
    best = np.full(image.size, np.inf)
    for label, region in regions.items():
        centre = _finite(image.ravel()[seeds[label]])
        distance = np.full(image.size, np.inf)
        distance[region.ravel()] = np.abs(image[region].astype(np.float64) - (centre.mean() if centre.size else 0.0))
        own = seeds[label][region.ravel()[seeds[label]]]
        distance[own] = -1.0
        nearer = distance < best
        best[nearer], labels.ravel()[nearer] = distance[nearer], label
    return labels


def _as_pixel(value: float, dtype: np.dtype[Any]) -> float:
    return float(np.trunc(value)) if dtype.kind in "iub" else float(dtype.type(value))


def _finite(values: NDArray[Any]) -> NDArray[np.float64]:
    floats = values.astype(np.float64)
    return np.asarray(floats[np.isfinite(floats)])
