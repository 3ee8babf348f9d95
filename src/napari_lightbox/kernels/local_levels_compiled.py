"""Compiled comparisons with a level per pixel."""

from __future__ import annotations

from math import sqrt
from typing import Any

from numba import njit


@njit(nogil=True, cache=True, error_model="numpy")
def label_by_surface(flat: Any, surface: Any, count: float, offset: float, below: bool, labels: Any, levels: Any) -> None:
    """Compare with ``surface / count - offset``, rounded to the type of `levels`; NaN never compares true."""
    for i in range(flat.size):
        levels[i] = surface[i] / count - offset
    _compare(flat, levels, below, labels)


@njit(nogil=True, cache=True, error_model="numpy")
def label_by_moments(
    flat: Any, sums: Any, squares: Any, count: float, k: float, r: float, below: bool, labels: Any, levels: Any
) -> None:
    """Compare with Sauvola's level, rounded to the type of `levels`; NaN never compares true."""
    for i in range(flat.size):
        mean = sums[i] / count
        variance = squares[i] / count - mean * mean
        deviation = sqrt(variance if variance > 0 else 0.0)
        levels[i] = mean * (1 + k * (deviation / r - 1)) if variance == variance else variance
    _compare(flat, levels, below, labels)


@njit(nogil=True, cache=True, error_model="numpy")
def _compare(flat: Any, levels: Any, below: bool, labels: Any) -> None:
    if below:
        for i in range(flat.size):
            labels[i] = float(flat[i]) <= float(levels[i])
    else:
        for i in range(flat.size):
            labels[i] = float(flat[i]) > float(levels[i])
