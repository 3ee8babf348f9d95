"""Compiled counting of pairs of labels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def add_pairs(a: Any, b: Any, mask: Any, low: tuple[int, int], counts: Any, start: int, stop: int) -> None:
    """Add pixels `start` to `stop` to a table (label of a, label of b), numbered from `low`; an empty mask takes all.

    `counts` (2, labels of a, labels of b) is filled in turn, so that a pixel need not wait for the one before.
    """
    everything = len(mask) == 0
    for i in range(start, stop):
        if everything or mask[i]:
            counts[i & 1, np.int64(a[i]) - low[0], np.int64(b[i]) - low[1]] += 1
