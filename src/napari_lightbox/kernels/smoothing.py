"""Gaussian smoothing of a part of a block, equal bit for bit however an image is cut."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.kernels.borders import border_index
from napari_lightbox.kernels.gaussian import gaussian_taps
from napari_lightbox.kernels.slabs import run_slabs

_LEAST_SAMPLES = 1 << 14


def smoothing_reach(sigma: float) -> int:
    """Return the half width of the kernel: one sample less than four sigmas, which leaves one for a derivative."""
    return max(ceil(4 * sigma) - 1, 0)


def smoothed(block: NDArray[Any], sigma: Sequence[float], box: Sequence[slice], margin: Sequence[int], out: NDArray[Any]) -> None:
    """Write the smoothed box of a (z, y, x) block, grown by `margin` on both sides, into `out`.

    The block goes on beyond its border by reflection (d c b a | a b c d | d c b a).
    """
    from napari_lightbox.kernels.smoothing_compiled import smooth_columns, smooth_lines, smooth_planes

    reach = [smoothing_reach(s) for s in sigma]
    taps = [gaussian_taps(s, r)[r:].astype(block.dtype) for s, r in zip(sigma, reach, strict=True)]
    # what is needed along y and x before the last two passes
    (_, _), (top, bottom), (left, right) = [
        (max(b.start - m - r, 0), min(b.stop + m + r, n)) for b, m, r, n in zip(box, margin, reach, block.shape, strict=True)
    ]
    index = [
        border_index(n, r + m, r + m, "reflect")[b.start : b.stop + 2 * (r + m)]
        for n, b, m, r in zip(block.shape, box, margin, reach, strict=True)
    ]
    depth, height, width = out.shape
    window = np.array([top, left])
    planes = np.empty((depth, bottom - top, right - left), block.dtype)
    least = 1 + _LEAST_SAMPLES // (depth * (right - left))
    run_slabs(lambda a, b: smooth_planes(block, index[0], taps[0], window, planes, a, b), bottom - top, least)
    lines = np.empty((depth, height, right - left), block.dtype)
    if depth > 1:
        run_slabs(lambda a, b: smooth_lines(planes, index[1] - top, taps[1], lines, a, b), depth)
    else:
        _split_lines(planes, index[1] - top, taps[1], lines)
    least = 1 + _LEAST_SAMPLES // width
    run_slabs(lambda a, b: smooth_columns(lines, index[2] - left, taps[2], out, a, b), depth * height, least)


def _split_lines(planes: NDArray[Any], index: NDArray[Any], taps: NDArray[Any], lines: NDArray[Any]) -> None:
    """Smooth a single plane along y with its lines split over threads."""
    from napari_lightbox.kernels.smoothing_compiled import smooth_lines

    reach = len(taps) - 1

    def part(start: int, stop: int) -> None:
        smooth_lines(planes, index[start : stop + 2 * reach], taps, lines[:, start:stop], 0, 1)

    run_slabs(part, lines.shape[1], 1 + _LEAST_SAMPLES // lines.shape[2])
