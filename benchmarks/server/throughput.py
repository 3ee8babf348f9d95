"""What one chunk costs when there are a hundred of them and when there are ten thousand: seconds, and processor time."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import psutil

import napari_lightbox as lb
from benchmarks.server.process import ServerProcess, server
from benchmarks.server.stacks import lazy_stack
from napari_lightbox.engine.request import Request

BRIEF, LONG, PASSES = (100, 1000), 10000, 2
WARMING_CHUNKS, SHORT_TURN = 5000, 1000
# a machine that rested is slow at first: it runs a film that it knows before the clock starts
WARM = 200
TECHNIQUE: tuple[str, dict[str, Any]] = ("gaussian_blur", {"sigma": 1.0})
FLAT = 0.15
QUIET_SECONDS = 0.5

Cost = dict[str, float]
WARMING = 0
_seeds = itertools.count(WARMING + 1)


@dataclass(frozen=True)
class Frames:
    """Films of one kind.

    Parameters
    ----------
    plane
        Pixels of a frame, which is a chunk of 16 bits per pixel.
    turn
        Chunks of brief films that are run one after the other: a machine works the faster the longer it does.
    again
        Whether a film is run a second time; only where the server keeps ten thousand frames, so that nothing is sent again.
    """

    plane: tuple[int, int]
    turn: int
    again: bool

    @property
    def names(self) -> tuple[str, ...]:
        """What is measured."""
        return ("new", "again", "server", "workers") if self.again else ("new", "server", "workers")

    @property
    def nbytes(self) -> int:
        """Bytes of a chunk."""
        return self.plane[0] * self.plane[1] * 2


# the one measures what a chunk costs besides its pixels, the other is what a camera gives
KINDS = {"tiny": Frames((64, 64), 2000, True), "camera": Frames((512, 512), 1000, False)}


def main(short: bool = False) -> dict[str, Any]:
    """Run films of growing length: as new ones, and small ones again when the server has their chunks.

    The machine is half as fast again at one moment as at another. So the brief films take turns, and are compared with each
    other in each round of them; a long one is compared with the rounds right before and after it.
    """
    with server() as running:
        there = lb.connect(running.url, token=running.token)
        try:
            there.apply("gaussian_blur", np.zeros((2, 64, 64), np.uint16), sigma=1.0)
            turn(there, running, KINDS["tiny"], BRIEF[-1], SHORT_TURN if short else WARMING_CHUNKS)
            found = {name: films(there, running, frames, short) for name, frames in KINDS.items()}
        finally:
            there.close()
    summaries = {f"{kind}_{name}": value for kind, rows in found.items() for name, value in summary(KINDS[kind], rows).items()}
    return {"rows": [{"kind": kind} | row for kind, rows in found.items() for row in rows], "summary": summaries}


def films(there: Any, running: ServerProcess, frames: Frames, short: bool) -> list[dict[str, Any]]:
    """Measure films of one kind."""
    rounds, long = [brief(there, running, frames)], []
    for _ in range(0 if short else PASSES):
        long.append(told(LONG, turn(there, running, frames, LONG, LONG)))
        rounds.append(brief(there, running, frames))
    rows = [row(count, [costs[count] for costs in rounds], [level([costs]) for costs in rounds]) for count in BRIEF]
    if long:
        rows.append(row(LONG, long, [level(beside) for beside in itertools.pairwise(rounds)]))
    return rows


def brief(there: Any, running: ServerProcess, frames: Frames) -> dict[int, Cost]:
    """Measure each of the brief lengths once."""
    return {count: told(count, turn(there, running, frames, count, frames.turn)) for count in BRIEF}


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
    for name in frames.names[:-1]:
        found[f"{name}_ms_per_chunk"] = [entry[f"{name}_ms_per_chunk"] for entry in rows]
        ratios = found[f"{name}_to_brief_beside"] = [entry[f"{name}_ratio"] for entry in rows]
        found[f"{name}_spread"] = max(ratios) / min(ratios) - 1
        found[f"{name}_flat"] = found[f"{name}_spread"] <= FLAT
    return found


def turn(there: Any, running: ServerProcess, frames: Frames, count: int, least: int) -> Cost:
    """Return milliseconds per chunk of jobs on new films and on the same ones again, and the processor time of both.

    Each job is waited for and deleted before the next one is submitted; nothing is fetched.
    """
    number = max(1, least // count)
    run(there, lazy_stack(WARM, frames.plane, WARMING))
    before = used([psutil.Process(running.pid)]), used(running.workers())
    new = again = 0.0
    for _ in range(number):
        # no chunk of it may be that of another film: the server would have it already
        film = lazy_stack(count, frames.plane, next(_seeds))
        new += run(there, film)
        again += run(there, film) if frames.again else 0.0
    settle(running)
    server, workers = used([psutil.Process(running.pid)]) - before[0], used(running.workers()) - before[1]
    spent = {"new": new, "again": again, "server": server, "workers": workers}
    return {name: 1e3 * spent[name] / (count * number) for name in frames.names}


def run(there: Any, film: Any) -> float:
    """Run one job from beginning to end; return its seconds."""
    begin = time.perf_counter()
    job = there.submit(Request(TECHNIQUE[0], (film,), TECHNIQUE[1]))
    if not job.wait(1800) or job.status != "done":
        raise RuntimeError(f"{job.status}: {job.message}")
    there.delete(job.id)
    return time.perf_counter() - begin


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
