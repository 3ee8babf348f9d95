"""Give large NumPy inputs chunks, so that a run can report progress, be cancelled and stay within memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod
from typing import Any

import dask.array as da
import numpy as np

from napari_lightbox.axes import Volume
from napari_lightbox.axes.order import CHANNEL

CHUNK_BYTES = 16_000_000


def wrapped(volume: Volume, chunk_bytes: int = CHUNK_BYTES) -> Volume:
    """Return the volume with its array as a dask array; lazy volumes are returned unchanged.

    Axes are cut from the front (time, channels, z) until a chunk is at most `chunk_bytes`; colour is never cut.
    """
    if isinstance(volume.data, da.Array):
        return volume
    data = np.asarray(volume.data)
    # a random name: hashing the pixels would cost more than many a filter
    return replace(
        volume, data=da.from_array(data, chunks=chunk_shape(volume.axes, data.shape, data.itemsize, chunk_bytes), name=False)
    )


def chunk_shape(axes: str, shape: Sequence[int], itemsize: int, chunk_bytes: int) -> tuple[int, ...]:
    """Return the chunk shape that `wrapped` uses."""
    sizes = list(shape)
    for position, axis in enumerate(axes):
        size = prod(sizes) * itemsize
        if size <= chunk_bytes or (axis == CHANNEL and position == len(axes) - 1):
            continue
        smallest = 64 if axis in "yx" else 1
        sizes[position] = max(min(smallest, sizes[position]), int(sizes[position] * chunk_bytes / size))
    return tuple(sizes)


def wrap_all(inputs: Sequence[Any], chunk_bytes: int = CHUNK_BYTES) -> tuple[Any, ...]:
    """Return the inputs with every Volume wrapped."""
    return tuple(wrapped(v, chunk_bytes) if isinstance(v, Volume) else v for v in inputs)
