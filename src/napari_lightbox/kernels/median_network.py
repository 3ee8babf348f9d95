"""A comparator network that leaves the median of an odd number of values in one place."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray


@cache
def median_network(count: int) -> tuple[NDArray[np.int64], int]:
    """Return the comparators (pairs of places; the smaller value goes to the first) and the median's place.

    Forgetful selection: among the first ``count // 2 + 2`` values the smallest and the largest cannot be the
    median, so both are dropped and one more value comes in, until one is left.
    """
    pool = list(range(count // 2 + 2)) if count > 1 else [0]
    waiting = iter(range(len(pool), count))
    pairs: list[tuple[int, int]] = []
    while len(pool) > 1:
        pairs += _extremes_to_ends(pool)
        pool = [*pool[1:-1], *[place for place in [next(waiting, None)] if place is not None]]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2), pool[0]


def _extremes_to_ends(pool: list[int]) -> list[tuple[int, int]]:
    half, size = len(pool) // 2, len(pool)
    pairs = [(pool[i], pool[size - 1 - i]) for i in range(half)]
    pairs += [(pool[0], pool[i]) for i in range(1, size - half)]
    return pairs + [(pool[i], pool[-1]) for i in range(half, size - 1)]
