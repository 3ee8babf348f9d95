"""Reduce a stack of frames to one, row by row over threads."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.kernels.slabs import run_slabs

_LEAST_SAMPLES = 1 << 16
_MANY_SAMPLES = 1 << 20


def weighted_mean(stack: NDArray[Any], weights: NDArray[np.float64] | None, out: NDArray[Any]) -> None:
    """Write the mean of the frames, summed one by one in float64."""
    from napari_lightbox.kernels.time_reduction_compiled import mean_rows

    data = stack.view(np.uint8) if stack.dtype == bool else stack.astype(np.float32) if stack.dtype == np.float16 else stack
    data = data.view()
    data.flags.writeable = False
    factors = np.empty(0) if weights is None else np.asarray(weights, np.float64)
    divisor = float(len(stack)) if weights is None else float(weights.sum())
    run_slabs(
        lambda top, bottom: mean_rows(data, factors, divisor, out, top, bottom), stack.shape[1], _rows(stack, _MANY_SAMPLES)
    )


def largest(stack: NDArray[Any], out: NDArray[Any]) -> None:
    """Write the largest value per pixel."""

    def work(top: int, bottom: int) -> None:
        np.max(stack[:, top:bottom], axis=0, out=out[top:bottom])

    run_slabs(work, stack.shape[1], _rows(stack))


def middle(stack: NDArray[Any], out: NDArray[Any]) -> None:
    """Write the median per pixel; the mean of both middle values when their number is even."""

    def work(top: int, bottom: int) -> None:
        for row in range(top, bottom):
            out[row] = np.median(np.ascontiguousarray(stack[:, row].T), axis=1)

    run_slabs(work, stack.shape[1], _rows(stack))


def _rows(stack: NDArray[Any], samples: int = _LEAST_SAMPLES) -> int:
    return max(1, samples // max(int(stack.shape[0] * stack.shape[2]), 1))
