"""What a small job costs a server that keeps thousands of others, beside one that keeps few."""

from __future__ import annotations

import statistics
import time
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np

import napari_lightbox as lb
from benchmarks.server.process import ServerProcess, server
from napari_lightbox.engine.request import Request

KEPT, SHORT_KEPT = 2000, 300
ROUNDS, SHORT_ROUNDS = 9, 3
JOBS, LOOKS, MOST_LISTED = 50, 5, 200
IMAGE = np.arange(256, dtype=np.uint8).reshape(16, 16)


@dataclass(frozen=True)
class Side:
    """A server and the connection to it."""

    name: str
    process: ServerProcess
    there: Any

    def run(self, count: int) -> list[str]:
        """Run small jobs one after another and return their names."""
        return [self._one() for _ in range(count)]

    def measure(self) -> dict[str, float]:
        """Return what a job costs, and a look at the newest ones; what was run is deleted again."""
        begin = time.perf_counter()
        jobs = self.run(JOBS)
        middle = time.perf_counter()
        for _ in range(LOOKS):
            self.process.ask(f"/v1/jobs?most={MOST_LISTED}")
        end = time.perf_counter()
        for job in jobs:
            self.there.delete(job)
        gone = time.perf_counter()
        return {"job": (middle - begin) / JOBS, "look": (end - middle) / LOOKS, "delete": (gone - end) / JOBS}

    def _one(self) -> str:
        job = self.there.submit(Request("invert_intensity", (IMAGE,)))
        if not job.wait(60) or job.status != "done":
            raise RuntimeError(f"{job.status}: {job.message}")
        return str(job.id)


def main(short: bool = False) -> dict[str, Any]:
    """Fill one server, then let both work in turns."""
    kept, rounds = (SHORT_KEPT, SHORT_ROUNDS) if short else (KEPT, ROUNDS)
    with server() as full, server() as empty, closing(_connect(full)) as there, closing(_connect(empty)) as elsewhere:
        sides = [Side("full", full, there), Side("empty", empty, elsewhere)]
        sides[0].run(kept)
        # as many as the other one lists, so that both answer with as many
        sides[1].run(min(kept, MOST_LISTED))
        rows = [_round(sides if turn % 2 else sides[::-1]) for turn in range(rounds)]
    summary: dict[str, Any] = {"kept": kept}
    for what in ("job", "look", "delete"):
        summary[f"{what}_ms"] = [1e3 * statistics.median(row[name][what] for row in rows) for name in ("empty", "full")]
        summary[f"{what}_ratio"] = statistics.median(row["full"][what] / row["empty"][what] for row in rows)
        before, after = summary[f"{what}_ms"]
        print(f"{what:6} {before:6.1f} ms with few kept, {after:6.1f} with {kept}: {summary[f'{what}_ratio']:.2f}", flush=True)
    return {"rows": rows, "summary": summary}


def _round(sides: list[Side]) -> dict[str, dict[str, float]]:
    return {side.name: side.measure() for side in sides}


def _connect(running: ServerProcess) -> Any:
    return lb.connect(running.url, token=running.token)
