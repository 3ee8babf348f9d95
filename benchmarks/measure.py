"""Time callables in turn, so that a drifting machine hits all of them alike."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

ROUNDS = 15
LEAST_ROUNDS = 3
SECONDS = 1.5
BATCH_SECONDS = 0.01


def time_in_turn(calls: Mapping[str, Callable[[], Any]], seconds: float = SECONDS) -> dict[str, float]:
    """Return the median seconds of each call; one warm-up, then rounds of A B C A B C ... until `seconds` are used.

    As `timeit` does, short calls are timed as batches of equal calls: what ran before them leaves caches, allocator and
    sleeping threads in a state that would count for or against whoever comes next.
    """
    batches = {name: _batch(call) for name, call in calls.items()}
    times: dict[str, list[float]] = {name: [] for name in calls}
    begin = time.perf_counter()
    for number in range(ROUNDS):
        for name, call in calls.items():
            times[name].append(_mean_seconds(call, batches[name]))
        if number + 1 >= LEAST_ROUNDS and time.perf_counter() - begin > seconds:
            break
    return {name: statistics.median(values) for name, values in times.items()}


def _batch(call: Callable[[], Any]) -> int:
    """Return how many calls fill `BATCH_SECONDS`, after one that pays for compilation and imports."""
    call()
    return max(1, math.ceil(BATCH_SECONDS / _mean_seconds(call, 1)))


def _mean_seconds(call: Callable[[], Any], count: int) -> float:
    if count > 1:
        call()
    start = time.perf_counter()
    for _ in range(count):
        call()
    return (time.perf_counter() - start) / count


def geometric_mean(values: list[float]) -> float:
    """Return the geometric mean."""
    return statistics.geometric_mean(values) if values else float("nan")
