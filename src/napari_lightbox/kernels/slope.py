"""Slope of a landscape in physical units, in double precision so that equal slopes stay equal."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.contract.dtypes import floating
from napari_lightbox.kernels.slabs import run_slabs


def slope(block: NDArray[Any], spacing: Sequence[float]) -> NDArray[Any]:
    """Return the length of the central-difference gradient, bit for bit as ``SimpleITK.GradientMagnitude``.

    Parameters
    ----------
    block
        Array (y, x) or (z, y, x); a further last axis is colour, whose squared slopes are added.
    spacing
        Distance between samples along each spatial axis.

    Returns
    -------
    slope
        float64 for float64 and wide integers, else float32.
    """
    from napari_lightbox.kernels.slope_compiled import add_squares

    ndim = len(spacing)
    shape = (1,) * (3 - ndim) + block.shape[:ndim]
    factors = np.array([0.5] * (3 - ndim) + [0.5 / s for s in spacing])
    squares = np.zeros(shape, np.float64)
    for channel in np.moveaxis(block, -1, 0) if block.ndim > ndim else block[np.newaxis]:
        volume = np.ascontiguousarray(channel, np.float32 if channel.dtype == np.float16 else None).reshape(shape)
        run_slabs(partial(add_squares, volume, factors, squares), shape[0] * shape[1], 64)
    return np.sqrt(squares).astype(floating(block.dtype), copy=False).reshape(block.shape[:ndim])
