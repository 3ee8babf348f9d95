"""CIELAB with the scale of each data type."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.errors import InputError
from napari_lightbox.kernels.rounding import to_dtype


def to_lab(rgb: NDArray[Any]) -> NDArray[np.float32]:
    """Return L (0 to 100), a and b of an array with colour last (sRGB, D65).

    Raises
    ------
    InputError
        Not three or four channels.
    """
    import cv2

    if rgb.shape[-1] not in (3, 4):
        raise InputError("image", f"has {rgb.shape[-1]} channels", "CIELAB needs red, green and blue")
    unit = np.divide(rgb[..., :3], _white(rgb.dtype), dtype=np.float32)
    return np.asarray(cv2.cvtColor(_rows(unit), cv2.COLOR_RGB2Lab)).reshape(unit.shape)


def from_lab(lab: NDArray[np.float32], like: NDArray[Any]) -> NDArray[Any]:
    """Return the colours as the type of `like`, whose fourth channel is kept."""
    import cv2

    unit = np.clip(cv2.cvtColor(_rows(lab), cv2.COLOR_Lab2RGB), 0, 1).reshape(lab.shape)
    rgb = to_dtype(unit * np.float32(_white(like.dtype)), like.dtype)
    return np.concatenate([rgb, like[..., 3:]], axis=-1) if like.shape[-1] == 4 else rgb


def _white(dtype: np.dtype[Any]) -> float:
    return float(np.iinfo(dtype).max) if dtype.kind in "iu" else 1.0


def _rows(array: NDArray[Any]) -> NDArray[Any]:
    return np.ascontiguousarray(array).reshape(-1, array.shape[-2], 3)
