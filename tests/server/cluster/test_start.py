"""Starting, joining and ending a cluster."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
from dask._task_spec import Task
from tests.server.cluster.gate import Gate, wait_for

from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.contract import registry
from napari_lightbox.engine.control import Control
from napari_lightbox.engine.request import Request
from napari_lightbox.errors import ParameterError, ServerError, VersionError
from napari_lightbox.server.cluster import Cluster, DistributedRunner, start, start_cluster, state
from napari_lightbox.server.cluster.on_scheduler import be_patient
from napari_lightbox.server.config import ServerConfig
from napari_lightbox.settings import settings

ROOT = Path(__file__).parents[3]
TOYS = ROOT / "tests" / "third_party"

SCHEDULER = """
import sys
from concurrent.futures import Executor
from distributed import LocalCluster
cluster = LocalCluster(
    n_workers=1, threads_per_worker=1, processes=False, protocol="tcp", host="127.0.0.1", dashboard_address=None,
    scheduler_kwargs={"dashboard": False, "dashboard_address": "127.0.0.1:0"},
)
print(cluster.scheduler_address, flush=True)
sys.stdin.read()
"""


def process_of(dask_worker=None) -> int:
    return os.getpid()


def known_techniques() -> list[str]:
    return [technique.id for technique in registry.find()]


def threads_of_libraries() -> dict[str, int]:
    import cv2
    import SimpleITK
    import threadpoolctl

    from napari_lightbox.kernels.slabs import slab_edges

    return {
        "cv2": cv2.getNumThreads(),
        "SimpleITK": SimpleITK.ProcessObject.GetGlobalDefaultNumberOfThreads(),
        "blas": max([pool["num_threads"] for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"], default=1),
        "slabs": len(slab_edges(1000)) - 1,
        "settings": settings().threads,
    }


async def told_of_heartbeats(dask_worker=None) -> dict[str, bool]:
    """Whether a worker tells of two heartbeats that fail: its scheduler is gone, and something else."""
    import io
    import logging

    from distributed.comm import CommClosedError

    class Broken:
        error: Exception

        async def heartbeat_worker(self, **_) -> None:
            raise self.error

    (handler,) = logging.getLogger("distributed").handlers
    scheduler, terminal, told = dask_worker.scheduler, handler.stream, {}
    dask_worker.scheduler = Broken()
    try:
        for Broken.error in (CommClosedError("gone"), OSError("disk")):
            handler.stream = io.StringIO()
            await dask_worker.heartbeat()
            told[str(Broken.error)] = "Traceback" in handler.stream.getvalue()
    finally:
        dask_worker.scheduler, handler.stream = scheduler, terminal
    return told


def budget() -> int:
    return settings().memory_budget


def image() -> Volume:
    data = np.random.default_rng(0).integers(0, 255, (4, 20, 20)).astype(np.uint8)
    return Volume(data, Geometry.of("zyx", data.shape))


@pytest.fixture
def announced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """An installed package with a technique, which comes after the techniques of this process were loaded."""
    registry.find()
    folder = tmp_path / "site" / "toy_lightbox-1.0.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-lightbox\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text("[napari_lightbox.techniques]\ntoy = toy_lightbox.posterize\n")
    monkeypatch.syspath_prepend(str(folder.parent))
    monkeypatch.syspath_prepend(str(TOYS))
    from toy_lightbox.posterize import toy_posterize

    with registry.temporary(toy_posterize.technique):
        yield toy_posterize


def test_workers_are_told_of_with_their_threads_and_memory(cluster: Cluster) -> None:
    workers = cluster.workers()
    assert [(w["threads"], w["memory"]) for w in workers] == [(1, 2**31)] * 2
    assert all(0 < w["used"] < 2**31 for w in workers)


def test_threads_are_asked_for_now_and_then(monkeypatch) -> None:
    asked: list[int] = []

    def workers(client: list[int]) -> list[dict[str, int]]:
        asked.append(len(client))
        return [{"threads": 2} for _ in client]

    monkeypatch.setattr(state, "workers_of", workers)
    there: list[int] = []
    now_and_then, always = state.ThreadCount(there), state.ThreadCount(there, every=0.0)
    assert [now_and_then(), always()] == [0, 0]
    # nobody can do without workers, so they are looked for again
    there.append(1)
    assert [now_and_then(), always()] == [2, 2]
    there.append(2)
    assert [now_and_then(), always()] == [2, 4]
    assert asked == [0, 0, 1, 1, 2]


def test_running_tasks_are_counted(cluster: Cluster, gate: Gate, pool: Executor) -> None:
    key = ("held", 0)
    value = pool.submit(cluster.scheduler.get, {key: Task(key, gate, 3)}, [key], Control())
    wait_for(lambda: sum(w["tasks"] for w in cluster.workers()) == 1)
    gate.open()
    assert value.result(60) == [3]


def test_libraries_keep_to_the_threads_of_their_worker(cluster: Cluster) -> None:
    for threads in cluster.client.run(threads_of_libraries).values():
        assert set(threads.values()) == {1}, threads


def test_settings_of_workers(cluster: Cluster) -> None:
    assert list(cluster.client.run(budget).values()) == [2**30] * 2


def test_workers_do_not_tell_that_their_scheduler_is_gone(cluster: Cluster) -> None:
    """Whoever ends a run with Ctrl-C would now and then read the traceback of a heartbeat."""
    told = cluster.client.run(told_of_heartbeats)
    assert list(told.values()) == [{"gone": False, "disk": True}] * 2


def test_a_cluster_of_our_own(one_worker: ServerConfig, gate: Gate, announced, pool: Executor) -> None:
    cluster = start_cluster(one_worker)
    try:
        pids = list(cluster.client.run(process_of).values())
        # techniques of other packages are known
        assert "toy_posterize" in cluster.client.run(known_techniques).popitem()[1]
        runner = DistributedRunner(cluster.client)
        found = runner.submit(Request("toy_posterize", (image(),), {"levels": 3})).result(60)
        np.testing.assert_array_equal(found.main.data, announced(image().data, levels=3))
        runner.close()
        # nobody on the network can reach anything
        for pid in [os.getpid(), *pids]:
            for connection in psutil.Process(pid).net_connections(kind="inet"):
                assert connection.status != psutil.CONN_LISTEN or connection.laddr.ip == "127.0.0.1"
        held = pool.submit(cluster.scheduler.get, {"held": Task("held", gate, 3)}, ["held"], Control())
        wait_for(lambda: gate.held_up)
        cluster.close()
    finally:
        cluster.close()
    with pytest.raises(ServerError):
        held.result(60)
    wait_for(lambda: not any(map(psutil.pid_exists, pids)))
    assert not (one_worker.folder / "workers").exists()


@pytest.fixture
def foreign():
    """A dask scheduler with a worker that somebody else started."""
    process = subprocess.Popen(
        [sys.executable, "-c", SCHEDULER], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_joining_a_cluster_and_losing_it(foreign: subprocess.Popen, one_worker: ServerConfig, gate: Gate, pool: Executor) -> None:
    with start_cluster(replace(one_worker, scheduler=foreign.stdout.readline().strip())) as cluster:
        assert len(cluster.workers()) == 1
        assert list(cluster.client.run(process_of).values()) == [foreign.pid]
        runner = DistributedRunner(cluster.client)
        found = runner.submit(Request("invert_intensity", (image(),))).result(60)
        np.testing.assert_array_equal(found.main.data, 255 - image().data)
        value = pool.submit(cluster.scheduler.get, {"held": Task("held", gate, 3)}, ["held"], Control())
        wait_for(lambda: gate.held_up)
        foreign.kill()
        with pytest.raises(ServerError, match="does not answer"):
            value.result(60)
        runner.close()


def test_a_scheduler_that_is_not_there(one_worker: ServerConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start, "CONNECTING_SECONDS", 0.5)
    with pytest.raises(ServerError, match="Check the address"):
        start_cluster(replace(one_worker, scheduler="tcp://127.0.0.1:9"))


@pytest.mark.parametrize("address", ["127.0.0.1:8786", "http://127.0.0.1:8786", "tcp://", ""])
def test_what_is_no_address(one_worker: ServerConfig, address: str) -> None:
    with pytest.raises(ParameterError, match="tls://host:8786"):
        start_cluster(replace(one_worker, scheduler=address))


def test_another_version_is_refused() -> None:
    with pytest.raises(VersionError, match="same version"):
        be_patient(3, "0.0.1")
