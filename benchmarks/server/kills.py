"""Processes are killed in mid-job at random moments; the results must be complete and equal all the same."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import dask.array as da
import numpy as np

import napari_lightbox as lb
from benchmarks.server.process import ServerProcess
from napari_lightbox import Geometry, Volume
from napari_lightbox.engine.request import Request
from napari_lightbox.errors import LightboxError

SHAPE, CHUNKS = (64, 512, 512), (8, 256, 256)
TECHNIQUE: tuple[str, dict[str, Any]] = ("median_filter", {"size": 5})
WORKER_KILLS, SHORT_WORKER_KILLS = 10, 3
SERVER_KILLS, SHORT_SERVER_KILLS = 5, 2
PATIENCE = 300.0


@dataclass(frozen=True)
class Bench:
    """A server, a client of it, the job that both do, and what must come out."""

    there: Any
    running: ServerProcess
    request: Request
    expected: Any
    unharmed: float
    rng: random.Random


Kill = Callable[[Bench], None]


def main(short: bool = False) -> dict[str, Any]:
    """Kill workers first, servers then."""
    workers, servers = (SHORT_WORKER_KILLS, SHORT_SERVER_KILLS) if short else (WORKER_KILLS, SERVER_KILLS)
    whole = np.random.default_rng(0).integers(0, 4096, SHAPE, dtype=np.uint16)
    volume = Volume(da.from_array(whole, chunks=CHUNKS), Geometry.of("zyx", SHAPE))
    technique, parameters = TECHNIQUE
    request = Request(technique, (volume,), parameters, lazy=False)
    expected = lb.apply(technique, whole, **parameters)
    with TemporaryDirectory(prefix="lightbox-bench-") as folder, ServerProcess(Path(folder)) as running:
        there = lb.connect(running.url, token=running.token)
        try:
            there.submit(request).result(PATIENCE)
            start = time.perf_counter()
            there.submit(request).result(PATIENCE)
            unharmed = time.perf_counter() - start
            print(f"unharmed {unharmed:.1f} s", flush=True)
            bench = Bench(there, running, request, expected, unharmed, random.Random(0))
            rows = [one(kill_worker, "worker", bench) for _ in range(workers)]
            rows += [one(kill_server, "server", bench) for _ in range(servers)]
        finally:
            there.close()
    summary: dict[str, Any] = {"unharmed_s": unharmed}
    for victim in ("worker", "server"):
        chosen = [row for row in rows if row["victim"] == victim]
        summary[f"{victim}_kills"] = f"{sum(row['equal'] for row in chosen)} of {len(chosen)}"
        summary[f"{victim}_longest_s"] = max(row["seconds"] for row in chosen)
    return {"rows": rows, "summary": summary}


def one(kill: Kill, victim: str, bench: Bench) -> dict[str, Any]:
    """Run one job and kill somebody meanwhile; a moment after the end of the job does not count and is tried again."""
    while True:
        moment = bench.rng.uniform(0.05, 0.95) * bench.unharmed
        start = time.perf_counter()
        job = bench.there.submit(bench.request)
        job.wait(moment)
        if not job.is_over:
            break
    at = job.fraction
    kill(bench)
    try:
        outcome = np.asarray(job.result(PATIENCE).main.data)
        equal, problem = bool(np.array_equal(outcome, bench.expected)), ""
    except (LightboxError, TimeoutError) as error:
        equal, problem = False, f"{type(error).__name__}: {error}"
    seconds = time.perf_counter() - start
    print(f"{victim} killed after {moment:.2f} s at {at:.0%}: equal {equal}, {seconds:.1f} s {problem}", flush=True)
    return {"victim": victim, "moment_s": moment, "fraction": at, "equal": equal, "seconds": seconds, "problem": problem}


def kill_worker(bench: Bench) -> None:
    """Kill one of the workers."""
    while not (workers := bench.running.workers()):
        time.sleep(0.05)
    bench.rng.choice(workers).kill()


def kill_server(bench: Bench) -> None:
    """Kill the server and start it again."""
    bench.running.kill()
    bench.running.start()
