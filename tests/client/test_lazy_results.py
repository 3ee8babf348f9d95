"""Lazy results are there as soon as their layout is known: pixels when looked at, numbers when the run is over."""

from __future__ import annotations

import threading
import time

import dask
import dask.array as da
import numpy as np
import pytest
from dask.delayed import Delayed
from tests.client.serving import TOKEN
from tests.client.traffic import Traffic

import napari_lightbox as lb
from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.client.chunk_cache import ChunkCache
from napari_lightbox.engine.request import Request
from napari_lightbox.errors import CancelledError


@pytest.fixture
def near(light):
    with lb.connect(light.url, TOKEN, patience=30) as runner:
        yield runner


def held_back(image, gate: threading.Event, first: int) -> Volume:
    def wait(block, block_id):
        if block_id[0] >= first:
            gate.wait(60)
        return block

    lazy = da.from_array(image, chunks=(1, -1, -1)).map_blocks(wait, dtype=image.dtype, meta=np.empty((0, 0, 0), image.dtype))
    return Volume(lazy, Geometry.of("zyx", image.shape))


def test_a_part_is_there_before_the_whole(near) -> None:
    image, gate = np.random.default_rng(0).integers(0, 255, (5, 40, 41)).astype(np.uint8), threading.Event()
    try:
        job = near.submit(Request("invert_intensity", (held_back(image, gate, 1),)))
        result = job.result(30).main.data
        np.testing.assert_array_equal(result[0].compute(), 255 - image[0])
        assert not job.is_over
    finally:
        gate.set()
    assert job.wait(30)
    np.testing.assert_array_equal(result.compute(), 255 - image)
    assert (job.status, job.fraction) == ("done", 1.0)


def test_an_eager_result_comes_back_while_the_job_still_runs(near) -> None:
    image, gate = np.random.default_rng(4).integers(0, 255, (5, 40, 41)).astype(np.uint8), threading.Event()
    traffic = Traffic(near)
    try:
        job = near.submit(Request("invert_intensity", (held_back(image, gate, 1),)), lazy=False)
        end = time.monotonic() + 30
        while not traffic.fetched and time.monotonic() < end:
            time.sleep(0.01)
        assert traffic.fetched
        assert not job.is_over
    finally:
        gate.set()
    np.testing.assert_array_equal(job.result(30).main.data, 255 - image)
    assert len(traffic.fetched) == 5


def test_a_cancel_reaches_those_who_wait_for_a_chunk(near) -> None:
    image, gate = np.zeros((4, 40, 41), np.uint8), threading.Event()
    try:
        job = near.submit(Request("invert_intensity", (held_back(image, gate, 0),)))
        result = job.result(30).main.data
        timer = threading.Timer(0.2, job.cancel)
        timer.start()
        with pytest.raises(CancelledError):
            result[3].compute()
    finally:
        gate.set()
    assert job.wait(30)
    assert job.status == "cancelled"


def test_numbers_of_a_lazy_run_can_be_waited_for(near) -> None:
    image = np.random.default_rng(1).integers(0, 255, (4, 40, 41)).astype(np.uint8)
    lazy = Volume(da.from_array(image, chunks=(1, 40, 41)), Geometry.of("zyx", image.shape))
    outcome = near.submit(Request("threshold_otsu", (lazy,))).result(30)
    expected = lb.apply("threshold_otsu", Volume(image, lazy.geometry))
    assert isinstance(outcome.outputs["threshold"], (Delayed, float))
    assert dask.compute(outcome.outputs["threshold"])[0] == pytest.approx(expected.threshold)
    np.testing.assert_array_equal(np.asarray(outcome.main.data), expected[0].data)


def test_a_lazy_run_that_fails_tells_whoever_looks(near) -> None:
    def broken(block):
        raise OSError("the disk is gone")

    zeros = da.zeros((3, 20, 20), chunks=(1, 20, 20), dtype=np.uint8)
    lazy = zeros.map_blocks(broken, dtype=np.uint8, meta=np.empty((0, 0, 0), np.uint8))
    job = near.submit(Request("invert_intensity", (Volume(lazy, Geometry.of("zyx", lazy.shape)),)))
    with pytest.raises(OSError, match="the disk is gone"):
        job.result(30).main.data.compute()
    assert job.wait(30)
    assert job.status == "failed"


def test_the_caller_may_ask_for_lazy_results_of_what_lies_in_memory(near) -> None:
    image = np.random.default_rng(2).integers(0, 255, (4, 40, 41)).astype(np.uint8)
    job = near.submit(Request("invert_intensity", (Volume(image, Geometry.of("zyx", image.shape)),)), lazy=True)
    assert isinstance(job.result(30).main.data, da.Array)
    np.testing.assert_array_equal(job.result(0).main.data.compute(), 255 - image)


def test_the_cache_forgets_what_was_not_asked_for_longest() -> None:
    cache = ChunkCache(30)
    chunks = [np.full(10, i, np.uint8) for i in range(4)]
    for i in range(3):
        cache.put(("a", (i,)), chunks[i], 10)
    assert cache.get(("a", (0,))) is chunks[0]
    cache.put(("a", (3,)), chunks[3], 10)
    assert cache.get(("a", (1,))) is None
    assert [cache.get(("a", (i,))) is chunks[i] for i in (0, 2, 3)] == [True] * 3
    cache.put(("b", ()), np.zeros(99, np.uint8), 99)
    assert cache.get(("b", ())) is None
    cache.put(("b", ()), chunks[0], 10)
    assert cache.get(("b", ())) is chunks[0]
