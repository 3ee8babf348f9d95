"""Compiled explicit steps of Perona-Malik diffusion."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from napari_lightbox.kernels.exponential_compiled import exp_negative

EXPONENTIAL, RATIONAL, TUKEY = 0, 1, 2


@njit(nogil=True, cache=True)
def diffuse(image: Any, iterations: int, rate: Any, contrast: Any, kind: int) -> None:
    """Run `iterations` steps in place.

    Each pair of neighbours exchanges one flow, computed once and taken from one side and given to the other, so the
    sum is kept. A row may be overwritten as soon as its flows to the next row and plane are known.

    Parameters
    ----------
    image
        Floating image (channel, z, y, x); the conductance is shared by the channels.
    rate
        Time step over squared spacing, per axis.
    contrast
        1 / (kappa spacing)^2, per axis.
    kind
        EXPONENTIAL, RATIONAL or TUKEY.
    """
    channels, depth, height, width = image.shape
    along_x = np.zeros((channels, width + 1), image.dtype)
    along_y = np.zeros((2, channels, width), image.dtype)
    along_z = np.zeros((2, height, channels, width), image.dtype)
    size = np.empty(width, image.dtype)
    for _ in range(iterations):
        along_z[:] = 0
        for z in range(depth):
            along_y[:] = 0
            for y in range(height):
                size[:] = 0
                for c in range(channels):
                    row = image[c, z, y]
                    _gather(row[:-1], row[1:], contrast[2], size[1:])
                _conduct(size, rate[2], kind)
                for c in range(channels):
                    row = image[c, z, y]
                    _flow(row[:-1], row[1:], size[1:], along_x[c, 1:-1])
                _between(image, z, y, z, y + 1, y + 1 < height, rate[1], contrast[1], kind, size, along_y[y % 2])
                _between(image, z, y, z + 1, y, z + 1 < depth, rate[0], contrast[0], kind, size, along_z[z % 2, y])
                for c in range(channels):
                    row = image[c, z, y]
                    _exchange(row, along_x[c, 1:], along_x[c, :-1])
                    if height > 1:
                        _exchange(row, along_y[y % 2, c], along_y[(y + 1) % 2, c])
                    if depth > 1:
                        _exchange(row, along_z[z % 2, y, c], along_z[(z + 1) % 2, y, c])


@njit(nogil=True, cache=True)
def _between(
    image: Any, z: int, y: int, to_z: int, to_y: int, exists: bool, rate: Any, contrast: Any, kind: int, size: Any, out: Any
) -> None:
    """Write what flows from another row into row (z, y); nothing when there is no other row."""
    size[:] = 0
    if not exists:
        out[:] = 0
        return
    for c in range(image.shape[0]):
        _gather(image[c, z, y], image[c, to_z, to_y], contrast, size)
    _conduct(size, rate, kind)
    for c in range(image.shape[0]):
        _flow(image[c, z, y], image[c, to_z, to_y], size, out[c])


@njit(nogil=True, cache=True)
def _gather(here: Any, there: Any, contrast: Any, size: Any) -> None:
    """Add the squared differences to `size`."""
    for x in range(here.size):
        step = there[x] - here[x]
        size[x] += step * step * contrast


@njit(nogil=True, cache=True)
def _conduct(size: Any, rate: Any, kind: int) -> None:
    """Turn squared differences into conductances."""
    # constants of the image's type: a plain 1 would lift float32 to float64
    nothing, one, half = size.dtype.type(0), size.dtype.type(1), size.dtype.type(0.5)
    if kind == EXPONENTIAL:
        for x in range(size.size):
            size[x] = rate * exp_negative(size[x])
    elif kind == RATIONAL:
        for x in range(size.size):
            size[x] = rate / (one + size[x])
    else:
        for x in range(size.size):
            share = max(one - half * size[x], nothing)
            size[x] = half * rate * share * share


@njit(nogil=True, cache=True)
def _flow(here: Any, there: Any, conductance: Any, out: Any) -> None:
    """Write what flows from `there` to `here`; nothing flows to or from a NaN."""
    nothing = out.dtype.type(0)
    for x in range(out.size):
        flow = conductance[x] * (there[x] - here[x])
        out[x] = flow if flow == flow else nothing


@njit(nogil=True, cache=True)
def _exchange(line: Any, entering: Any, leaving: Any) -> None:
    for x in range(line.size):
        line[x] += entering[x] - leaving[x]
