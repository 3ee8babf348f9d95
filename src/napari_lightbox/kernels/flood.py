"""Flood fill: what connects to a start through open pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.kernels.neighbours import check_connectivity, inner, padded, row_steps


def flood(is_open: NDArray[np.bool_], starts: NDArray[np.int64], connectivity: int = 1) -> NDArray[np.bool_]:
    """Return the open pixels that connect to an open start.

    Parameters
    ----------
    is_open
        Where the fill may go, two or three axes.
    starts
        Flat indices where it begins; those that are not open are left out.
    connectivity
        1 for faces, up to the number of axes for corners.
    """
    if is_open.ndim == 2:
        return _flood_plane(is_open, starts, connectivity)
    from napari_lightbox.kernels.flood_compiled import fill

    state = padded(is_open, 0, np.uint8)
    steps, reach = row_steps(state.shape, connectivity)
    places = tuple(axis + 1 for axis in np.unravel_index(starts, is_open.shape))
    fill(state.ravel(), np.ravel_multi_index(places, state.shape), steps, reach)
    return np.asarray(state[inner(state.ndim)] == 2)


def _flood_plane(is_open: NDArray[np.bool_], starts: NDArray[np.int64], connectivity: int) -> NDArray[np.bool_]:
    import cv2

    check_connectivity(connectivity, 2)
    state = np.ascontiguousarray(is_open).astype(np.uint8)
    left = starts[state.ravel()[starts] == 1]
    while left.size:
        row, column = divmod(int(left[0]), is_open.shape[1])
        cv2.floodFill(state, None, (column, row), 2, flags=4 * connectivity)
        left = left[state.ravel()[left] == 1]
    return np.asarray(state == 2)


def reached_from_outside(is_open: NDArray[np.bool_], connectivity: int = 1) -> NDArray[np.bool_]:
    """Return the open pixels that connect to the border of the array."""
    if is_open.ndim != 2:
        return flood(padded(is_open, True), np.zeros(1, np.int64), connectivity)[inner(is_open.ndim)]
    import cv2

    pixels = np.ascontiguousarray(is_open).view(np.uint8)
    state = cv2.copyMakeBorder(pixels, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=1)
    cv2.floodFill(state, None, (0, 0), 2, flags=4 * connectivity)
    return np.asarray(state[1:-1, 1:-1] == 2)


def out_of_reach(
    image: NDArray[Any], shape: tuple[int, ...], starts: NDArray[np.int64], excluded: NDArray[np.bool_] | None
) -> NDArray[np.bool_]:
    """Return the pixels of `shape` that are excluded, not finite in `image`, or cut off by such pixels from all starts.

    `image` may have colour as a further last axis; `starts` are flat indices.
    """
    idle = np.zeros(shape, bool) if excluded is None else excluded.copy()
    if image.dtype.kind == "f":
        finite = np.isfinite(image)
        idle |= ~(finite.all(axis=-1) if image.ndim > len(shape) else finite)
    if idle.any():
        idle = ~flood(~idle, starts)
    return idle


def within(block: NDArray[Any], lower: float, upper: float) -> NDArray[np.bool_]:
    """Return where lower <= block <= upper, compared in the image's own type so that nothing wraps; NaN is outside."""
    if block.dtype.kind == "f":
        return (block >= lower) & (block <= upper)
    data = block.view(np.uint8) if block.dtype == bool else block
    limits = np.iinfo(data.dtype)
    low = limits.min if lower <= limits.min else int(np.ceil(min(lower, 2.0**70)))
    high = limits.max if upper >= limits.max else int(np.floor(max(upper, -(2.0**70))))
    if low > limits.max or high < limits.min or low > high:
        return np.zeros(data.shape, bool)
    if low == limits.min and high == limits.max:
        return np.ones(data.shape, bool)
    return (data >= data.dtype.type(low)) & (data <= data.dtype.type(high))
