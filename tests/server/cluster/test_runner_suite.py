"""The runner of a cluster passes the suite for runners, and leaves nothing for its own process to compute."""

from __future__ import annotations

import numpy as np
import pytest

import napari_lightbox as lb
from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.engine import schedule
from napari_lightbox.engine.request import Request
from napari_lightbox.server.cluster import DistributedRunner
from napari_lightbox.testing import RunnerSuite
from napari_lightbox.testing.compare import as_outputs, assert_same


class TestDistributedRunner(RunnerSuite):
    @pytest.fixture
    def runner(self, cluster):
        runner = DistributedRunner(cluster.client)
        yield runner
        runner.close()


def volume(data) -> Volume:
    return Volume(data, Geometry.of("zyx", data.shape))


def forbidden(*_: object) -> None:
    raise AssertionError("computed in the process that asked")


@pytest.mark.parametrize("technique", ["gaussian_blur", "threshold_otsu", "region_properties"])
def test_images_in_memory_go_to_the_workers(runner: DistributedRunner, monkeypatch: pytest.MonkeyPatch, technique: str) -> None:
    image = volume(np.random.default_rng(0).integers(0, 9, (5, 20, 20)).astype(np.uint8))
    expected = as_outputs(lb.apply(technique, image))
    monkeypatch.setattr(schedule.Threads, "get", forbidden)
    monkeypatch.setattr("napari_lightbox.engine.apply.run_eager", forbidden)
    outcome = runner.submit(Request(technique, (image,))).result(60)
    for found, value in zip(as_outputs(tuple(outcome.outputs.values())), expected, strict=True):
        assert_same(found, value, technique)


def test_history_names_an_image_in_memory_by_its_content(runner: DistributedRunner) -> None:
    image = volume(np.arange(60, dtype=np.uint8).reshape(3, 4, 5))
    jobs = [runner.submit(Request("invert_intensity", (v,))) for v in (image, volume(image.data.copy()))]
    first, second = (job.result(60).provenance["inputs"][0] for job in jobs)
    assert first["identity"] == second["identity"]
    assert first["identity"].startswith("content:")
    assert "lazy" not in first
