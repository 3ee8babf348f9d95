"""Two workers for all tests of the folder."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.server.cluster.gate import Gate, wait_for

from napari_lightbox.server.cluster import Cluster, DistributedRunner, start_cluster
from napari_lightbox.server.config import ServerConfig

TOKENS = {"admin": "a" * 32}


@pytest.fixture(scope="session")
def two_workers(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("cluster")
    with start_cluster(ServerConfig(folder, TOKENS, workers=2, threads=1, memory=2**31)) as cluster:
        yield cluster


@pytest.fixture
def cluster(two_workers: Cluster) -> Cluster:
    # those that a test killed come back
    wait_for(lambda: len(two_workers.workers()) == 2)
    return two_workers


@pytest.fixture
def one_worker(tmp_path: Path) -> ServerConfig:
    return ServerConfig(tmp_path, TOKENS, workers=1, threads=1)


@pytest.fixture
def runner(cluster: Cluster):
    runner = DistributedRunner(cluster.client)
    yield runner
    runner.close()


@pytest.fixture
def gate(tmp_path: Path):
    gate = Gate(tmp_path / "gate")
    yield gate
    gate.open()


@pytest.fixture
def pool(gate: Gate):
    pool = ThreadPoolExecutor(3)
    yield pool
    gate.open()
    pool.shutdown()
