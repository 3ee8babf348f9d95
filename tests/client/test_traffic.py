"""Nothing travels that need not: no voxel twice, only the chunks that a result needs, never two copies in memory."""

from __future__ import annotations

import time
import tracemalloc

import dask.array as da
import numpy as np
import pytest

import napari_lightbox as lb
from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.client import uploading
from napari_lightbox.client.session import MOST_SOURCES
from napari_lightbox.client.uploading import Upload, register
from napari_lightbox.engine.control import Control
from napari_lightbox.engine.request import Request
from napari_lightbox.testing.sources import WatchedArray


def volume(data) -> Volume:
    return Volume(data, Geometry.of("zyx"[-data.ndim :], data.shape), name="image")


def noise(seed: int, *shape: int, dtype=np.uint8):
    return np.random.default_rng(seed).integers(0, 255, shape).astype(dtype)


def telling(connection):
    return lambda card, hashes: register(connection, card, hashes)[:2]


def test_the_same_image_is_sent_once(runner, traffic) -> None:
    image = noise(1, 8, 50, 51)
    first = runner.submit(Request("invert_intensity", (volume(image),))).result(60)
    assert traffic.voxel_bytes > image.nbytes
    traffic.clear()
    runner.submit(Request("gaussian_blur", (volume(image.copy()),), {"sigma": 1.0})).result(60)
    assert traffic.voxel_bytes == 0
    image[0, 0, 0] += 1
    second = runner.submit(Request("invert_intensity", (volume(image),))).result(60)
    assert second.main.data[0, 0, 0] != first.main.data[0, 0, 0]


def test_only_the_slab_that_changed_is_sent_again(runner, traffic) -> None:
    image = noise(2, 6, 2048, 2048)
    runner.submit(Request("threshold_manual", (volume(image),), {"threshold": 100.0})).result(60)
    assert sorted(traffic.sent) == [0, 1, 2]
    traffic.clear()
    image[3, 5, 5] ^= 1
    runner.submit(Request("threshold_manual", (volume(image),), {"threshold": 100.0})).result(60)
    assert traffic.sent == [1]


def test_of_a_lazy_input_only_what_is_needed_is_computed_and_sent(runner, traffic) -> None:
    watched = WatchedArray(noise(3, 12, 40, 41))
    lazy = volume(watched.lazy((2, 40, 41)))
    part = Request("crop", (lazy,), {"mode": "box", "start": (4, 0, 0), "stop": (8, 40, 41)})
    outcome = runner.submit(part).result(60)
    result = np.asarray(outcome.main.data)
    np.testing.assert_array_equal(result, watched._data[4:8])
    assert set(traffic.sent) == {2, 3}
    assert len(watched.reads) <= 3


def test_a_lazy_input_is_computed_once_for_two_runs(runner, traffic) -> None:
    watched = WatchedArray(noise(4, 4, 30, 31))
    lazy = watched.lazy((1, 30, 31))
    runner.submit(Request("invert_intensity", (volume(lazy),), lazy=False)).result(60)
    assert sorted(traffic.sent) == [0, 1, 2, 3]
    traffic.clear()
    runner.submit(Request("gaussian_blur", (volume(lazy),), {"sigma": 0.8}, lazy=False)).result(60)
    assert traffic.voxel_bytes == 0
    assert len(watched.reads) == 4


def test_chunks_that_the_server_has_from_elsewhere_are_not_sent(runner, traffic) -> None:
    image = noise(5, 4, 30, 31)
    image[2] = image[0]
    lazy = da.from_array(image, chunks=(1, 30, 31))
    runner.submit(Request("invert_intensity", (volume(lazy),), lazy=False)).result(60)
    traffic.clear()
    other = da.from_array(image[::-1].copy(), chunks=(1, 30, 31))
    outcome = runner.submit(Request("invert_intensity", (volume(other),), lazy=False)).result(60)
    assert traffic.sent == []
    np.testing.assert_array_equal(outcome.main.data, 255 - image[::-1])


def test_a_chunk_that_is_asked_for_before_it_came_in_is_not_sent_again(runner, traffic) -> None:
    upload, connection = Upload(noise(9, 3, 30, 31)), runner._link.connection
    upload.register(telling(connection), Control())
    upload.send(connection, [0])
    upload.send(connection, [0])
    assert traffic.sent == [0]


def test_of_a_bunch_only_what_the_server_lacks_is_sent(runner, traffic) -> None:
    upload, connection = Upload(da.from_array(noise(10, 6, 30, 31), chunks=(1, 30, 31))), runner._link.connection
    upload.register(telling(connection), Control())
    for chunks in ([4, 1], [1, 2, 4, 0], [0, 1], [5, 4]):
        traffic.clear()
        upload.send(connection, chunks)
        assert len([r for r in traffic.requests if r.method == "PUT"]) <= 1
        assert traffic.sent == {4: [4, 1], 1: [2, 0], 0: [], 5: [5]}[chunks[0]]


def test_chunks_are_bunched_only_while_they_are_small_and_quick(runner, monkeypatch) -> None:
    connection = runner._link.connection
    sizes = ((30, 31), (400, 400), (1500, 1500))
    small, middling, large = (Upload(da.from_array(noise(11, 40, *size), chunks=(1, *size))) for size in sizes)
    for upload in (small, middling, large):
        upload.register(telling(connection), Control())
    monkeypatch.setattr(uploading, "QUICK", 60.0)
    assert [small.bunch for _ in range(7) if not small.send(connection, range(small.bunch))] == [4, 16, 32, 32, 32, 32, 32]
    assert [middling.bunch for _ in range(4) if not middling.send(connection, range(middling.bunch))] == [4, 13, 13, 13]
    large.send(connection, [0])
    assert large.bunch == 1
    monkeypatch.setattr(uploading, "QUICK", 0.0)
    assert [small.bunch for _ in range(6) if not small.send(connection, range(small.bunch))] == [16, 8, 4, 2, 1, 1]


@pytest.mark.parametrize(
    ("size", "bodies"),
    [((30, 31), [[0, 1, 3, 4]]), ((256, 300), [[0, 1, 3], [4]]), ((400, 400), [[0], [1], [3], [4]])],
)
def test_chunks_too_large_for_one_body_are_still_asked_about_together(runner, traffic, size, bodies) -> None:
    data = noise(13, 5, *size)
    upload, connection = Upload(da.from_array(data, chunks=(1, *size))), runner._link.connection
    upload.register(telling(connection), Control())
    upload.send(connection, [2])
    traffic.clear()
    upload.send(connection, range(5))
    asked, *sent = traffic.requests
    assert (asked.method, [request.method for request in sent]) == ("POST", ["PUT"] * len(bodies))
    assert traffic.sent == [n for body in bodies for n in body]
    assert [int(request.headers["Content-Length"]) // data[0].nbytes for request in sent] == [len(body) for body in bodies]


def test_what_an_array_found_out_itself_counts_more_than_what_was_expected(runner, monkeypatch) -> None:
    connection = runner._link.connection
    upload = Upload(da.from_array(noise(12, 40, 30, 31), chunks=(1, 30, 31)))
    upload.register(telling(connection), Control())
    upload.expect(16)
    assert upload.bunch == 16
    monkeypatch.setattr(uploading, "QUICK", 0.0)
    upload.send(connection, range(16))
    upload.expect(32)
    assert upload.bunch == 8


def test_a_chain_of_runs_stays_on_the_server(runner, traffic) -> None:
    image = noise(6, 6, 40, 41)
    lazy = volume(da.from_array(image, chunks=(2, 40, 41)))
    blurred = runner.submit(Request("gaussian_blur", (lazy,), {"sigma": 1.5})).result(60)
    inverted = runner.submit(Request("invert_intensity", (blurred.main,))).result(60)
    sent, fetched = len(traffic.sent), traffic.fetched
    np.testing.assert_array_equal(
        np.asarray(inverted.main.data), 255 - np.asarray(lb.apply("gaussian_blur", image, sigma=1.5, axes="zyx"))
    )
    assert (sent <= 3, fetched) == (True, [])
    assert len(traffic.sent) <= 3


def test_of_a_lazy_result_only_what_is_looked_at_is_fetched(runner, traffic) -> None:
    image = noise(7, 10, 30, 31)
    outcome = runner.submit(Request("invert_intensity", (volume(da.from_array(image, chunks=(2, 30, 31))),))).result(60)
    result = outcome.main.data
    assert isinstance(result, da.Array)
    np.testing.assert_array_equal(result[6].compute(), 255 - image[6])
    assert traffic.fetched == [(3, 0, 0)]
    np.testing.assert_array_equal(result[7, :9].compute(), 255 - image[7, :9])
    assert traffic.fetched == [(3, 0, 0)]


def test_edges_and_odd_chunks_of_lazy_inputs(runner) -> None:
    image = noise(8, 7, 23, 29)
    lazy = da.from_array(image, chunks=((3, 1, 3), (10, 13), 29))
    outcome = runner.submit(Request("gaussian_blur", (volume(lazy),), {"sigma": 1.0})).result(60)
    np.testing.assert_array_equal(np.asarray(outcome.main.data), lb.apply("gaussian_blur", image, sigma=1.0, axes="zyx"))


def test_a_volume_is_never_in_memory_twice(runner) -> None:
    image = noise(9, 64, 1024, 2048)
    runner.submit(Request("invert_intensity", (volume(image[:1]),))).result(60)
    tracemalloc.start()
    try:
        result = runner.submit(Request("invert_intensity", (volume(image),))).result(200).main.data
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert int(result[17, 5, 7]) == 255 - int(image[17, 5, 7])
    # the image itself lay there before
    assert peak + image.nbytes <= 2.5 * image.nbytes


def test_a_failing_input_fails_the_run_with_its_own_error(runner) -> None:
    def broken(block, block_id):
        if block_id[0] == 2:
            raise OSError("the disk is gone")
        return block

    lazy = da.zeros((4, 20, 20), chunks=(1, 20, 20), dtype=np.uint8).map_blocks(
        broken, dtype=np.uint8, meta=np.empty((0, 0, 0), np.uint8)
    )
    job = runner.submit(Request("invert_intensity", (volume(lazy),), lazy=False))
    with pytest.raises(OSError, match="the disk is gone"):
        job.result(60)
    assert job.status == "failed"


@pytest.mark.parametrize("lazy", [False, True])
def test_a_job_takes_no_more_questions_than_it_must(runner, traffic, lazy) -> None:
    image = volume(da.from_array(noise(6, 3, 30, 31), chunks=(1, 30, 31)))
    job = runner.submit(Request("invert_intensity", (image,), lazy=lazy))
    job.result(60)
    assert job.wait(60)
    traffic.clear()
    again = runner.submit(Request("invert_intensity", (image,), lazy=lazy))
    result = np.asarray(again.result(60).main.data)
    assert again.wait(60)
    np.testing.assert_array_equal(result, 255 - np.asarray(image.data))
    asked = [(r.method, r.url.path.replace(again.id, "job")) for r in list(traffic.requests)]
    others = [question for question in asked if "/c/" not in question[1]]
    # the news of the job come as the answer, the outputs with the news, and with them what its arrays are like
    assert others == [("POST", "/v1/jobs")]


def test_a_session_takes_up_what_is_registered(runner, traffic) -> None:
    name = runner._link.session._id
    for seed in (7, 8):
        runner.submit(Request("invert_intensity", (volume(noise(seed, 3, 30, 31)),))).result(60)
    runner.close()
    told = [(r.method, r.url.path) for r in list(traffic.requests) if "/v1/sessions" in r.url.path]
    assert told == [("DELETE", f"/v1/sessions/{name}")]


def test_what_is_too_much_for_a_session_is_let_go_with_the_next_heartbeat(runner, traffic) -> None:
    session = runner._link.session
    place = f"/v1/sessions/{session._id}/sources"
    for seed in range(MOST_SOURCES + 3):
        Upload(noise(seed, 2, 3)).register(session.register, Control())
    assert place not in [r.url.path for r in list(traffic.requests)]
    session._wake.set()
    while session._surplus:
        time.sleep(0.01)
    assert [r.url.path for r in list(traffic.requests)].count(place) == 1


def test_what_a_session_does_not_hold_is_told_at_once(runner, traffic) -> None:
    session, connection = runner._link.session, runner._link.connection
    upload = Upload(noise(12, 2, 3))
    upload.register(telling(connection), Control())
    session.hold(upload.registration)
    while session._changed:
        time.sleep(0.01)
    assert [r.url.path for r in list(traffic.requests)].count(f"/v1/sessions/{session._id}/sources") == 1
