"""Sample a block of an image at the positions of another grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.axes.geometry import Geometry
from napari_lightbox.contract.grid import Box
from napari_lightbox.contract.where import Block
from napari_lightbox.kernels.axis_taps import SPLINE_REACH, spline_prefilter
from napari_lightbox.kernels.rounding import to_dtype
from napari_lightbox.kernels.slabs import run_slabs

Method = Literal["nearest", "linear", "cubic"]
Outside = Literal["blend", "cut", "nearest", "reflect", "mirror"]

_CODES: dict[str, int] = {"blend": 0, "cut": 1, "nearest": 2, "reflect": 3, "mirror": 4}
_MARGIN = {"nearest": 1, "linear": 2, "cubic": 3 + SPLINE_REACH[np.dtype(np.float64)]}
_DIRECT = ("uint8", "uint16", "int16", "float32", "float64")
_LEAST_PIXELS = 1 << 15
_ZERO = 1e-13


def needed_box(
    box: Box, matrix: NDArray[Any], shape: Sequence[int], method: Method, outside: Outside, reach: Sequence[float] | None = None
) -> Box:
    """Return the input box that the output `box` looks at.

    `matrix` is the homogeneous map from output to input indices, `reach` what a displacement may add along each axis.
    The box lies inside `shape` and is never empty, even where the output looks past the image.
    """
    corners = np.array(list(product(*[(s.start, s.stop - 1) for s in box])), float)
    mapped = corners @ matrix[:-1, :-1].T + matrix[:-1, -1]
    extra = _MARGIN[method] + (np.zeros(len(shape)) if reach is None else np.asarray(reach))
    needed = []
    for low, high, length in zip(
        np.floor(mapped.min(axis=0) - extra), np.ceil(mapped.max(axis=0) + extra) + 1, shape, strict=True
    ):
        start, stop = float(low), float(high)
        if outside in ("reflect", "mirror"):
            if min(start, length - stop) < -length:
                start, stop = 0, length
            start, stop = min(start, 2 * length - stop - 1), max(stop, 1 - start)
        # a block past the border still needs what the border's own values are made of
        start = max(min(start, length - _MARGIN[method]), 0)
        stop = max(stop, _MARGIN[method])
        needed.append(slice(int(start), int(min(stop, length))))
    return tuple(needed)


def sample(
    block: NDArray[Any],
    matrix: NDArray[Any],
    where: Block,
    method: Method,
    outside: Outside,
    fill: float = 0.0,
    shifts: NDArray[np.float64] | None = None,
) -> NDArray[Any]:
    """Return the output block `where.out_shape`, in the type of `block`.

    Parameters
    ----------
    block
        Part of a plane or volume that begins at ``where.start`` of ``where.whole``.
    matrix
        Homogeneous map from output indices to input indices of the whole element.
    method
        Nearest (halves go up), linear, or cubic (B-spline through the samples).
    outside
        ``"cut"`` gives `fill` half a pixel beyond the outermost samples, ``"blend"`` fades to it over one pixel (cubic
        always cuts); the others go on with the image.
    shifts
        Displacement in input pixels, one component per axis first, for each output pixel.
    """
    from napari_lightbox.kernels.affine_sampling_compiled import cubic_block, linear_block, pick_block

    if method == "cubic" and outside == "nearest":
        block, matrix, where = _continued(block, matrix, where)
    flat = block.ndim == 2
    full = np.zeros((3, 4))
    full[3 - block.ndim :, 3 - block.ndim :] = matrix[:-1]
    # what rounding left of a zero would hide that a row keeps its depth, which is much faster
    full[:, :3][np.abs(full[:, :3]) < _ZERO] = 0.0
    out_shape, out_start = _three(where.out_shape, 1), _three(where.out_start, 0)
    whole, start = _three(where.whole, 1), _three(where.start, 0)
    moves = np.zeros((0, 0, 0)) if shifts is None else _volume_shifts(shifts, out_shape)
    rows = out_shape[0] * out_shape[1]
    least = max(1, _LEAST_PIXELS // max(out_shape[2], 1))
    code = _CODES["cut" if method == "cubic" and outside == "blend" else outside]
    if method == "nearest":
        # values are only moved, so one compiled kernel per width serves all types
        bits = f"u{block.dtype.itemsize}"
        source = _volume(np.ascontiguousarray(block)).view(bits)
        picked = np.empty(out_shape, block.dtype)
        target, value = picked.view(bits), to_dtype(np.array([fill]), block.dtype).view(bits)[0]
        run_slabs(lambda a, b: pick_block(source, full, moves, target, out_start, whole, start, code, value, a, b), rows, least)
        return picked[0] if flat else picked
    direct = block.dtype.name in _DIRECT
    result = np.empty(out_shape, block.dtype if direct else np.float64)
    rest = (full, moves, result, out_start, whole, start, code, float(fill), _limits(block.dtype) if direct else (1.0, 0.0))
    if method == "cubic":
        straight = _straight(full, shifts, whole)
        coefficients = _volume(_coefficients(block, outside, straight))
        run_slabs(lambda a, b: cubic_block(coefficients, straight, *rest, a, b), rows, least)
    else:
        source = _volume(_plain(block))
        run_slabs(lambda a, b: linear_block(source, *rest, a, b), rows, least)
    return to_dtype(result[0] if flat else result, block.dtype)


def reach_of(method: Method) -> int:
    """Return how many input pixels around a position a value may depend on."""
    return _MARGIN[method]


def sampled_field(
    field: NDArray[np.float64], matrix: NDArray[Any], out_start: tuple[int, ...], out_shape: tuple[int, ...]
) -> NDArray[np.float64]:
    """Return a vector field (component first) at the output block, linear between its samples and zero outside.

    `matrix` takes output indices to indices of the field.
    """
    shape = field.shape[1:]
    where = Block((0,) * len(shape), shape, out_start, out_shape, Geometry("zyx"[-len(shape) :], shape))
    return np.stack([sample(component, matrix, where, "linear", "cut") for component in field])


def _continued(block: NDArray[Any], matrix: NDArray[Any], where: Block) -> tuple[NDArray[Any], NDArray[Any], Block]:
    """Repeat the border samples as far as the spline prefilter reaches, so that it sees them."""
    reach = SPLINE_REACH[np.dtype(np.float64)]
    ends = [a + n == w for a, n, w in zip(where.start, block.shape, where.whole, strict=True)]
    width = [(reach * (a == 0), reach * end) for a, end in zip(where.start, ends, strict=True)]
    moved = matrix.copy()
    moved[:-1, -1] += reach
    start = tuple(a + reach * (a > 0) for a in where.start)
    return np.pad(block, width, "edge"), moved, replace(where, start=start, whole=tuple(n + 2 * reach for n in where.whole))


def _three(numbers: Sequence[int], front: int) -> tuple[int, int, int]:
    a, b, c = (front, *numbers) if len(numbers) == 2 else numbers
    return int(a), int(b), int(c)


def _volume(block: NDArray[Any]) -> NDArray[Any]:
    return block[np.newaxis] if block.ndim == 2 else block


def _volume_shifts(shifts: NDArray[np.float64], out_shape: tuple[int, int, int]) -> NDArray[np.float64]:
    rows, columns = out_shape[0] * out_shape[1], out_shape[2]
    moves = np.zeros((3, rows, columns))
    moves[3 - len(shifts) :] = shifts.reshape(len(shifts), rows, columns)
    return moves


def _plain(block: NDArray[Any]) -> NDArray[Any]:
    return np.ascontiguousarray(block if block.dtype.name in _DIRECT else block.astype(np.float64))


def _limits(dtype: np.dtype[Any]) -> tuple[float, float]:
    return (float(np.iinfo(dtype).min), float(np.iinfo(dtype).max)) if dtype.kind in "iu" else (1.0, 0.0)


def _straight(matrix: NDArray[Any], shifts: Any, whole: Sequence[int]) -> tuple[bool, bool, bool]:
    """Tell along which axes every position is a whole sample, so that nothing has to be interpolated."""
    z, y, x = (whole[axis] == 1 or (shifts is None and _keeps(matrix[axis], axis)) for axis in range(3))
    return z, y, x


def _keeps(row: NDArray[Any], axis: int) -> bool:
    return bool(np.allclose(row[:3], np.eye(3)[axis], rtol=0, atol=1e-12) and abs(row[3] - round(row[3])) < 1e-9)


def _coefficients(block: NDArray[Any], outside: Outside, straight: Sequence[bool]) -> NDArray[Any]:
    """Return B-spline coefficients in float64; wrong only within the prefilter's reach of a cut that is not the border."""
    from scipy.ndimage import correlate1d

    data = block.astype(np.float64)
    mode = outside if outside in ("nearest", "reflect", "mirror") else "mirror"
    taps = spline_prefilter()
    for axis in range(data.ndim):
        if not straight[axis - data.ndim]:
            data = correlate1d(data, taps, axis=axis, mode=mode)
    return np.ascontiguousarray(data)
