"""Laplacian of a Gaussian in two and three dimensions, as separable passes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.kernels.gaussian import gaussian_taps
from napari_lightbox.kernels.separable import Border, correlate_separable

_ONE = np.ones(1)


def curvature_taps(sigma: float, radius: int, zero_sum: bool) -> NDArray[np.float64]:
    """Return the second derivative of the sampled Gaussian.

    Cutting the tails leaves a small sum, so that a constant does not answer exactly zero; with `zero_sum` the
    Gaussian share that makes the sum zero is taken off.
    """
    offsets = np.arange(-radius, radius + 1)
    gaussian = gaussian_taps(sigma, radius)
    taps = gaussian * (offsets**2 / sigma**4 - 1 / sigma**2)
    return np.asarray(taps - gaussian * taps.sum() if zero_sum else taps)


def laplacian_of_gaussian(
    block: NDArray[Any],
    sigma: Sequence[float],
    radius: Sequence[int],
    weight: Sequence[float],
    zero_sum: bool,
    border: Border,
) -> NDArray[Any]:
    """Return the weighted sum over the axes of second derivatives of the smoothed float block."""
    smooth = [gaussian_taps(s, r) for s, r in zip(sigma, radius, strict=True)]
    curved = [w * curvature_taps(s, r, zero_sum) for s, r, w in zip(sigma, radius, weight, strict=True)]
    *_, smooth_y, smooth_x = smooth
    *_, curved_y, curved_x = curved
    if block.ndim == 2:
        result = correlate_separable(block, [curved_y, smooth_x], border)
        result += correlate_separable(block, [smooth_y, curved_x], border)
        return result
    in_plane = correlate_separable(block, [_ONE, curved_y, smooth_x], border)
    in_plane += correlate_separable(block, [_ONE, smooth_y, curved_x], border)
    result = correlate_separable(in_plane, [smooth[0], _ONE, _ONE], border)
    result += correlate_separable(block, [curved[0], smooth_y, smooth_x], border)
    return result
