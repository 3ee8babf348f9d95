from __future__ import annotations

import threading

import numpy as np
import pytest
from tests.server.live import (
    array_id,
    finish,
    inverted,
    layout,
    live_server,
    order,
    pixels,
    push,
    register,
    submit,
    volume,
    wait_for,
)

from napari_lightbox.errors import BusyError, CancelledError, NotFoundError
from napari_lightbox.server.file_part import span_of
from napari_lightbox.wire import ArrayCard, decode_error

CHUNKS = (2, 16, 16)


@pytest.fixture
def result(alice, image):
    return inverted(alice, image, CHUNKS, "zyx")[1]


def test_chunks_are_those_of_the_card(alice, image, result):
    told = alice.get(f"/v1/arrays/{result}/card").json()
    card = ArrayCard.from_json(told["card"])
    assert told["written"] == 8
    found = np.zeros_like(image)
    for index in card.indices:
        found[card.box(index)] = pixels(
            told["card"], alice.get(f"/v1/arrays/{result}/c/{'/'.join(map(str, index))}").content, index
        )
    np.testing.assert_array_equal(found, ~image)


def test_a_zarr_reader_reads_it(alice, image, result, tmp_path):
    import zarr

    names = ["zarr.json", *(f"c/{i}/{j}/{k}" for i, j, k in np.ndindex(2, 2, 2))]
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(alice.get(f"/v1/arrays/{result}/{name}").content)
    np.testing.assert_array_equal(zarr.open_array(tmp_path, mode="r")[...], ~image)


@pytest.mark.parametrize("name", ["zarr.json", "c/0/0/0"])
def test_what_the_client_has_is_not_sent_again(alice, result, name):
    first = alice.get(f"/v1/arrays/{result}/{name}")
    etag = first.headers["etag"]
    assert not etag.startswith("W/")
    for known in (etag, f'"other", {etag}', "*", f"W/{etag}"):
        again = alice.get(f"/v1/arrays/{result}/{name}", headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    assert alice.get(f"/v1/arrays/{result}/{name}", headers={"If-None-Match": '"other"'}).content == first.content


def test_tags_of_chunks_differ(alice, result):
    tags = {alice.head(f"/v1/arrays/{result}/c/0/{i}/{j}").headers["etag"] for i, j in np.ndindex(2, 2)}
    assert len(tags) == 4


def test_head_is_get_without_a_body(alice, result):
    for name in ("zarr.json", "c/0/0/0"):
        get, head = (ask(f"/v1/arrays/{result}/{name}") for ask in (alice.get, alice.head))
        assert head.content == b""
        assert {k: v for k, v in head.headers.items() if k != "date"} == {k: v for k, v in get.headers.items() if k != "date"}


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("bytes=0-9", slice(0, 10)),
        ("bytes=1000-", slice(1000, None)),
        ("bytes=-7", slice(-7, None)),
        ("bytes=3-99999", slice(3, None)),
    ],
)
def test_one_range(alice, result, header, part):
    whole = alice.get(f"/v1/arrays/{result}/c/0/0/0").content
    answer = alice.get(f"/v1/arrays/{result}/c/0/0/0", headers={"Range": header})
    start, stop, _ = part.indices(len(whole))
    assert answer.status_code == 206
    assert answer.content == whole[part]
    assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/{len(whole)}"


@pytest.mark.parametrize("header", ["bytes=0-1,5-6", "items=0-1", "bytes=5-2", "bytes=-", "bytes=a-b", "bytes=0-" + "9" * 40])
def test_what_is_no_single_range_gives_everything(alice, result, header):
    answer = alice.get(f"/v1/arrays/{result}/c/0/0/0", headers={"Range": header})
    assert answer.status_code == 200
    assert len(answer.content) == 1024


@pytest.mark.parametrize("header", ["bytes=1024-", "bytes=5000-6000", "bytes=-0"])
def test_a_range_behind_the_end(alice, result, header):
    answer = alice.get(f"/v1/arrays/{result}/c/0/0/0", headers={"Range": header})
    assert answer.status_code == 416
    assert answer.json()["error"] == "WireError"


def test_a_range_of_what_was_there_before_gives_everything(alice, result):
    etag = alice.head(f"/v1/arrays/{result}/c/0/0/0").headers["etag"]
    for known, status in ((etag, 206), ('"other"', 200)):
        headers = {"Range": "bytes=0-9", "If-Range": known}
        assert alice.get(f"/v1/arrays/{result}/c/0/0/0", headers=headers).status_code == status


def test_ranges_of_nothing():
    assert span_of("bytes=0-0", 1) == (0, 1)
    assert span_of(None, 0) is None


@pytest.mark.parametrize(
    "key",
    ["2/0/0", "0/0", "0/0/0/0", "-1/0/0", "00/0/0", "0/0/%30%2f", "0//0", "0/0/0/", "x", "0/0/٣", "99999999999/0/0", "0/0/1e0"],
)
def test_there_are_no_other_chunks(alice, result, key):
    answer = alice.get(f"/v1/arrays/{result}/c/{key}")
    assert answer.status_code == 404
    assert isinstance(decode_error(answer.json()), NotFoundError)


def test_an_array_without_axes_has_one_chunk(live, alice, result):
    from napari_lightbox.server.routes.arrays import index_of

    array = live.services.results.create("some-job", "number", ArrayCard("<f8", (), ()))
    assert index_of(array, "") == ()
    assert alice.get(f"/v1/arrays/{result}/c").status_code == 404


@pytest.fixture
def waiting(alice, image):
    source, _ = register(alice, image, CHUNKS, lazy=True)
    job = submit(alice, order("invert_intensity", volume(source, image, "zyx")))
    yield source, job, array_id(layout(alice, job))
    alice.delete(f"/v1/jobs/{job}")


def test_a_chunk_is_waited_for_and_comes(live, alice, image, waiting):
    source, _, array = waiting
    answers = []

    def ask():
        with live.client() as client:
            answers.append(client.get(f"/v1/arrays/{array}/c/1/1/1"))

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        wait_for(lambda: live.server.config.app.state.crowd._taken["alice"])
        assert alice.get("/v1/greeting").status_code == 200
    finally:
        push(alice, source, image, CHUNKS)
        thread.join(60)
    (answer,) = answers
    assert answer.status_code == 200
    card = ArrayCard.of(image, CHUNKS)
    np.testing.assert_array_equal(pixels(card.to_json(), answer.content, (1, 1, 1)), ~image[card.box((1, 1, 1))])


def test_a_chunk_that_is_asked_for_is_wished_for(live, alice, waiting, monkeypatch):
    heard = []
    monkeypatch.setattr(live.services.wishes, "ask", lambda array, index: heard.append((array, index)))
    assert alice.get(f"/v1/arrays/{waiting[2]}/c/1/0/1", params={"wait": 0}).status_code == 503
    assert heard == [(waiting[2], (1, 0, 1))]


def test_who_does_not_wait_is_told_to_come_back(alice, waiting):
    answer = alice.get(f"/v1/arrays/{waiting[2]}/c/0/0/0", params={"wait": 0})
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert isinstance(decode_error(answer.json()), BusyError)


@pytest.mark.parametrize("wait", ["-1", "21", "nan", "inf", "soon", "1e9"])
def test_nobody_waits_for_ever(alice, waiting, wait):
    assert alice.get(f"/v1/arrays/{waiting[2]}/c/0/0/0", params={"wait": wait}).status_code == 400


def test_the_error_of_the_job_is_that_of_its_chunks(alice, waiting):
    _, job, array = waiting
    alice.post(f"/v1/jobs/{job}/cancel")
    finish(alice, job)
    answer = alice.get(f"/v1/arrays/{array}/c/0/0/0")
    assert answer.status_code in (404, 410, 422)
    if answer.status_code == 422:
        assert isinstance(decode_error(answer.json()), CancelledError)


def test_waits_do_not_keep_others_from_being_answered(tmp_path, image):
    with live_server(tmp_path, {"wait": 5.0}) as live, live.client() as client:
        source, _ = register(client, image, CHUNKS, lazy=True)
        array = array_id(layout(client, submit(client, order("invert_intensity", volume(source, image, "zyx")))))

        def ask():
            with live.client() as other:
                other.get(f"/v1/arrays/{array}/c/0/0/0")

        threads = [threading.Thread(target=ask) for _ in range(50)]
        for thread in threads:
            thread.start()
        wait_for(lambda: live.server.config.app.state.crowd._taken["alice"] == 50)
        # more waits than the web server has threads, and yet there is one for this
        assert client.get("/v1/jobs").status_code == 200
        push(client, source, image, CHUNKS)
        for thread in threads:
            thread.join(60)
