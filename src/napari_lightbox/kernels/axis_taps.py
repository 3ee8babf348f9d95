"""Weights that turn the samples of one axis into those of another grid over the same extent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.kernels.gaussian import gaussian_radius, gaussian_taps

Interpolation = Literal["nearest", "linear", "cubic_convolution", "cubic_spline", "area"]
Edge = Literal["reflect", "mirror", "nearest"]

_SPLINE_POLE = np.sqrt(3.0) - 2.0
SPLINE_REACH = {np.dtype(np.float64): 28, np.dtype(np.float32): 15}  # the pole to this power rounds to nothing


@dataclass(frozen=True)
class Taps:
    """For each output sample: which input samples it takes (`index`) and how much of each (`weight`).

    Both have shape (number of outputs, number of taps); indices lie inside the input axis.
    """

    index: NDArray[np.int64]
    weight: NDArray[np.float64]

    @property
    def needed(self) -> slice:
        """Range of input samples that are looked at."""
        return slice(int(self.index.min()), int(self.index.max()) + 1)


def fold(index: NDArray[np.int64], length: int, edge: Edge) -> NDArray[np.int64]:
    """Return indices brought back into ``range(length)`` by the border rule."""
    if edge == "nearest" or length == 1:
        return np.clip(index, 0, length - 1)
    period = 2 * length - (2 if edge == "mirror" else 0)
    wrapped = np.mod(index, period)
    return np.where(wrapped < length, wrapped, period - wrapped - (0 if edge == "mirror" else 1))


def axis_taps(
    length: int,
    count: int,
    box: slice,
    interpolation: Interpolation,
    sigma: float = 0.0,
    edge: Edge = "mirror",
    work: Any = np.float64,
) -> Taps:
    """Return the taps of the outputs `box` when an axis of `length` samples is resampled to `count`.

    Both grids span the same extent (pixel edges aligned). With `sigma`, the input is first smoothed by a Gaussian
    cut at four sigma; smoothing, spline prefilter and interpolation become one set of weights. `work` is the type in
    which the sum will be made.
    """
    out = np.arange(box.start, box.stop)
    if interpolation == "nearest" or (length == count and sigma == 0):
        index = ((2 * out + 1) * length) // (2 * count)
        return Taps(index[:, np.newaxis], np.ones((len(out), 1)))
    if interpolation == "area":
        first, weight = _area(out, length, count)
    else:
        position = (out + 0.5) * (length / count) - 0.5
        first, weight = _INTERPOLATIONS[interpolation](position)
    if interpolation == "cubic_spline":
        first, weight = _convolved(first, weight, spline_prefilter(work))
    if sigma > 0:
        first, weight = _convolved(first, weight, gaussian_taps(sigma, gaussian_radius(sigma, 4.0)))
    index = first[:, np.newaxis] + np.arange(weight.shape[1])
    return Taps(fold(index, length, edge), weight)


def spline_prefilter(work: Any = np.float64) -> NDArray[np.float64]:
    """Return the symmetric filter that turns samples into cubic B-spline coefficients, cut where it rounds to nothing."""
    reach = SPLINE_REACH[np.dtype(work)]
    offsets = np.abs(np.arange(-reach, reach + 1))
    return np.asarray(-6.0 * _SPLINE_POLE / (1.0 - _SPLINE_POLE**2) * _SPLINE_POLE**offsets)


def _convolved(first: NDArray[Any], weight: NDArray[Any], kernel: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    # no matrix product: its rounding depends on how many outputs there are, and tiles must agree bit for bit
    radius = len(kernel) // 2
    spread = np.zeros((len(weight), weight.shape[1] + 2 * radius))
    for tap in range(weight.shape[1]):
        spread[:, tap : tap + len(kernel)] += weight[:, tap : tap + 1] * kernel
    return first - radius, spread


def _linear(position: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    first = np.floor(position).astype(np.int64)
    part = position - first
    return first, np.stack([1 - part, part], axis=1)


def _cubic_convolution(position: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    first = np.floor(position).astype(np.int64)
    x, a = position - first, -0.75
    before = ((a * (x + 1) - 5 * a) * (x + 1) + 8 * a) * (x + 1) - 4 * a
    left = ((a + 2) * x - (a + 3)) * x * x + 1
    right = ((a + 2) * (1 - x) - (a + 3)) * (1 - x) * (1 - x) + 1
    return first - 1, np.stack([before, left, right, 1 - before - left - right], axis=1)


def _cubic_spline(position: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    first = np.floor(position).astype(np.int64)
    x = position - first
    y = 1 - x
    weight = np.stack([y**3, 4 - 6 * x**2 + 3 * x**3, 4 - 6 * y**2 + 3 * y**3, x**3], axis=1) / 6
    return first - 1, weight


def _area(out: NDArray[Any], length: int, count: int) -> tuple[NDArray[Any], NDArray[Any]]:
    step = length / count
    first = (out * length) // count
    taps = int(np.ceil(step)) + 1
    low, high = (out * step)[:, np.newaxis], ((out + 1) * step)[:, np.newaxis]
    edges = first[:, np.newaxis] + np.arange(taps)
    overlap = np.clip(np.minimum(edges + 1, high) - np.maximum(edges, low), 0, None)
    return first, overlap / overlap.sum(axis=1, keepdims=True)


_INTERPOLATIONS = {"linear": _linear, "cubic_convolution": _cubic_convolution, "cubic_spline": _cubic_spline}
