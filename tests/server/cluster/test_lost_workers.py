"""A lost worker costs time, not results."""

from __future__ import annotations

import os
import signal
from concurrent.futures import Executor

import dask.array as da
import numpy as np
import psutil
from dask._task_spec import List, Task, TaskRef
from tests.server.cluster.gate import Gate, wait_for

import napari_lightbox as lb
from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.engine.control import Control
from napari_lightbox.engine.request import Request
from napari_lightbox.server.cluster import Cluster, DistributedRunner


def busy(gate: Gate) -> int | None:
    """Return a living process that a task is held up in."""
    return next((pid for pid in gate.held_up if is_running(pid)), None)


def is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_killed_workers_change_nothing(cluster: Cluster, runner: DistributedRunner, gate: Gate) -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 255, (6, 40, 40)).astype(np.uint8)
    held = da.from_array(image, chunks=(1, 40, 40), name=False).map_blocks(
        gate, dtype=np.uint8, meta=np.empty((0, 0, 0), np.uint8)
    )
    geometry = Geometry.of("zyx", image.shape, (2, 1, 1))
    job = runner.submit(Request("gaussian_blur", (Volume(held, geometry),), {"sigma": 1.5}, lazy=False))
    for _ in range(3):
        pid = wait_for(lambda: busy(gate))
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda pid=pid: not is_running(pid))
    gate.open()
    expected = lb.apply("gaussian_blur", Volume(image, geometry), sigma=1.5)
    np.testing.assert_array_equal(job.result(120).main.data, expected.data)


def test_results_that_were_lost_are_computed_again(cluster: Cluster, gate: Gate, pool: Executor) -> None:
    parts = {("part", i): Task(("part", i), pow, 2, i) for i in range(6)}
    sums = {("sum", i): Task(("sum", i), gate_sum, gate, List(*map(TaskRef, parts)), i) for i in range(2)}
    value = pool.submit(cluster.scheduler.get, parts | sums, list(sums), Control())
    os.kill(wait_for(lambda: busy(gate)), signal.SIGKILL)
    gate.open()
    assert value.result(120) == [63, 64]


def gate_sum(gate: Gate, parts: list[int], more: int) -> int:
    return gate(sum(parts)) + more
