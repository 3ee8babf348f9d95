"""Connected components of two- and three-dimensional arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.errors import InputError, ParameterError
from napari_lightbox.kernels.slabs import run_slabs

_PIXELS_PER_THREAD = 1 << 17
_MOST_RUNS = np.iinfo(np.int32).max


def label(values: NDArray[Any], connectivity: int = 1, background: Any = 0) -> tuple[NDArray[np.int32], int]:
    """Label the components of touching pixels with equal values.

    Rows are cut into runs, runs of neighbouring rows are joined by union-find, and the components are numbered by the
    raster order of their first pixels.

    Parameters
    ----------
    values
        Boolean or integer array of one to three axes; may be read-only and strided.
    connectivity
        How many axes two touching pixels may differ along: 1 is faces, ``values.ndim`` every corner.
    background
        The one value that is never labelled. 0 labels the foreground; 1 on a mask labels its holes.

    Returns
    -------
    labels, count
        int32 labels 1 ... count, 0 on the background.

    Raises
    ------
    ParameterError
        Connectivity outside 1 ... ndim.
    InputError
        More runs than an int32 can count.
    """
    if not 1 <= connectivity <= values.ndim:
        raise ParameterError("connectivity", f"{connectivity} does not exist in {values.ndim}D", f"Give 1 to {values.ndim}")
    if values.size == 0:
        return np.zeros(values.shape, np.int32), 0
    if values.ndim == 2 and background == 0 and values.dtype.kind != "b" and values.min() >= 0 and values.max() <= 1:
        values = values.view(bool) if values.dtype.itemsize == 1 else values.astype(bool)
    if values.ndim == 2 and values.dtype == bool and background in (0, 1):
        return _label_plane(values if background == 0 else ~values, connectivity)
    data = values if _holds(values.dtype, background) else values.astype(np.int64)
    bits = np.dtype(f"u{data.dtype.itemsize}")  # only equality counts: one compiled kernel per width
    grid = np.ascontiguousarray(data).view(bits).reshape((1,) * (3 - values.ndim) + values.shape)
    grid.flags.writeable = False
    labels, count = _label_grid(grid, connectivity, np.array(background).astype(data.dtype).view(bits)[()])
    return labels.reshape(values.shape), count


def _label_plane(mask: NDArray[np.bool_], connectivity: int) -> tuple[NDArray[np.int32], int]:
    import cv2

    # with corners, only Wu's of OpenCV's algorithms numbers by the first pixel in raster order; without, all do
    algorithm = cv2.CCL_DEFAULT if connectivity == 1 else cv2.CCL_WU
    pixels = np.ascontiguousarray(mask).view(np.uint8)
    count, labels = cv2.connectedComponentsWithAlgorithm(pixels, 4 * connectivity, cv2.CV_32S, algorithm)
    return labels, count - 1


def _holds(dtype: np.dtype[Any], value: Any) -> bool:
    limits = np.iinfo(np.uint8 if dtype.kind == "b" else dtype)
    return bool(limits.min <= value <= limits.max)


def _label_grid(grid: NDArray[Any], connectivity: int, background: Any) -> tuple[NDArray[np.int32], int]:
    from napari_lightbox.kernels import label_compiled as compiled

    height, width = grid.shape[1:]
    rows = grid.reshape(-1, width)
    least = 1 + _PIXELS_PER_THREAD // width
    first = np.zeros(len(rows) + 1, np.int64)
    run_slabs(lambda a, b: compiled.count_runs(rows, background, first[1:], a, b), len(rows), least)
    np.cumsum(first, out=first)
    if first[-1] > _MOST_RUNS:
        raise InputError("labels", f"has {first[-1]} runs, more than an int32 counts", "Label it in smaller blocks")
    starts, stops = np.empty(first[-1], np.int32), np.empty(first[-1], np.int32)
    parent = np.arange(first[-1], dtype=np.int32)
    seams: list[int] = []

    def find_and_join(begin: int, end: int) -> None:
        compiled.find_runs(rows, background, first, starts, stops, begin, end)
        compiled.join_runs(rows, height, connectivity, starts, stops, first, parent, (begin, end), (begin, end))
        seams.append(begin)

    run_slabs(find_and_join, len(rows), least)
    for seam in seams:
        here = (seam, min(seam + height + 1, len(rows)))
        compiled.join_runs(rows, height, connectivity, starts, stops, first, parent, here, (0, seam))
    count = compiled.number_runs(parent)
    labels = np.empty(grid.shape, np.int32)
    painted, numbers = labels.reshape(-1, width), np.append(np.int32(0), parent)
    run_slabs(lambda a, b: compiled.paint_runs(rows, background, numbers, first, painted, a, b), len(rows), least)
    return labels, count
