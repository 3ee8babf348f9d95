"""The local runner: same result as lb.apply, progress, cancel, errors, memory."""

from __future__ import annotations

import threading
import time

import dask.array as da
import numpy as np
import pytest

import napari_lightbox as lb
from napari_lightbox.engine.local import LocalRunner
from napari_lightbox.engine.request import Request
from napari_lightbox.errors import CancelledError, MemoryForecastError, ParameterError
from napari_lightbox.settings import override


@pytest.fixture
def runner():
    runner = LocalRunner()
    yield runner
    runner.close()


def volume(data, axes="zyx", **details) -> lb.Volume:
    return lb.Volume(data, lb.Geometry.of(axes, data.shape, **details))


def test_large_arrays_run_in_blocks_with_progress(runner: LocalRunner) -> None:
    data = np.random.default_rng(0).integers(0, 255, (80, 900, 1000)).astype(np.uint8)
    seen: list[float] = []
    job = runner.submit(Request("gaussian_blur", (volume(data),), {"sigma": 1.5}))
    job.subscribe(lambda j: seen.append(j.fraction))
    outcome = job.result(120)
    assert job.status == "done"
    assert len(seen) > 5
    assert seen == sorted(seen)
    np.testing.assert_array_equal(outcome.main.data, lb.apply("gaussian_blur", data, sigma=1.5))


def test_cancel_stops_between_chunks_and_frees_everything(runner: LocalRunner) -> None:
    started, computed = threading.Event(), []

    def slow(block: np.ndarray, block_info=None) -> np.ndarray:
        if block_info:
            started.set()
            computed.append(1)
            time.sleep(0.05)
        return block

    lazy = da.map_blocks(slow, da.zeros((200, 8, 8), chunks=(1, 8, 8), dtype=np.uint8), dtype=np.uint8)
    job = runner.submit(Request("invert_intensity", (volume(lazy),), lazy=False))
    assert started.wait(20)
    job.cancel()
    with pytest.raises(CancelledError, match="start it again"):
        job.result(20)
    assert job.status == "cancelled"
    assert len(computed) < 100


def test_lazy_inputs_stay_lazy_with_the_statistic_already_there(runner: LocalRunner) -> None:
    data = np.random.default_rng(1).integers(0, 255, (6, 40, 40)).astype(np.uint8)
    lazy = da.from_array(data, chunks=(1, 40, 40), name=False)
    outcome = runner.submit(Request("threshold_otsu", (volume(lazy),), {"scope": "layer"})).result(60)
    assert isinstance(outcome.main.data, da.Array)
    expected = lb.apply("threshold_otsu", data, scope="layer")
    np.testing.assert_array_equal(outcome.main.data.compute(), expected[0])


def test_errors_reach_the_caller_unchanged(runner: LocalRunner) -> None:
    job = runner.submit(Request("gaussian_blur", (volume(np.zeros((4, 9, 9))),), {"sigma": -1}))
    with pytest.raises(ParameterError, match="sigma"):
        job.result(20)
    assert job.status == "failed"


def test_results_beyond_the_budget_go_to_disk_and_are_removed(runner: LocalRunner, tmp_path) -> None:
    lazy = da.random.default_rng(0).integers(0, 255, (64, 256, 256), chunks=(4, 256, 256), dtype=np.uint8)
    with override(memory_budget="4MB", cache_folder=tmp_path):
        outcome = runner.submit(Request("invert_intensity", (volume(lazy),), lazy=False)).result(60)
        assert isinstance(outcome.main.data, da.Array)
        np.testing.assert_array_equal(outcome.main.data.compute(), 255 - lazy.compute())
        assert any(tmp_path.rglob("*.zarr"))
    del outcome
    import gc

    gc.collect()


def test_whole_volume_runs_are_refused_when_the_forecast_is_too_high() -> None:
    image = da.zeros((400, 400, 400), chunks=(1, 400, 400), dtype=np.float32)
    with override(memory_budget="64MB"), pytest.raises(MemoryForecastError, match="memory budget is 64 MB"):
        lb.apply("distance_transform", image.astype(bool))


@pytest.mark.parametrize("technique", ["gaussian_blur", "threshold_otsu", "connected_components", "distance_transform"])
def test_preview_of_one_slice(runner: LocalRunner, technique: str) -> None:
    data = (np.random.default_rng(2).random((7, 60, 50)) < 0.4).astype(np.uint8)
    region = (slice(3, 4), slice(0, 60), slice(0, 50))
    outcome = runner.submit(Request(technique, (volume(data, spacing=(3, 1, 1)),), preview=True, region=region)).result(60)
    assert outcome.preview
    assert outcome.main.shape[-3:] == (1, 60, 50)
    assert outcome.main.geometry.origin[-3:] == (9.0, 0.0, 0.0)
    if not outcome.provenance["approximate"]:
        expected = lb.apply(technique, data)
        np.testing.assert_array_equal(outcome.main.data[0], (expected[0] if isinstance(expected, tuple) else expected)[3])
