"""Time callables in turn, so that a drifting machine hits all of them alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

ROUNDS = 15
LEAST_ROUNDS = 3
SECONDS = 1.5
SHORT = 0.05


def time_in_turn(calls: Mapping[str, Callable[[], Any]], seconds: float = SECONDS) -> dict[str, float]:
    """Return the median seconds of each call; one warm-up, then rounds of A B C A B C ... until `seconds` are used.

    Short calls run once more before they are timed: what ran before them leaves cache and allocator in a state that
    would count for or against whoever comes next.
    """
    for call in calls.values():
        call()
    times: dict[str, list[float]] = {name: [] for name in calls}
    begin = time.perf_counter()
    for number in range(ROUNDS):
        for name, call in calls.items():
            if not times[name] or times[name][-1] < SHORT:
                call()
            start = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - start)
        if number + 1 >= LEAST_ROUNDS and time.perf_counter() - begin > seconds:
            break
    return {name: statistics.median(values) for name, values in times.items()}


def geometric_mean(values: list[float]) -> float:
    """Return the geometric mean."""
    return statistics.geometric_mean(values) if values else float("nan")
