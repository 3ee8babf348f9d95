"""Tone curves that give one image the histogram of another."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.kernels.histogram import Histogram

Curve = tuple[NDArray[np.float64], NDArray[np.float64]]


def cumulative_curve(source: Histogram, template: Histogram) -> Curve:
    """Return the curve that maps each value to the template's value of the same cumulative share.

    It has one height per level or bin of `source`, so its points are evenly spaced.
    """
    source, template = source.trimmed(), template.trimmed()
    seen, found = source.counts > 0, template.counts > 0
    shares = np.cumsum(source.counts[seen]) / source.total
    targets = np.cumsum(template.counts[found]) / template.total
    heights = np.interp(shares, targets, template.values[found])
    values = source.values.astype(np.float64)
    # straight across values that do not occur, so that bins in sparse tails are not dragged to the last one below
    return values, np.interp(values, values[seen], heights)


def quantile_curve(source: Histogram, template: Histogram, levels: int, points: int, from_mean: bool) -> Curve:
    """Return ITK's curve: straight lines between a few quantiles of the pixels from the mean (or minimum) on."""
    before, after = _knots(source.trimmed(), levels, points, from_mean), _knots(template.trimmed(), levels, points, from_mean)
    return before, after


def _knots(histogram: Histogram, levels: int, points: int, from_mean: bool) -> NDArray[np.float64]:
    values, counts = histogram.values.astype(np.float64), histogram.counts
    if histogram.edges is None:
        low, high = values[0], values[-1]
    else:
        low, high = float(histogram.edges[0]), float(histogram.edges[-1])
    start = float(np.average(values, weights=counts)) if from_mean else low
    kept = values >= start
    if high == start:
        return np.full(points + 3, start)
    bins = np.minimum(((values[kept] - start) / (high - start) * levels).astype(np.int64), levels - 1)
    cumulated = np.concatenate([[0.0], np.cumsum(np.bincount(bins, counts[kept], levels))])
    shares = np.arange(1, points + 1) / (points + 1)
    quantiles = _inverse(cumulated / cumulated[-1], np.linspace(start, high, levels + 1), shares)
    return np.concatenate([[low, start], quantiles, [high]])


def _inverse(cumulated: NDArray[np.float64], edges: NDArray[np.float64], shares: NDArray[Any]) -> NDArray[np.float64]:
    """Return where the cumulative histogram reaches each share, straight inside a bin.

    As in ITK a share below one half is sought from the left and any other from the right, which matters
    where empty bins follow.
    """
    from_left = np.searchsorted(cumulated[1:], shares, side="left")
    from_right = np.searchsorted(cumulated[:-1], shares, side="right") - 1
    k = np.where(shares < 0.5, from_left, from_right)
    part = (shares - cumulated[k]) / (cumulated[k + 1] - cumulated[k])
    return np.asarray(edges[k] + part * (edges[k + 1] - edges[k]))
