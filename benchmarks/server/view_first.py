"""When the slice in view arrives while the rest of a 2 GB job is still to be done, and how soon a cancel frees the workers."""

from __future__ import annotations

import statistics
import time
from typing import Any

import numpy as np
import psutil

import napari_lightbox as lb
from benchmarks.server.process import ServerProcess, server
from benchmarks.server.stacks import lazy_stack
from napari_lightbox.engine.request import Request

PLANE = (1024, 1024)
FRAMES, SHORT_FRAMES = 1000, 200
ROUNDS, SHORT_ROUNDS = 5, 2
QUICK: tuple[str, dict[str, Any]] = ("gaussian_blur", {"sigma": 2.0})
SLOW: tuple[str, dict[str, Any]] = ("non_local_means", {})
MOST_SHARE = 0.05
WINDOW = 0.05
IDLE_SHARE = 0.3
QUIET_WINDOWS = 3


def main(short: bool = False) -> dict[str, Any]:
    """Measure the first slice and the cancel."""
    frames, rounds = (SHORT_FRAMES, SHORT_ROUNDS) if short else (FRAMES, ROUNDS)
    with server() as running:
        there = lb.connect(running.url, token=running.token)
        try:
            there.apply("gaussian_blur", np.zeros((2, 64, 64), np.uint16), sigma=2.0)
            slices = [first_slice(there, running, frames, seed) for seed in range(rounds)]
            cancels = [cancel(there, running, frames, seed) for seed in range(100, 100 + rounds)]
        finally:
            there.close()
    share = max(row["share_done"] for row in slices)
    idle = max(row["until_idle_s"] for row in cancels)
    chunk = statistics.median(row["chunk_s"] for row in cancels)
    summary = {
        "slice_s": statistics.median(row["slice_s"] for row in slices),
        "largest_share_done": share,
        "slice_ok": share < MOST_SHARE and all(row["equal"] for row in slices),
        "one_chunk_s": chunk,
        "longest_until_idle_s": idle,
        # a window of the watch is as exact as it gets
        "cancel_ok": idle <= chunk + WINDOW,
    }
    print(
        f"one chunk of {SLOW[0]} takes a worker {chunk:.2f} s; all were idle {idle:.2f} s after the cancel at the latest",
        flush=True,
    )
    return {"rows": [*slices, *cancels], "summary": summary}


def first_slice(there: Any, running: ServerProcess, frames: int, seed: int) -> dict[str, Any]:
    """Submit a job on a lazy film, look at a frame in its second half, and cancel the rest."""
    technique, parameters = QUICK
    film = lazy_stack(frames, PLANE, seed)
    number = frames * 2 // 3 + seed
    start = time.perf_counter()
    job = there.submit(Request(technique, (film,), parameters))
    result = job.result(300).main.data
    laid_out = time.perf_counter() - start
    seen = np.asarray(result[number])
    seconds = time.perf_counter() - start
    card = running.ask(f"/v1/arrays/{result.name.removeprefix('remote-')}/card")
    share = card["written"] / frames
    job.cancel()
    job.wait(60)
    expected = lb.apply(technique, np.asarray(film.data[number]), **parameters)
    row = {
        "what": "first slice",
        "bytes": film.data.nbytes,
        "layout_s": laid_out,
        "slice_s": seconds,
        "written": card["written"],
        "share_done": share,
        "equal": bool(np.array_equal(seen, expected)),
    }
    print(
        f"frame {number} of {frames} ({film.data.nbytes / 1e9:.1f} GB): layout {laid_out:.2f} s, slice {seconds:.2f} s, "
        f"{card['written']} blocks ({share:.1%}) done by then, equal {row['equal']}",
        flush=True,
    )
    return row


def cancel(there: Any, running: ServerProcess, frames: int, seed: int) -> dict[str, Any]:
    """Cancel a job in mid-work and watch until the processors of the workers rest."""
    technique, parameters = SLOW
    job = there.submit(Request(technique, (lazy_stack(frames, PLANE, seed),), parameters))
    workers = running.workers()
    array = job.result(300).main.data.name.removeprefix("remote-")
    chunk = len(workers) * _seconds_per_block(job, running, array, len(workers))
    # cut somewhere within a chunk, not always at the same place
    time.sleep(0.3 + 0.17 * (seed % 7))
    start = time.perf_counter()
    job.cancel()
    idle = _seconds_until_idle(workers, start)
    job.wait(60)
    confirmed = time.perf_counter() - start
    print(
        f"cancel: {chunk:.2f} s for a chunk of a worker, all idle after {idle:.2f} s, job {job.status} after {confirmed:.2f} s",
        flush=True,
    )
    return {"what": "cancel", "chunk_s": chunk, "until_idle_s": idle, "until_confirmed_s": confirmed, "status": job.status}


def _seconds_per_block(job: Any, running: ServerProcess, array: str, workers: int) -> float:
    """Return how long all workers together need for a block, while they are all at work."""
    times: dict[int, float] = {}
    while not times or max(times) < 5 * workers:
        if job.is_over:
            raise RuntimeError(f"the job is {job.status} before it was cancelled: {job.message}")
        times.setdefault(running.ask(f"/v1/arrays/{array}/card")["written"], time.perf_counter())
        time.sleep(WINDOW / 5)
    first = min(written for written in times if written >= workers)
    last = max(times)
    return (times[last] - times[first]) / (last - first)


def _busy(workers: list[psutil.Process]) -> float:
    """Return how many processors some processes use together, over one window."""
    before, start = _used(workers), time.perf_counter()
    time.sleep(WINDOW)
    return (_used(workers) - before) / (time.perf_counter() - start)


def _used(workers: list[psutil.Process]) -> float:
    return sum(times.user + times.system for times in (worker.cpu_times() for worker in workers))


def _seconds_until_idle(workers: list[psutil.Process], start: float, limit: float = 60.0) -> float:
    """Return when the first of several quiet windows in a row began."""
    quiet, since = 0, start
    while quiet < QUIET_WINDOWS:
        began = time.perf_counter()
        if began - start > limit:
            raise RuntimeError("the workers go on after the cancel")
        if _busy(workers) > IDLE_SHARE:
            quiet = 0
        else:
            since = began if quiet == 0 else since
            quiet += 1
    return since - start
