"""Compiled loops over pixels that take few levels."""

from __future__ import annotations

from typing import Any

from numba import njit


@njit(nogil=True, cache=True)
def gather(flat: Any, table: Any, out: Any) -> None:
    """Write ``table[flat]`` to `out`."""
    for i in range(flat.size):
        out[i] = table[flat[i]]


@njit(nogil=True, cache=True)
def count(flat: Any, counts: Any) -> None:
    """Add the number of pixels per unsigned level to `counts`."""
    for i in range(flat.size):
        counts[flat[i]] += 1
