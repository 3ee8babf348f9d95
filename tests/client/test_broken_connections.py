"""Connections that break at any point cost time, never a result; what cannot be had ends in a typed error, never in a wait."""

from __future__ import annotations

import threading

import dask.array as da
import numpy as np
import pytest
from tests.client.proxy import Proxy
from tests.client.serving import TOKEN, Server
from tests.client.traffic import Traffic

import napari_lightbox as lb
from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.engine.request import Request
from napari_lightbox.errors import CancelledError, ConnectionLostError

CUTS = [0, 1, 150, 400, 900, 2_000, 5_000, 20_000, 60_000]


def volume(data) -> Volume:
    return Volume(data, Geometry.of("zyx", data.shape), name="image")


def noise(seed: int):
    return np.random.default_rng(seed).integers(0, 255, (4, 150, 151)).astype(np.uint8)


@pytest.fixture(autouse=True)
def _no_job_left_waiting(light):
    """Cancel jobs whose client is gone: until the server sees that, they hold places that the next test needs."""
    yield
    with lb.connect(light.url, TOKEN) as runner:
        for card in runner.jobs():
            if card.status in ("queued", "running"):
                runner.cancel(card.id)


@pytest.mark.parametrize("direction", ["up", "down"])
@pytest.mark.parametrize("after", CUTS)
def test_a_run_survives_cuts_anywhere(proxy, direction, after) -> None:
    image = noise(after + (direction == "up"))
    with lb.connect(proxy.url, TOKEN, patience=30) as runner:
        proxy.cut(direction, after, times=3)
        outcome = runner.submit(Request("invert_intensity", (volume(image),))).result(60)
        np.testing.assert_array_equal(outcome.main.data, 255 - image)
        lazy = volume(da.from_array(image[::-1].copy(), chunks=(1, 80, 151)))
        proxy.cut(direction, after, times=3)
        far = runner.submit(Request("invert_intensity", (lazy,))).result(60)
        np.testing.assert_array_equal(np.asarray(far.main.data), 255 - image[::-1])
    assert proxy.cuts > 0


def test_a_connection_that_is_always_cut_ends_in_an_error(proxy) -> None:
    with lb.connect(proxy.url, TOKEN, patience=0.5) as runner:
        proxy.cut("down", 500, times=10**6)
        job = runner.submit(Request("invert_intensity", (volume(noise(1)),)))
        with pytest.raises(ConnectionLostError, match="cannot be reached"):
            job.result(60)
        assert job.status == "failed"


@pytest.mark.parametrize("sending", [False, True])
def test_a_cancel_without_a_connection_ends_the_run_here(light, sending) -> None:
    proxy = Proxy(light.port)
    gate = threading.Event()
    runner = lb.connect(proxy.url, TOKEN, patience=1.0)
    try:
        job = runner.submit(Request("invert_intensity", (volume(_held_back(noise(2), gate, 1)),), lazy=False))
        _wait_until(lambda: job.status == "running")
        proxy.close()
        job.cancel()
        if sending:
            # then a chunk that cannot be sent may be what ends it
            gate.set()
        with pytest.raises(CancelledError):
            job.result(60)
        assert job.status == "cancelled"
    finally:
        gate.set()
        proxy.close()
        runner.close()


def test_a_job_outlives_the_death_of_the_server(tmp_path) -> None:
    server, gate, image = Server(tmp_path / "files").start(), threading.Event(), noise(3)
    try:
        with lb.connect(server.url, TOKEN, patience=60) as runner:
            traffic = Traffic(runner)
            heard: list[str] = []
            job = runner.submit(Request("gaussian_blur", (volume(_held_back(image, gate, 2)),), {"sigma": 1.0}, lazy=False))
            job.subscribe(lambda j: heard.append(j.status))
            _wait_until(lambda: len(traffic.sent) >= 2)
            server.kill()
            server.start()
            gate.set()
            outcome = job.result(100)
            np.testing.assert_array_equal(outcome.main.data, lb.apply("gaussian_blur", image, sigma=1.0, axes="zyx"))
            assert runner.jobs()[-1].id == job.id
            job_id = job.id
        with lb.connect(server.url, TOKEN) as other:
            np.testing.assert_array_equal(np.asarray(other.attach(job_id).result(30).main.data), outcome.main.data)
    finally:
        gate.set()
        server.stop()


def test_a_closed_runner_lets_nobody_wait(light) -> None:
    gate = threading.Event()
    runner = lb.connect(light.url, TOKEN)
    try:
        job = runner.submit(Request("invert_intensity", (volume(_held_back(noise(4), gate, 1)),), lazy=False))
        done = runner.submit(Request("invert_intensity", (volume(da.from_array(noise(5), chunks=(1, 150, 151))),)))
        lazy = done.result(30).main.data
        done.wait(30)
        _wait_until(lambda: job.status == "running")
    finally:
        gate.set()
        runner.close()
    with pytest.raises((CancelledError, ConnectionLostError)):
        job.result(10)
    with pytest.raises(ConnectionLostError, match="closed"):
        lazy.compute()


def _held_back(image: np.ndarray, gate: threading.Event, first: int) -> da.Array:
    """Return a dask array whose planes from `first` on are not there before the gate opens."""

    def wait(block, block_id):
        if block_id[0] >= first:
            gate.wait(60)
        return block

    meta = np.empty((0, 0, 0), image.dtype)
    return da.from_array(image, chunks=(1, -1, -1)).map_blocks(wait, dtype=image.dtype, meta=meta)


def _wait_until(condition, patience: float = 30) -> None:
    changed = threading.Event()
    for _ in range(int(patience / 0.02)):
        if condition():
            return
        changed.wait(0.02)
    assert condition()
