"""Median over a box or a ball in two and three dimensions; the fastest exact way per type and size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.kernels.bands import in_bands
from napari_lightbox.kernels.borders import Continuation, extended
from napari_lightbox.kernels.median_network import median_network
from napari_lightbox.kernels.slabs import run_slabs
from napari_lightbox.kernels.windows import Footprint, half_widths, window_offsets

_LARGEST_NETWORK = 125
_LARGEST_OPENCV = 255
_TILE = (16, 48, 64)


def median(block: NDArray[Any], radii: Sequence[float], footprint: Footprint, border: Continuation) -> NDArray[Any]:
    """Return the median of each window; the data type is kept. NaN must have been taken out."""
    half = half_widths(radii)
    if not any(half):
        return block.copy()
    if block.dtype == bool:
        return median(block.view(np.uint8), radii, footprint, border).view(bool)
    if block.dtype == np.float16:
        return median(block.astype(np.float32), radii, footprint, border).astype(np.float16)
    if block.ndim == 3 and half[0] == 0:
        return np.stack([median(plane, radii[1:], footprint, border) for plane in block])
    if footprint == "box" and opencv_can(block, half):
        return median_opencv(block, half[0], border)
    return _median_compiled(block, half, window_offsets(radii, footprint), border)


def opencv_can(block: NDArray[Any], half: Sequence[int]) -> bool:
    """Tell whether OpenCV has this median: square windows, any size for 8 bits, 3 and 5 for other small types."""
    size = 2 * half[0] + 1
    if block.ndim != 2 or half[0] != half[1]:
        return False
    return size <= (
        _LARGEST_OPENCV if block.dtype == np.uint8 else 5 if block.dtype.name in ("uint16", "int16", "float32") else 1
    )


def median_opencv(block: NDArray[Any], half: int, border: Continuation) -> NDArray[Any]:
    """Return OpenCV's median; it repeats the edge, so other borders are laid around the image first."""
    # one sample beyond the edge, reflect and nearest are the same
    if border == "nearest" or (border == "reflect" and half == 1):
        return _blurred(np.ascontiguousarray(block), half)
    inside = slice(half, -half)
    return _blurred(extended(block, (half, half), border), half)[inside, inside]


def _blurred(plane: NDArray[Any], half: int) -> NDArray[Any]:
    import cv2

    def whole(band: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(cv2.medianBlur(band, 2 * half + 1))

    # the smallest window is done before a second thread has begun
    return whole(plane) if half == 1 else in_bands(whole, plane, half)


def _median_compiled(block: NDArray[Any], half: Sequence[int], offsets: NDArray[np.int64], border: Continuation) -> NDArray[Any]:
    padded = extended(block, half, border)
    out = np.empty(block.shape, block.dtype)
    if block.ndim == 2:
        padded, offsets = padded[None], np.pad(offsets, ((0, 0), (1, 0)))
    volume = out.reshape((-1, *block.shape[-2:]))
    if len(offsets) <= _LARGEST_NETWORK:
        from napari_lightbox.kernels.median_compiled import network_rows

        network, target = median_network(len(offsets))
        run_slabs(
            lambda start, stop: network_rows(padded, offsets, network, target, volume, start, stop),
            volume.shape[0] * volume.shape[1],
            least=64,
        )
    else:
        _slide(padded, offsets, volume)
    return out


def _slide(padded: NDArray[Any], offsets: NDArray[np.int64], out: NDArray[Any]) -> None:
    """Fill `out` tile by tile; a tile's values are replaced by their ranks, so every type costs the same."""
    from napari_lightbox.kernels.median_compiled import sliding_ranks

    window = {tuple(o) for o in offsets.tolist()}
    step = np.array([0, 0, 1])
    entering = np.array([o for o in offsets if tuple((o + step).tolist()) not in window])
    leaving = np.array([o for o in offsets if tuple((o - step).tolist()) not in window])
    tile = _TILE if out.shape[0] > 1 else (1, 128, 128)
    corners = [
        tuple(c * t for c, t in zip(corner, tile, strict=True))
        for corner in np.ndindex(*[-(-n // t) for n, t in zip(out.shape, tile, strict=True)])
    ]
    reach = offsets.max(axis=0)

    def work(start: int, stop: int) -> None:
        for corner in corners[start:stop]:
            target = out[tuple(slice(c, c + t) for c, t in zip(corner, tile, strict=True))]
            source = padded[tuple(slice(c, c + n + r) for c, n, r in zip(corner, target.shape, reach, strict=True))]
            ranks, values = _ranked(source)
            chosen = np.empty(target.shape, ranks.dtype)
            sliding_ranks(ranks, len(values), offsets, entering, leaving, chosen)
            target[...] = values[chosen]

    run_slabs(work, len(corners))


def _ranked(tile: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the tile as ranks and the value of each rank."""
    if tile.dtype == np.uint8:
        return tile.astype(np.int32), np.arange(256, dtype=np.uint8)
    order = np.argsort(tile, axis=None)
    ranks = np.empty(tile.size, np.int32)
    ranks[order] = np.arange(tile.size, dtype=np.int32)
    return ranks.reshape(tile.shape), tile.ravel()[order]
