"""What one chunk costs when there are a hundred of them and when there are ten thousand: seconds, and processor time."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import psutil

import napari_lightbox as lb
from benchmarks.server.process import ServerProcess, server
from benchmarks.server.stacks import lazy_stack
from napari_lightbox.engine.request import Request

BRIEF, LONG, PASSES = (100, 1000), 10000, 3
# a machine that rested is slow at first: it runs films before the clock starts
WARM = 1000
TECHNIQUE: tuple[str, dict[str, Any]] = ("gaussian_blur", {"sigma": 1.0})
FLAT = 0.15
QUIET_SECONDS, CLEAR_STEP = 0.5, 0.002

Cost = dict[str, float]
_seeds = itertools.count()


@dataclass(frozen=True)
class Frames:
    """Films of one kind.

    Parameters
    ----------
    plane
        Pixels of a frame, which is a chunk of 16 bits per pixel.
    again
        Whether a film is run a second time; only where the server keeps ten thousand frames, so that nothing is sent again.
    """

    plane: tuple[int, int]
    again: bool

    @property
    def names(self) -> tuple[str, ...]:
        """What is measured."""
        return ("new", "again") if self.again else ("new",)

    @property
    def nbytes(self) -> int:
        """Bytes of a chunk."""
        return self.plane[0] * self.plane[1] * 2


# the one measures what a chunk costs besides its pixels, the other is what a camera gives
KINDS = {"tiny": Frames((64, 64), True), "camera": Frames((512, 512), False)}


def main(short: bool = False) -> dict[str, Any]:
    """Run films of growing length: as new ones, and small ones again when the server has their chunks.

    The machine is half as fast again at one moment as at another. So films of the brief lengths alternate, as many chunks of the
    one as of the other, and a long film is compared with those right before and after it.

    The brief ones of a round have as many chunks together as a long one, and are kept until the last of them is done. Files that
    are deleted at once never reach the disk, and the next ones use their memory again; memory that a virtual machine has to ask
    its host for costs eight times as much to write to.
    """
    with server() as running:
        there = lb.connect(running.url, token=running.token)
        try:
            there.apply("gaussian_blur", np.zeros((2, 64, 64), np.uint16), sigma=1.0)
            found = {name: films(there, running, frames, short) for name, frames in KINDS.items()}
        finally:
            there.close()
    summaries = {f"{kind}_{name}": value for kind, rows in found.items() for name, value in summary(KINDS[kind], rows).items()}
    return {"rows": [{"kind": kind} | row for kind, rows in found.items() for row in rows], "summary": summaries}


def films(there: Any, running: ServerProcess, frames: Frames, short: bool) -> list[dict[str, Any]]:
    """Measure films of one kind."""
    rounds, long = [brief(there, running, frames)], []
    for _ in range(0 if short else PASSES):
        long.append(told(LONG, per_chunk(kept(there, running, frames, [LONG])[LONG])))
        rounds.append(brief(there, running, frames))
    rows = [row(count, [costs[count] for costs in rounds], [level([costs]) for costs in rounds]) for count in BRIEF]
    if long:
        rows.append(row(LONG, long, [level(beside) for beside in itertools.pairwise(rounds)]))
    return rows


def brief(there: Any, running: ServerProcess, frames: Frames) -> dict[int, Cost]:
    """Measure films of the brief lengths in turns."""
    kept(there, running, frames, [WARM])
    few, many = BRIEF
    turn = [few] * (many // few // 2)
    costs = kept(there, running, frames, [*turn, many, *turn] * (LONG // many // 2))
    return {count: told(count, per_chunk(costs[count])) for count in BRIEF}


def kept(there: Any, running: ServerProcess, frames: Frames, counts: Sequence[int]) -> dict[int, list[Cost]]:
    """Run films of some lengths one after another, then delete all; return the costs of each length, deletes included."""
    costs: dict[int, list[Cost]] = {count: [] for count in counts}
    shown = [(count, film(there, running, frames, count, costs[count])) for count in counts]
    for count, jobs in shown:
        with accounted(running, costs[count], 0) as seconds:
            seconds |= {name: clear(there, running, job) for name, job in jobs.items()}
    settle(running)
    return costs


def per_chunk(costs: Sequence[Cost]) -> Cost:
    """Return milliseconds per chunk of some films."""
    chunks = sum(cost["chunks"] for cost in costs)
    return {name: 1e3 * sum(cost[name] for cost in costs) / chunks for name in costs[0] if name != "chunks"}


def level(rounds: Iterable[dict[int, Cost]]) -> Cost:
    """Return what chunks cost in some rounds of brief films."""
    costs = [cost for costs in rounds for cost in costs.values()]
    return {name: statistics.mean(cost[name] for cost in costs) for name in costs[0]}


def told(count: int, cost: Cost) -> Cost:
    """Return a cost after it was printed."""
    print(f"{count:6} chunks, ms per chunk: " + ", ".join(f"{name} {value:5.2f}" for name, value in cost.items()), flush=True)
    return cost


def row(count: int, costs: Sequence[Cost], levels: Sequence[Cost]) -> dict[str, Any]:
    """Return what chunks of films of one length cost, and as shares of what others cost at the time."""
    found: dict[str, Any] = {"chunks": count, "repeats": len(costs)}
    for name in costs[0]:
        ratios = [cost[name] / level[name] for cost, level in zip(costs, levels, strict=True)]
        found[f"{name}_ms_per_chunk"] = statistics.median(cost[name] for cost in costs)
        found[f"{name}_ratio"], found[f"{name}_ratios"] = statistics.median(ratios), ratios
    return found


def summary(frames: Frames, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return what to look at: how much more the dearest chunk costs than the cheapest."""
    found: dict[str, Any] = {"chunk_bytes": frames.nbytes}
    for name in frames.names:
        found[f"{name}_ms_per_chunk"] = [entry[f"{name}_ms_per_chunk"] for entry in rows]
        ratios = found[f"{name}_to_brief_beside"] = [entry[f"{name}_ratio"] for entry in rows]
        found[f"{name}_spread"] = max(ratios) / min(ratios) - 1
        found[f"{name}_flat"] = found[f"{name}_spread"] <= FLAT
    return found


def film(there: Any, running: ServerProcess, frames: Frames, count: int, costs: list[Cost]) -> dict[str, str]:
    """Run a job on a new film, and maybe on the same one again; note what that cost, and return the jobs.

    Each job is waited for before the next one is submitted; nothing is fetched.
    """
    # no chunk of it may be that of another film: the server would have it already
    data, jobs = lazy_stack(count, frames.plane, next(_seeds)), {}
    with accounted(running, costs, count) as seconds:
        for name in frames.names:
            seconds[name], jobs[name] = run(there, data)
    return jobs


@contextmanager
def accounted(running: ServerProcess, costs: list[Cost], chunks: int) -> Iterator[Cost]:
    """Note the seconds that the block writes down, and the processor time that passed meanwhile."""
    seconds: Cost = {}
    before = spent(running)
    yield seconds
    server, workers = (now - then for now, then in zip(spent(running), before, strict=True))
    costs.append({"chunks": chunks, **seconds, "server": server, "workers": workers})


def run(there: Any, film: Any) -> tuple[float, str]:
    """Run one job; return its seconds and its name."""
    begin = time.perf_counter()
    job = there.submit(Request(TECHNIQUE[0], (film,), TECHNIQUE[1]))
    if not job.wait(1800) or job.status != "done":
        raise RuntimeError(f"{job.status}: {job.message}")
    return time.perf_counter() - begin, job.id


def clear(there: Any, running: ServerProcess, job: str) -> float:
    """Delete a job; return the seconds until its files are gone, which is after the server has answered."""
    begin = time.perf_counter()
    there.delete(job)
    while any((running.folder / "results").glob(".*")):
        time.sleep(CLEAR_STEP)
    return time.perf_counter() - begin


def settle(running: ServerProcess) -> None:
    """Wait until the server has cleared up: what one job leaves behind is not to slow down the next."""
    seen, quiet = used([psutil.Process(running.pid)]), 0.0
    while quiet < QUIET_SECONDS:
        time.sleep(QUIET_SECONDS / 5)
        now = used([psutil.Process(running.pid)])
        quiet = quiet + QUIET_SECONDS / 5 if now - seen < QUIET_SECONDS / 20 else 0.0
        seen = now


def spent(running: ServerProcess) -> tuple[float, float]:
    """Return the processor time of the server and of its workers."""
    return used([psutil.Process(running.pid)]), used(running.workers())


def used(processes: list[psutil.Process]) -> float:
    """Return the processor time of some processes."""
    return sum(times.user + times.system for times in (process.cpu_times() for process in processes))
