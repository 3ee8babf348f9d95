"""What one chunk costs when there are a hundred of them and when there are ten thousand: seconds, and processor time."""

from __future__ import annotations

import itertools
import statistics
import time
from typing import Any

import numpy as np
import psutil

import napari_lightbox as lb
from benchmarks.server.process import ServerProcess, server
from benchmarks.server.stacks import lazy_stack
from napari_lightbox.engine.request import Request

# ten thousand of them are less than what the server keeps of a film, so that nothing is sent again
PLANE = (64, 64)
COUNTS, SHORT_COUNTS = {100: 5, 300: 5, 1000: 5, 3000: 3, 10000: 2}, {100: 1, 300: 1, 1000: 1}
# short films are run one after the other, until a turn has so many chunks: a machine that rested is slow at first
TURN = 1000
# turns of films of this length come before and after every other: the machine is twice as fast at one moment as at another
BESIDE = 300
NAMES = ("new", "again", "new_server", "again_server", "new_workers", "again_workers")
TECHNIQUE: tuple[str, dict[str, Any]] = ("gaussian_blur", {"sigma": 1.0})
FLAT = 0.15
QUIET_SECONDS = 0.5

_seeds = itertools.count()


def main(short: bool = False) -> dict[str, Any]:
    """Run films of growing length: as new ones, and again when the server has their chunks."""
    with server() as running:
        there = lb.connect(running.url, token=running.token)
        try:
            there.apply("gaussian_blur", np.zeros((2, 64, 64), np.uint16), sigma=1.0)
            turn(there, running, BESIDE)
            rows = [row(there, running, count, repeats) for count, repeats in (SHORT_COUNTS if short else COUNTS).items()]
        finally:
            there.close()
    summary: dict[str, Any] = {"chunk_bytes": PLANE[0] * PLANE[1] * 2}
    for name in ("new", "again", "new_server", "again_server"):
        summary[f"{name}_ms_per_chunk"] = [entry[f"{name}_ms_per_chunk"] for entry in rows]
        ratios = summary[f"{name}_to_{BESIDE}_beside"] = [entry[f"{name}_ratio"] for entry in rows]
        summary[f"{name}_spread"] = max(ratios) / min(ratios) - 1
        # against the middle: none is further away than the limit
        middle = (max(ratios) + min(ratios)) / 2
        summary[f"{name}_flat"] = max(ratios) <= middle * (1 + FLAT)
    return {"rows": rows, "summary": summary}


def row(there: Any, running: ServerProcess, count: int, repeats: int) -> dict[str, Any]:
    """Measure one length, each turn between turns of the length that all are compared with."""
    beside, turns = [turn(there, running, BESIDE)], []
    for _ in range(repeats):
        turns.append(turn(there, running, count))
        beside.append(turn(there, running, BESIDE))
    costs = {name: statistics.median(cost[name] for cost in turns) for name in NAMES}
    around = [{name: (one[name] + other[name]) / 2 for name in NAMES} for one, other in itertools.pairwise(beside)]
    ratios = {name: statistics.median(c[name] / b[name] for c, b in zip(turns, around, strict=True)) for name in NAMES}
    figures = ", ".join(f"{name} {cost:6.2f} ({ratios[name]:.2f})" for name, cost in costs.items())
    print(f"{count:6} chunks, ms per chunk: {figures}", flush=True)
    told = {f"{name}_ms_per_chunk": cost for name, cost in costs.items()}
    return {"chunks": count, "repeats": repeats, **told, **{f"{name}_ratio": ratio for name, ratio in ratios.items()}}


def turn(there: Any, running: ServerProcess, count: int) -> dict[str, float]:
    """Return milliseconds per chunk of jobs on new films and on the same ones again, and the processor time of both.

    Each job is waited for and deleted before the next one is submitted; nothing is fetched.
    """
    # no chunk of it may be that of another film: the server would have it already
    films = [lazy_stack(count, PLANE, next(_seeds)) for _ in range(max(1, TURN // count))]
    seconds: list[float] = []
    server: list[float] = []
    workers: list[float] = []
    for _ in range(2):
        before = used([psutil.Process(running.pid)]), used(running.workers())
        start = time.perf_counter()
        for film in films:
            run(there, film)
        seconds.append(time.perf_counter() - start)
        settle(running)
        server.append(used([psutil.Process(running.pid)]) - before[0])
        workers.append(used(running.workers()) - before[1])
    chunks = count * len(films)
    return {name: 1e3 * value / chunks for name, value in zip(NAMES, (*seconds, *server, *workers), strict=True)}


def run(there: Any, film: Any) -> None:
    """Run one job from beginning to end."""
    job = there.submit(Request(TECHNIQUE[0], (film,), TECHNIQUE[1]))
    if not job.wait(1800) or job.status != "done":
        raise RuntimeError(f"{job.status}: {job.message}")
    there.delete(job.id)


def settle(running: ServerProcess) -> None:
    """Wait until the server has cleared up: what one job leaves behind is not to slow down the next."""
    seen, quiet = used([psutil.Process(running.pid)]), 0.0
    while quiet < QUIET_SECONDS:
        time.sleep(QUIET_SECONDS / 5)
        now = used([psutil.Process(running.pid)])
        quiet = quiet + QUIET_SECONDS / 5 if now - seen < QUIET_SECONDS / 20 else 0.0
        seen = now


def used(processes: list[psutil.Process]) -> float:
    """Return the processor time of some processes."""
    return sum(times.user + times.system for times in (process.cpu_times() for process in processes))
