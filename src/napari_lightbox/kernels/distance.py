"""Exact distances to the nearest background in two and three dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.kernels.slabs import run_slabs

Metric = Literal["euclidean", "cityblock", "chessboard"]
_PIXELS_PER_THREAD = 1 << 16
_EXACT_IN_FLOAT32 = 1 << 24
_LONGEST_IN_OPENCV = 1 << 14
_LONGEST_TO_SQUARE = 1400
# beyond this many pixels the lower envelope of parabolas is found sooner than by looking around
_NEAR = 64


def distance_to_background(
    values: NDArray[Any], spacing: Sequence[float], metric: Metric = "euclidean", *, places: bool = False
) -> tuple[NDArray[np.float32], NDArray[np.int32] | None]:
    """Return how far every pixel is from the nearest pixel of another value; pixels of value 0 are at distance 0.

    Parameters
    ----------
    values
        Boolean mask, or integers whose regions of equal value are background to each other.
    spacing
        Distance of neighbouring samples, per axis.
    metric
        Euclidean, sum of the steps (cityblock) or the longest step (chessboard).
    places
        Also return the index of that nearest pixel, with the axes along the first axis.

    Returns
    -------
    distance, index
        float32, infinite where there is no background at all, and then -1 as index.
    """
    bits = np.dtype(f"u{values.dtype.itemsize}")
    data = np.ascontiguousarray(values).view(bits)
    data.flags.writeable = False
    if data.size == 0:
        index = np.empty((values.ndim, *values.shape), np.int32) if places else None
        return np.empty(values.shape, np.float32), index
    if not places and values.dtype.kind == "b" and metric == "euclidean" and _is_whole(data.shape, spacing):
        near = _near(data)
        if near is not None:
            return near, None
    if not places and _opencv_knows(data, values.dtype, spacing):
        plane = _plane(data, metric)
        if plane is not None:
            return plane if spacing[0] == 1 else plane * np.float32(spacing[0]), None
    found, nearest = _passes(data, spacing, metric, places)
    if metric == "euclidean":
        np.sqrt(found, out=found)
    distance = found.astype(np.float32, copy=False)
    if not places:
        return distance, None
    index = np.stack(np.unravel_index(np.maximum(nearest, 0), values.shape)).astype(np.int32)
    index[:, nearest < 0] = -1
    return distance, index


def _opencv_knows(data: NDArray[Any], dtype: np.dtype[Any], spacing: Sequence[float]) -> bool:
    """Tell whether this is a mask of square pixels, small enough for OpenCV's fixed-point sums."""
    return dtype.kind == "b" and data.ndim == 2 and spacing[0] == spacing[1] and sum(data.shape) < _LONGEST_IN_OPENCV


def _plane(mask: NDArray[np.uint8], metric: Metric) -> NDArray[np.float32] | None:
    """Return OpenCV's distances, or None where single precision is too short to make them exact."""
    import cv2

    if mask.all():
        return np.full(mask.shape, np.inf, np.float32)
    if metric != "euclidean":
        return np.asarray(cv2.distanceTransform(mask, cv2.DIST_L1 if metric == "cityblock" else cv2.DIST_C, 3))
    found = np.asarray(cv2.distanceTransform(mask, cv2.DIST_L2, cv2.DIST_MASK_PRECISE))
    if found.max() > _LONGEST_TO_SQUARE:
        return None
    # the last bit of OpenCV's square roots changes from call to call, the whole numbers under them do not
    np.multiply(found, found, out=found)
    np.rint(found, out=found)
    return np.asarray(np.sqrt(found, out=found))


def _is_whole(shape: Sequence[int], spacing: Sequence[float]) -> bool:
    """Tell whether squared distances are whole numbers that float32 holds."""
    return all(s == 1 for s in spacing) and sum(n * n for n in shape) < _EXACT_IN_FLOAT32


def _near(mask: NDArray[np.uint8]) -> NDArray[np.float32] | None:
    """Return the Euclidean distances, or None when one is larger than what is worth looking around for."""
    from napari_lightbox.kernels import distance_near_compiled as compiled

    found = np.empty(mask.shape, np.float32)
    lines, out = mask.reshape(-1, mask.shape[-1]), found.reshape(-1, mask.shape[-1])
    run_slabs(lambda a, b: compiled.along_rows(lines, out, a, b), len(lines), 1 + _PIXELS_PER_THREAD // mask.shape[-1])
    for axis in range(mask.ndim - 2, -1, -1):
        n, inner = mask.shape[axis], int(np.prod(mask.shape[axis + 1 :]))
        columns = found.reshape(-1, n, inner)
        is_near: list[bool] = []

        def extend(begin: int, end: int, columns: Any = columns, is_near: list[bool] = is_near) -> None:
            is_near.append(compiled.along_columns(columns, _NEAR, begin, end))

        run_slabs(extend, len(columns) * -(-inner // compiled.TILE), 1 + _PIXELS_PER_THREAD // (n * compiled.TILE))
        if not all(is_near):
            return None
    return np.asarray(np.sqrt(found, out=found))


def _passes(
    values: NDArray[Any], spacing: Sequence[float], metric: Metric, places: bool
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Run one exact pass per axis; Euclidean distances come back squared."""
    from napari_lightbox.kernels import distance_compiled as compiled

    code = {"euclidean": compiled.EUCLIDEAN, "cityblock": compiled.CITYBLOCK, "chessboard": compiled.CHESSBOARD}[metric]
    found = np.empty(values.shape, np.float32 if _is_whole(values.shape, spacing) else np.float64)
    nearest = np.empty(values.shape if places else (0,) * values.ndim, np.int64)
    rows = (-1, values.shape[-1])
    lines, out, where = values.reshape(rows), found.reshape(rows), nearest.reshape(rows if places else (0, 0))

    def along_rows(begin: int, end: int) -> None:
        compiled.first_pass(lines, spacing[-1], code, out, where, begin, end)

    run_slabs(along_rows, len(lines), 1 + _PIXELS_PER_THREAD // values.shape[-1])
    for axis in range(values.ndim - 2, -1, -1):
        _along(values, axis, spacing[axis], code, found, nearest)
    return found, nearest


def _along(values: NDArray[Any], axis: int, step: float, code: int, found: NDArray[Any], nearest: NDArray[np.int64]) -> None:
    from napari_lightbox.kernels import distance_compiled as compiled

    length = values.shape[axis]
    outer, inner = int(np.prod(values.shape[:axis])), int(np.prod(values.shape[axis + 1 :]))
    if length == 1:
        return
    shape = (outer, length, inner)
    kinds, out = values.reshape(shape), found.reshape(shape)
    where = nearest.reshape(shape if nearest.size else (0, 0, 0))

    def along_columns(begin: int, end: int) -> None:
        compiled.next_pass(kinds, step, code, out, where, begin, end)

    tiles = outer * -(-inner // compiled.TILE)
    run_slabs(along_columns, tiles, 1 + _PIXELS_PER_THREAD // (length * compiled.TILE))
