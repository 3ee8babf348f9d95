"""Compiled medians over arbitrary windows: a network for small windows, a sliding rank histogram for large ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

_LANES = 128
_GROUP = 32


@njit(nogil=True, cache=True)
def network_rows(padded: Any, offsets: Any, network: Any, target: int, out: Any, start: int, stop: int) -> None:
    """Write the median of rows ``start:stop`` (counted over z and y) of `out`.

    The comparators run over whole stretches of a row at once, which the compiler turns into vector minima and
    maxima; stretches have a fixed length, the part beyond the row's end is computed and thrown away.
    """
    height, width = out.shape[1], out.shape[2]
    lanes = np.zeros((offsets.shape[0], _LANES), padded.dtype)
    for row in range(start, stop):
        z, y = row // height, row % height
        for left in range(0, width, _LANES):
            count = min(_LANES, width - left)
            for i in range(offsets.shape[0]):
                first = left + offsets[i, 2]
                lanes[i, :count] = padded[z + offsets[i, 0], y + offsets[i, 1], first : first + count]
            for k in range(network.shape[0]):
                low, high = lanes[network[k, 0]], lanes[network[k, 1]]
                for x in range(_LANES):
                    a, b = low[x], high[x]
                    low[x] = a if a < b else b  # noqa: FURB136 - becomes one vector instruction, min() does not
                    high[x] = b if a < b else a  # noqa: FURB136
            out[z, y, left : left + count] = lanes[target, :count]


@njit(nogil=True, cache=True)
def sliding_ranks(ranks: Any, levels: int, window: Any, entering: Any, leaving: Any, out: Any) -> None:
    """Write the median rank of every window of a tile.

    Parameters
    ----------
    ranks
        Padded tile of integers below `levels`, ordered as the pixel values are.
    window, entering, leaving
        Offsets of the whole window, of what one step along x brings in (seen from the new place) and of what it
        leaves behind (seen from the old one).
    out
        Tile of median ranks.
    """
    middle = window.shape[0] // 2
    present = np.empty(levels + _GROUP, np.int32)
    groups = np.empty(levels // _GROUP + 2, np.int32)
    for z in range(out.shape[0]):
        for y in range(out.shape[1]):
            present[:] = 0
            groups[:] = 0
            for i in range(window.shape[0]):
                rank = ranks[z + window[i, 0], y + window[i, 1], window[i, 2]]
                present[rank] += 1
                groups[rank // _GROUP] += 1
            group, below = 0, 0
            for x in range(out.shape[2]):
                if x > 0:
                    for i in range(entering.shape[0]):
                        rank = ranks[z + entering[i, 0], y + entering[i, 1], x + entering[i, 2]]
                        present[rank] += 1
                        groups[rank // _GROUP] += 1
                        below += rank // _GROUP < group
                        rank = ranks[z + leaving[i, 0], y + leaving[i, 1], x - 1 + leaving[i, 2]]
                        present[rank] -= 1
                        groups[rank // _GROUP] -= 1
                        below -= rank // _GROUP < group
                while below > middle:
                    group -= 1
                    below -= groups[group]
                while below + groups[group] <= middle:
                    below += groups[group]
                    group += 1
                rank = group * _GROUP
                left = middle - below - present[rank]
                while left >= 0:
                    rank += 1
                    left -= present[rank]
                out[z, y, x] = rank
