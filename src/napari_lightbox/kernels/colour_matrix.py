"""Linear and CIELAB colour conversions of pixels with colour last."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.contract.dtypes import floating
from napari_lightbox.errors import InputError
from napari_lightbox.kernels.slabs import run_slabs

_LEAST_PIXELS = 1 << 15
_LARGEST_TABLE = 1 << 16
_XYZ = np.array([[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]])
_D65 = np.array([0.95047, 1.0, 1.08883])


def white_of(dtype: Any) -> float:
    """Return the value of full light: the largest integer, 1 for floats and bool."""
    kind = np.dtype(dtype)
    return float(np.iinfo(kind).max) if kind.kind in "iu" else 1.0


def check_colour(image: NDArray[Any], channels: tuple[int, ...]) -> None:
    """Raise unless the last axis is colour with an allowed length.

    Raises
    ------
    InputError
        A gray image or another number of channels.
    """
    if image.ndim < 3 or image.shape[-1] not in channels:
        found = f"{image.shape[-1]} channels" if image.ndim >= 3 else "no colour axis"
        raise InputError(
            "image", f"has {found}, {' or '.join(map(str, channels))} are needed", 'Name the colour axis, as in axes="yxc"'
        )


def on_white(image: NDArray[Any]) -> NDArray[Any]:
    """Return three channels: alpha, when there is any, is blended on white in float32 or float64."""
    if image.shape[-1] == 3:
        return image
    white = white_of(image.dtype)
    work = floating(image.dtype)
    cover = image[..., 3:].astype(work) / work.type(white)
    return np.asarray(work.type(white) * (1 - cover) + image[..., :3] * cover)


def mixed(image: NDArray[Any], matrix: NDArray[Any], offset: NDArray[Any], dtype: Any) -> NDArray[Any]:
    """Return ``matrix @ rgb + offset`` per pixel; integers are rounded half to even and clipped. Alpha is blended on white."""
    from napari_lightbox.kernels.colour_matrix_compiled import mix_to_floats, mix_to_integers, mix_to_one

    work, final = floating(image.dtype), np.dtype(dtype)
    colour = on_white(image)
    out = np.empty((*image.shape[:-1], len(matrix)), final)
    flat, target, count = _flat(colour), out.reshape(-1), colour.size // 3
    factors, shift = matrix.astype(work), offset.astype(work)
    if len(matrix) == 1:
        run_slabs(lambda a, b: mix_to_one(flat[3 * a : 3 * b], factors, shift, target[a:b]), count, _LEAST_PIXELS)
        return out
    mix: Any = mix_to_floats
    rest: tuple[Any, ...] = ()
    if final.kind in "iu":
        mix, rest = mix_to_integers, ((work.type(np.iinfo(final).min), work.type(np.iinfo(final).max)),)
    run_slabs(lambda a, b: mix(flat[3 * a : 3 * b], factors, shift, *rest, target[3 * a : 3 * b]), count, _LEAST_PIXELS)
    return out


def rgb_to_lab(image: NDArray[Any]) -> NDArray[Any]:
    """Return L (0 to 100), a, b under D65 as float32 or float64; full light is the largest integer or 1.0."""
    from napari_lightbox.kernels.colour_matrix_compiled import linear_table, to_lab

    white = white_of(image.dtype)
    flat = _flat(on_white(image))
    out = np.empty(flat.size, floating(image.dtype))
    table = linear_table(int(white) + 1) if flat.dtype.kind == "u" and white < _LARGEST_TABLE else np.zeros(0)
    matrix = _XYZ / _D65[:, np.newaxis]
    run_slabs(lambda a, b: to_lab(flat[3 * a : 3 * b], table, matrix, white, out[3 * a : 3 * b]), flat.size // 3, _LEAST_PIXELS)
    return out.reshape(*image.shape[:-1], 3)


def lab_to_rgb(image: NDArray[Any]) -> NDArray[Any]:
    """Return RGB between 0 and 1 of L, a, b under D65 as float32 or float64; colours out of range are clipped."""
    from napari_lightbox.kernels.colour_matrix_compiled import from_lab

    flat = _flat(image).reshape(-1, 3)
    out = np.empty((len(flat), 3), floating(image.dtype))
    matrix = np.linalg.inv(_XYZ) * _D65
    run_slabs(lambda a, b: from_lab(flat, matrix, out, a, b), len(flat), _LEAST_PIXELS)
    return out.reshape(image.shape)


def _flat(image: NDArray[Any]) -> NDArray[Any]:
    known = image.astype(np.float32) if image.dtype == np.float16 else image
    return np.ascontiguousarray(known).reshape(-1)
