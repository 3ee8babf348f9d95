"""Canny's edge detector on a plane, equal to scikit-image's result pixel for pixel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.kernels.borders import border_index
from napari_lightbox.kernels.slabs import run_slabs

CannyBorder = Literal["constant", "reflect", "mirror", "nearest"]

_ROWS = 64


def canny(
    image: NDArray[Any],
    sigma: Sequence[float],
    thresholds: tuple[float, float],
    quantiles: bool,
    mask: NDArray[np.bool_] | None,
    border: CannyBorder,
) -> NDArray[np.int32]:
    """Return the edges of a float32 or float64 plane as 0 and 1.

    `thresholds` are gradient magnitudes in the units of the plane, or with `quantiles` shares of the magnitude's
    distribution.
    """
    from napari_lightbox.kernels.canny_compiled import connect, gradients, thin

    smoothed = _smoothed(image, sigma, mask, border)
    down, right, magnitude = (np.empty_like(smoothed) for _ in range(3))
    rows = len(image)
    run_slabs(lambda a, b: gradients(smoothed, down, right, magnitude, a, b), rows, least=_ROWS)
    low, high = thresholds
    if quantiles:
        low, high = (float(q) for q in np.percentile(magnitude, [100 * low, 100 * high]))
    # the smallest threshold that no flat pixel reaches; float32 as in the reference
    least = np.float32(low if low != 0 else 1e-14)
    allowed = _allowed(image.shape, mask)
    state = np.empty(image.shape, np.uint8)
    run_slabs(lambda a, b: thin(down, right, magnitude, allowed, least, high, state, a, b), rows, least=_ROWS)
    edges = np.zeros(image.shape, np.int32)
    connect(state, edges)
    return edges


def _allowed(shape: tuple[int, ...], mask: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    """Return where edges may lie: off the image's border, and one pixel inside the mask."""
    if mask is not None:
        from scipy import ndimage

        return np.asarray(ndimage.binary_erosion(mask, np.ones((3, 3), bool)))
    allowed = np.zeros(shape, bool)
    allowed[1:-1, 1:-1] = True
    return allowed


def _smoothed(image: NDArray[Any], sigma: Sequence[float], mask: NDArray[np.bool_] | None, border: CannyBorder) -> NDArray[Any]:
    """Return the Gaussian mean over the pixels inside the mask and inside the image."""
    taps = [_taps(s) for s in sigma]
    if mask is not None:
        share = _gaussian(mask.astype(image.dtype), taps, border)
        smoothed = _gaussian(np.where(mask, image, image.dtype.type(0)), taps, border)
    elif border == "constant":
        share = _share_inside(image.shape, image.dtype, taps)
        smoothed = _gaussian(image, taps, border)
    else:
        return _gaussian(image, taps, border)
    smoothed /= share + np.finfo(image.dtype).eps
    return smoothed


def _share_inside(shape: tuple[int, ...], dtype: Any, taps: Sequence[NDArray[np.float64]]) -> NDArray[Any]:
    """Return the kernel's weight inside the image; only the rim differs, so a small plane holds all values."""
    wide = [min(n, t.size) for n, t in zip(shape, taps, strict=True)]
    small = _gaussian(np.ones(wide, dtype), taps, "constant")
    rows, columns = (
        np.where(np.arange(n) < w // 2, np.arange(n), np.maximum(np.arange(n) - (n - w), w // 2))
        for n, w in zip(shape, wide, strict=True)
    )
    return np.asarray(small[np.ix_(rows, columns)])


def _taps(sigma: float) -> NDArray[np.float64]:
    """Return the Gaussian in exactly the arithmetic of scipy.ndimage."""
    radius = int(4.0 * sigma + 0.5)
    if radius == 0:
        return np.ones(1)
    weights = np.exp(-0.5 / (sigma * sigma) * np.arange(-radius, radius + 1) ** 2)
    return np.asarray(weights / weights.sum())


def _gaussian(image: NDArray[Any], taps: Sequence[NDArray[np.float64]], border: CannyBorder) -> NDArray[Any]:
    from napari_lightbox.kernels.canny_compiled import smooth_columns, smooth_rows

    for axis, (run, kernel) in enumerate(zip((smooth_columns, smooth_rows), taps, strict=True)):
        radius, length = kernel.size // 2, image.shape[axis]
        if radius == 0:
            continue
        if border == "constant":
            index = np.pad(np.arange(length, dtype=np.int64), radius, constant_values=-1)
        else:
            index = border_index(length, radius, radius, border)
        source, image = image, np.empty_like(image)
        run_slabs(_bound(run, source, index, kernel, image), len(image), least=_ROWS)
    return image


def _bound(run: Any, *arguments: Any) -> Any:
    return lambda start, stop: run(*arguments, start, stop)
