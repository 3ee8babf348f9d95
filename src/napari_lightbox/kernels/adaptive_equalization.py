"""Contrast-limited adaptive histogram equalisation with scikit-image's rounding, in two and three dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.kernels.borders import border_index
from napari_lightbox.kernels.extrema import find_extrema
from napari_lightbox.kernels.levels import all_levels, has_few_levels, look_up
from napari_lightbox.kernels.slabs import run_slabs

GRAYS = 1 << 14


class _Axis(NamedTuple):
    """Where the pixels of one axis lie between tile centres.

    `source` pixel per position of the tiled grid; `lower` and `upper` tile per pixel; `share` of the upper tile.
    """

    source: NDArray[np.int64]
    lower: NDArray[np.int64]
    upper: NDArray[np.int64]
    share: NDArray[np.float64]
    tiles: int


def equalize_adaptively(
    block: NDArray[Any], kernel_size: Sequence[int], clip_limit: float, bins: int, dtype: Any
) -> NDArray[Any]:
    """Return the equalised block as floats from 0 to 1; NaN counts as the darkest gray and stays NaN."""
    from napari_lightbox.kernels.adaptive_equalization_compiled import blend, tile_maps

    volume = np.ascontiguousarray(_binned(block, 1 + GRAYS // bins)).reshape((-1, *block.shape[-2:]))
    size = ((1,) * (3 - block.ndim) + tuple(kernel_size))[-3:]
    z, y, x = [_axis(n, k) for n, k in zip(volume.shape, size, strict=True)]
    count = size[0] * size[1] * size[2]
    limit = max(int(clip_limit * count), 1) if clip_limit > 0 else count
    maps = np.empty((z.tiles, y.tiles, x.tiles, bins), np.float64)
    rows = z.tiles * y.tiles
    run_slabs(lambda a, b: tile_maps(volume, z.source, y.source, x.source, size, limit, GRAYS - 1, maps, a, b), rows)
    grays = np.empty(volume.shape, np.uint16)
    run_slabs(lambda a, b: blend(volume, maps, z[1:4], y[1:4], x[1:4], grays, a, b), volume.shape[0] * volume.shape[1], least=128)
    return _to_unit(grays.reshape(block.shape), block, dtype)


def _binned(block: NDArray[Any], width: int) -> NDArray[np.uint16]:
    """Return the bin of each pixel: its place between minimum and maximum on 16384 grays, `width` grays per bin."""
    from napari_lightbox.kernels.adaptive_equalization_compiled import bin_grays

    seen = find_extrema(block)
    few = has_few_levels(block.dtype)
    values = all_levels(block.dtype) if few else np.ascontiguousarray(block).reshape(-1)
    if values.dtype == np.float16:
        values = values.astype(np.float32)
    # scikit-image takes floats from 0 to 1 through 16 bits, at the precision of the image
    factor = values.dtype.type(65535 if block.dtype.kind == "f" and seen.low >= 0 and seen.high <= 1 else 0)
    low, high = [float(np.rint(values.dtype.type(v) * factor)) if factor else float(v) for v in (seen.low, seen.high)]
    out = np.zeros(values.size, np.uint16)
    if low < high:
        run_slabs(lambda a, b: bin_grays(values[a:b], factor, low, high, GRAYS - 1, width, out[a:b]), out.size, least=1 << 19)
    return np.asarray(look_up(block, out)) if few else out.reshape(block.shape)


def _axis(length: int, size: int) -> _Axis:
    tiles = -(-length // size)
    position = np.arange(length) + size // 2
    below = position // size - 1
    last = tiles - 1
    return _Axis(
        border_index(length, 0, tiles * size - length, "mirror"),
        np.clip(below, 0, last),
        np.clip(below + 1, 0, last),
        (position % size) / size,
        tiles,
    )


def _to_unit(grays: NDArray[np.uint16], block: NDArray[Any], dtype: Any) -> NDArray[Any]:
    low, high = int(grays.min()), int(grays.max())
    table = (np.arange(1 << 16, dtype=np.float64) - low) / (high - low) if high > low else np.zeros(1 << 16)
    out = look_up(grays, table.astype(dtype))
    if block.dtype.kind == "f":
        np.copyto(out, np.nan, where=np.isnan(block))
    return out
