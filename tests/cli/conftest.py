"""Files to work on."""

from __future__ import annotations

import numpy as np
import pytest
from tests.cli.processes import Process
from tests.client.serving import Server

import napari_lightbox as lb
from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.cli.app import main


@pytest.fixture
def head(tmp_path):
    """A small NIfTI file with anisotropic voxels, and its volume."""
    rng = np.random.default_rng(0)
    data = rng.integers(0, 1000, (8, 20, 24), dtype=np.uint16)
    volume = Volume(data, Geometry.of("zyx", data.shape, (3, 1, 1), (5, 6, 7), ("mm",) * 3), name="head")
    path = tmp_path / "head.nii.gz"
    lb.write(path, volume)
    return path, volume


@pytest.fixture
def blobs(tmp_path):
    """Two bright boxes with their labels and seeds, as NIfTI files."""
    image = np.full((6, 30, 40), 100, np.uint16)
    labels = np.zeros(image.shape, np.int32)
    labels[1:5, 5:15, 5:15], labels[1:5, 10:25, 22:36] = 1, 2
    image[labels > 0] = 900
    seeds = np.zeros_like(labels)
    seeds[3, 10, 10], seeds[3, 18, 30], seeds[0, 0, 0] = 1, 2, 3
    geometry = Geometry.of("zyx", image.shape, (2, 1, 1), None, ("mm",) * 3)
    paths = {}
    for name, data, role in (("image", image, "image"), ("labels", labels, "labels"), ("seeds", seeds, "labels")):
        paths[name] = tmp_path / f"{name}.nii.gz"
        lb.write(paths[name], Volume(data, geometry, role=role))
    return paths


@pytest.fixture
def lightbox(capsys):
    """Run the command line; returns exit code, stdout and stderr."""

    def run(*arguments):
        code = main([str(a) for a in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture
def start(tmp_path):
    """Start the command line as a process in the test's folder; it is ended with the test."""
    processes = []

    def run(*arguments, **environment):
        processes.append(Process(tmp_path, *arguments, **environment))
        return processes[-1]

    yield run
    for process in processes:
        process.end()


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    """Two workers with a thread each, as somebody else would have started them."""
    from napari_lightbox.server.cluster import start_cluster
    from napari_lightbox.server.config import ServerConfig

    with start_cluster(ServerConfig(tmp_path_factory.mktemp("cluster"), {"admin": "a" * 32}, workers=2, threads=1)) as cluster:
        yield cluster


@pytest.fixture
def scheduler(cluster):
    """The address of the scheduler of `cluster`."""
    return cluster.client.scheduler.address


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """A server in a process of its own."""
    server = Server(tmp_path_factory.mktemp("server") / "files")
    try:
        yield server.start()
    finally:
        server.stop()
