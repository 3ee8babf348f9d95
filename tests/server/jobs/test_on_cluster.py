"""Jobs on workers in other processes: the same results, and nothing that only this process could remember."""

from __future__ import annotations

import numpy as np
import pytest
from tests.server.jobs.served import OWNER, TOKENS, Sender, finish, order, results, served, submit, volume, wait_for

import napari_lightbox as lb
from napari_lightbox.engine import schedule
from napari_lightbox.engine.request import Request
from napari_lightbox.server.cluster.start import start_cluster
from napari_lightbox.server.config import ServerConfig
from napari_lightbox.testing.compare import as_outputs, assert_same
from napari_lightbox.testing.examples import blobs

RNG = np.random.default_rng(0)
IMAGE = blobs(RNG, (8, 40, 40), np.uint8)
VIDEO = np.stack([blobs(RNG, (24, 20), np.uint8, shift=i) for i in range(40)])
FRAMES = RNG.integers(0, 255, (70, 20, 20)).astype(np.uint8)


@pytest.fixture(scope="module")
def services(tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    with start_cluster(ServerConfig(folder, TOKENS, workers=2, threads=1)) as cluster, served(folder, cluster) as services:
        yield services


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch):
    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("computed in the process of the server")

    monkeypatch.setattr(schedule.Threads, "get", forbidden)


@pytest.mark.parametrize(
    ("technique", "array", "axes", "over", "parameters"),
    [
        ("gaussian_blur", IMAGE, "zyx", None, {"sigma": 1.5}),
        ("threshold_otsu", FRAMES, "tyx", "yx", {}),
        ("connected_components", (IMAGE > 140).astype(np.int32), "zyx", None, {}),
        ("split_touching_objects", (IMAGE > 140).astype(np.int32), "tyx", "yx", {}),
        ("background_subtraction_mog2", VIDEO, "tyx", None, {"history": 20}),
        ("region_properties", np.digitize(IMAGE, [100, 180]).astype(np.int32), "zyx", None, {"boxes": True}),
    ],
)
def test_the_same_as_here(services, monkeypatch, technique, array, axes, over, parameters) -> None:
    role = "labels" if array.dtype == np.int32 else "image"
    inputs = (volume(array, axes, role),)
    expected = as_outputs(lb.apply(technique, *inputs, over=over, **parameters))
    job = submit(services, Request(technique, inputs, parameters, over=over), {3: (2, 10, 20) if axes == "tyx" else (3, 20, 20)})
    found = results(services, job.id)
    for (name, value), wanted in zip(found.items(), expected, strict=True):
        assert_same(np.asarray(value.data) if isinstance(value, lb.Volume) else value, wanted, name)


def test_chunks_on_demand_reach_the_workers(services) -> None:
    body, arrays = order(services, Request("threshold_otsu", (volume(IMAGE),)), {3: (1, 20, 20)}, lazy=True)
    job = services.queue.submit({"request": body}, OWNER)
    with Sender(services, arrays, job.id):
        found = results(services, job.id)
    np.testing.assert_array_equal(next(iter(found.values())).data, lb.apply("threshold_otsu", IMAGE)[0])


def test_a_cancel_stops_the_workers(services) -> None:
    frames = RNG.integers(0, 255, (400, 64, 64)).astype(np.uint8)
    job = submit(services, Request("median_filter", (volume(frames, "tyx"),), {"radius": 5}, over="yx"), {3: (1, 64, 64)})
    wait_for(lambda: services.queue.get(job.id).fraction > 0)
    services.queue.cancel(job.id)
    assert finish(services, job.id).status == "cancelled"
    wait_for(lambda: not services.results.of(job.id))
