"""Openings, closings and gradients by flat footprints: an erosion and a dilation together."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.kernels.bands import in_bands
from napari_lightbox.kernels.footprint import Footprint
from napari_lightbox.kernels.missing import has_nan
from napari_lightbox.kernels.morphology import dilate, erode, joined, opencv_is_best


def opened(block: NDArray[Any], footprint: Footprint, iterations: int = 1) -> NDArray[Any]:
    """Return the dilation of the erosion, each `iterations` times."""
    found = _in_one_call(block, footprint, iterations, "MORPH_OPEN")
    return dilate(erode(block, footprint, iterations), footprint, iterations) if found is None else found


def closed(block: NDArray[Any], footprint: Footprint, iterations: int = 1) -> NDArray[Any]:
    """Return the erosion of the dilation, each `iterations` times."""
    found = _in_one_call(block, footprint, iterations, "MORPH_CLOSE")
    return erode(dilate(block, footprint, iterations), footprint, iterations) if found is None else found


def gradient(block: NDArray[Any], footprint: Footprint, iterations: int = 1) -> NDArray[Any]:
    """Return dilation minus erosion, cut to the range of the type."""
    found = _in_one_call(block, footprint, iterations, "MORPH_GRADIENT")
    return difference(dilate(block, footprint, iterations), erode(block, footprint, iterations)) if found is None else found


def difference(high: NDArray[Any], low: NDArray[Any]) -> NDArray[Any]:
    """Subtract without wrapping; a negative difference (of an element without its origin) becomes 0 in unsigned types."""
    if high.dtype == bool:
        return np.asarray(high & ~low)
    if high.dtype.kind == "f":
        return np.asarray(high - low)
    if high.dtype.kind == "u":
        return np.asarray(np.maximum(high, low) - low)
    # in two's complement the bits of the difference are right, only their reading as a signed number may be wrong
    bits = (high - low).view(f"u{high.dtype.itemsize}")
    return np.where((high >= low) & (bits > np.iinfo(high.dtype).max), np.iinfo(high.dtype).max, high - low)


def _in_one_call(block: NDArray[Any], footprint: Footprint, iterations: int, operation: str) -> NDArray[Any] | None:
    """Return what OpenCV makes of a plane, or None where `kernels.morphology` knows more or is faster."""
    if block.dtype == bool:
        found = _in_one_call(block.view(np.uint8), footprint, iterations, operation)
        return None if found is None else found.view(bool)
    footprint, iterations = joined(footprint, iterations)
    plain = block.ndim == 2 and block.size > 0 and iterations == 1 and footprint.shape != "custom"
    if not plain or not opencv_is_best(block, footprint) or has_nan(block):
        return None
    import cv2

    # named shapes are convex along the axes: repeated border pixels lie in the window already and change nothing
    plane, cells = np.ascontiguousarray(block), footprint.cells.view(np.uint8)

    def whole(band: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(cv2.morphologyEx(band, getattr(cv2, operation), cells, borderType=cv2.BORDER_REPLICATE))

    # a gradient in bands spends what the second processor gains on joining them
    return whole(plane) if operation == "MORPH_GRADIENT" else in_bands(whole, plane, 2 * footprint.reach[0])
