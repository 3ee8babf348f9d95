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
COUNTS, SHORT_COUNTS = {100: 3, 300: 3, 1000: 3, 3000: 3, 10000: 2}, {100: 3, 300: 3, 1000: 1}
# films of this length are run before and after every other: the machine itself is twice as fast at one moment as at another
BESIDE, BESIDES = 300, 3
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
            run(there, running, 30)
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
    """Measure one length, each run between runs of the length that all are compared with."""
    beside, runs = [usual(there, running)], []
    for _ in range(repeats):
        runs.append(per_chunk([run(there, running, count)], count))
        beside.append(usual(there, running))
    costs = {name: statistics.median(cost[name] for cost in runs) for name in NAMES}
    around = [{name: (one[name] + other[name]) / 2 for name in NAMES} for one, other in itertools.pairwise(beside)]
    ratios = {name: statistics.median(c[name] / b[name] for c, b in zip(runs, around, strict=True)) for name in NAMES}
    figures = ", ".join(f"{name} {cost:6.2f} ({ratios[name]:.2f})" for name, cost in costs.items())
    print(f"{count:6} chunks, ms per chunk: {figures}", flush=True)
    told = {f"{name}_ms_per_chunk": cost for name, cost in costs.items()}
    return {"chunks": count, "repeats": repeats, **told, **{f"{name}_ratio": ratio for name, ratio in ratios.items()}}


def usual(there: Any, running: ServerProcess) -> dict[str, float]:
    """Return the cost per chunk, at this moment, of the length that all are compared with."""
    return per_chunk([run(there, running, BESIDE) for _ in range(BESIDES)], BESIDE)


def per_chunk(runs: list[list[float]], count: int) -> dict[str, float]:
    """Return the middle of some runs in milliseconds per chunk, by what was measured."""
    return {name: 1e3 * statistics.median(values) / count for name, values in zip(NAMES, zip(*runs, strict=True), strict=True)}


def run(there: Any, running: ServerProcess, count: int) -> list[float]:
    """Return the seconds of a job on a new film and on the same one again, and the processor time of both; nothing is fetched."""
    # no chunk of it may be that of another film: the server would have it already
    film = lazy_stack(count, PLANE, next(_seeds))
    seconds: list[float] = []
    server: list[float] = []
    workers: list[float] = []
    for _ in range(2):
        before = used([psutil.Process(running.pid)]), used(running.workers())
        start = time.perf_counter()
        job = there.submit(Request(TECHNIQUE[0], (film,), TECHNIQUE[1]))
        if not job.wait(1800) or job.status != "done":
            raise RuntimeError(f"{job.status}: {job.message}")
        seconds.append(time.perf_counter() - start)
        there.delete(job.id)
        settle(running)
        server.append(used([psutil.Process(running.pid)]) - before[0])
        workers.append(used(running.workers()) - before[1])
    return [*seconds, *server, *workers]


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
