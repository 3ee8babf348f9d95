"""Bilateral filter over a disc or ball in two and three dimensions, gray or colour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.kernels.borders import extended
from napari_lightbox.kernels.slabs import run_slabs
from napari_lightbox.kernels.windows import half_widths, window_offsets

BilateralBorder = Literal["mirror", "reflect", "nearest", "constant"]


def bilateral(
    channels: NDArray[Any], sigma: Sequence[float], radius: Sequence[float], sigma_color: float, border: BilateralBorder
) -> NDArray[Any]:
    """Return floating channels (c, [z,] y, x) filtered with weights that all channels share."""
    from napari_lightbox.kernels.bilateral_compiled import bilateral_rows

    half = half_widths(radius)
    ndim = len(half)
    padded = np.stack([_surrounded(c, half, border) for c in channels])
    offsets = window_offsets(radius, "ball")
    steps = (offsets - np.array(half)) / np.maximum(sigma, 1e-9)
    spatial = np.exp(-0.5 * (steps**2).sum(axis=1)).astype(channels.dtype)
    offsets = np.pad(offsets, ((0, 0), (3 - ndim, 0)))
    shape = (len(channels), *(1,) * (3 - ndim), *channels.shape[1:])
    padded = padded.reshape((len(channels), *(1,) * (3 - ndim), *padded.shape[1:]))
    out = np.empty(shape, channels.dtype)
    sharpness = channels.dtype.type(1 / (2 * sigma_color**2))
    run_slabs(
        lambda start, stop: bilateral_rows(padded, offsets, spatial, sharpness, out, start, stop),
        shape[1] * shape[2],
        least=32,
    )
    return out.reshape(channels.shape)


def _surrounded(block: NDArray[Any], half: Sequence[int], border: BilateralBorder) -> NDArray[Any]:
    if border == "constant":
        return np.pad(block, [(h, h) for h in half])
    return extended(block, half, border)
