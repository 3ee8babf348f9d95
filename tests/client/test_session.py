"""A lease that ends is taken up again, and nothing that the server still has is sent twice."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from tests.client.serving import TOKEN, Server
from tests.client.traffic import Traffic

import napari_lightbox as lb
from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.engine.request import Request


def volume(data) -> Volume:
    return Volume(data, Geometry.of("yx", data.shape), name="image")


@pytest.fixture(scope="module")
def hasty(tmp_path_factory):
    """A server that ends sessions soon."""
    server = Server(tmp_path_factory.mktemp("hasty") / "files", limits={"session_idle": 1.0, "session_dead": 2.0})
    try:
        yield server.start()
    finally:
        server.stop()


def test_a_session_that_was_ended_is_opened_again(hasty) -> None:
    image = np.random.default_rng(0).integers(0, 255, (60, 61)).astype(np.uint8)
    with lb.connect(hasty.url, TOKEN) as runner:
        session = runner._link.session
        runner.submit(Request("invert_intensity", (volume(image),))).result(30)
        traffic = Traffic(runner)
        _wait_until(lambda: session._id is None)
        outcome = runner.submit(Request("invert_intensity", (volume(image),))).result(30)
        np.testing.assert_array_equal(outcome.main.data, 255 - image)
        _wait_until(lambda: session._id is not None)
        assert traffic.voxel_bytes == 0


def test_a_heartbeat_keeps_it(light) -> None:
    with lb.connect(light.url, TOKEN) as runner:
        traffic = Traffic(runner)
        session = runner._link.session
        session._beat_seconds = 0.05
        session._wake.set()
        _wait_until(lambda: sum("beat" in r.url.path for r in traffic.requests) >= 3)
        assert session._id is not None


def test_closing_ends_it(light) -> None:
    runner = lb.connect(light.url, TOKEN)
    traffic = Traffic(runner)
    runner.close()
    assert [r.method for r in traffic.requests if "sessions" in r.url.path] == ["DELETE"]


def _wait_until(condition, patience: float = 30) -> None:
    changed = threading.Event()
    for _ in range(int(patience / 0.02)):
        if condition():
            return
        changed.wait(0.02)
    assert condition()
