"""Reduce a stack of frames to one, row by row over threads."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.kernels.slabs import run_slabs

_ACCUMULATED = ("uint8", "uint16", "float32", "float64")
_LEAST_SAMPLES = 1 << 16
_SMALL_FRAME = 1 << 15


def weighted_mean(stack: NDArray[Any], weights: NDArray[np.float64] | None, out: NDArray[Any]) -> None:
    """Write the mean of the frames, summed one by one in float64; a call per frame pays off for large frames only."""
    if weights is None and stack[0].size < _SMALL_FRAME:
        out[...] = np.add.reduce(stack, axis=0, dtype=np.float64) / len(stack)
        return

    def work(top: int, bottom: int) -> None:
        total = np.zeros((bottom - top, stack.shape[2]))
        for number, frame in enumerate(stack[:, top:bottom]):
            _add(total, frame, None if weights is None else weights[number])
        total /= len(stack) if weights is None else weights.sum()
        out[top:bottom] = total

    run_slabs(work, stack.shape[1], _rows(stack))


def _add(total: NDArray[np.float64], frame: NDArray[Any], weight: float | None) -> None:
    if weight is not None:
        total += weight * frame.astype(np.float64)
    elif frame.dtype.name in _ACCUMULATED:
        import cv2

        cv2.accumulate(np.ascontiguousarray(frame), total)
    else:
        total += frame


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


def _rows(stack: NDArray[Any]) -> int:
    return max(1, _LEAST_SAMPLES // max(int(stack.shape[0] * stack.shape[2]), 1))
