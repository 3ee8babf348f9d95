"""A server that lies gets a typed error, soon and without filling the memory."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest
from tests.client.hostile import CARD, GEOMETRY, VOLUME, Hostile, say, say_bytes, say_error, say_events, say_for_ever
from tests.client.serving import TOKEN

import napari_lightbox as lb
from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.engine.request import Request
from napari_lightbox.errors import (
    AccessError,
    BusyError,
    ConnectionLostError,
    LightboxError,
    ServerError,
    SpaceError,
    VersionError,
    WireError,
)

RUNNING = CARD | {"status": "running", "fraction": 0.5}


@pytest.fixture
def hostile():
    hostile = Hostile()
    yield hostile
    hostile.close()


def run(hostile: Hostile, lazy: bool = False) -> np.ndarray:
    image = Volume(np.zeros((4, 6), np.uint8), Geometry.of("yx", (4, 6)))
    with lb.connect(hostile.url, TOKEN, patience=0.5) as runner:
        main = runner.submit(Request("invert_intensity", (image,)), lazy=lazy).result(30).main
        return np.asarray(main.data)


def outputs(**changes):
    return say({"outputs": {"result": VOLUME}, "provenance": {}, "complete": True, "preview": False} | changes)


def geometry(**changes):
    return VOLUME | {"geometry": GEOMETRY | changes}


def card(**changes):
    return say({"card": {"dtype": "|u1", "shape": [4, 6], "chunks": [4, 6]} | changes, "written": 1})


def state(**changes):
    return say_events(("state", CARD | changes))


def told(outputs):
    return say_events(("outputs", outputs), ("state", CARD))


def begun(events, **headers):
    return say_bytes(events, 201, Content_Type="text/event-stream", **(headers or {"Location": "/v1/jobs/j1"}))


def with_cards(cards):
    return told({"outputs": {"result": VOLUME}, "provenance": {}, "cards": cards})


def test_an_honest_one_is_believed(hostile) -> None:
    for lazy in (False, True):
        np.testing.assert_array_equal(run(hostile, lazy), np.zeros((4, 6), np.uint8))


@pytest.mark.parametrize(
    "told", [b"", b"event: state\nda", f"event: state\ndata: {json.dumps(CARD | {'status': 'running'})}\n\n".encode()]
)
def test_news_that_break_off_are_asked_for_again(hostile, told) -> None:
    hostile.answers["POST /v1/jobs"] = begun(told)
    np.testing.assert_array_equal(run(hostile), np.zeros((4, 6), np.uint8))
    names = [name for name, _ in hostile.seen]
    assert names.count("POST /v1/jobs") == names.count("GET /v1/jobs/j1/events") == 1


def test_a_job_whose_news_are_the_answer_needs_no_other_question_for_them(hostile) -> None:
    hostile.answers["POST /v1/jobs"] = begun(f"event: state\ndata: {json.dumps(CARD)}\n\n".encode())
    np.testing.assert_array_equal(run(hostile), np.zeros((4, 6), np.uint8))
    assert "GET /v1/jobs/j1/events" not in [name for name, _ in hostile.seen]


@pytest.mark.parametrize(
    ("question", "lie", "kind"),
    [
        ("GET /v1/greeting", say({"version": "9.0", "protocol": 99}), VersionError),
        ("GET /v1/greeting", say({"version": "0.0.1", "protocol": 0}), VersionError),
        ("GET /v1/greeting", say({"hello": 1}), VersionError),
        ("GET /v1/greeting", say_bytes(b"<html>welcome to my printer</html>"), ServerError),
        ("GET /v1/greeting", say_bytes(b"nothing here", 404), ServerError),
        ("GET /v1/greeting", say_bytes(b"[" * 100_000), ServerError),
        ("GET /v1/greeting", say_bytes(gzip.compress(b"{}"), Content_Encoding="gzip"), WireError),
        ("POST /v1/sessions", say({"id": "../../etc"}), WireError),
        ("POST /v1/sessions", say([]), WireError),
        ("POST /v1/sessions", say_error("AccessError", 401), AccessError),
        ("POST /v1/sources", say({"id": "i1", "missing": [7]}), WireError),
        ("POST /v1/sources", say({"id": "i1", "missing": [True]}), WireError),
        ("POST /v1/sources", say({"id": "a/b", "missing": []}), WireError),
        ("POST /v1/sources", say_error("SpaceError", 507), SpaceError),
        ("POST /v1/jobs", say({"job": {**CARD, "id": "?x=1"}}), WireError),
        ("POST /v1/jobs", say({"job": {**CARD, "status": "sleeping"}}), WireError),
        ("POST /v1/jobs", say({"job": None}), WireError),
        ("POST /v1/jobs", begun(b"", Location="/v1/jobs/../x"), WireError),
        ("POST /v1/jobs", begun(b"", Location="https://elsewhere.example/v1/jobs/j1"), WireError),
        ("POST /v1/jobs", begun(b"", Server="x"), WireError),
        ("POST /v1/jobs", begun(b"data: nonsense\n\n"), ServerError),
        ("POST /v1/jobs", begun(b"event: state\ndata: 7\n\n"), WireError),
        ("POST /v1/jobs", say_for_ever(b"x" * 2**20, "text/event-stream", Location="/v1/jobs/j1"), WireError),
        ("POST /v1/jobs", say({"error": ["x"], "subject": 1}, 422), ServerError),
        ("GET /v1/jobs/j1/events", say_bytes(b"data: nonsense\n\n"), ServerError),
        ("GET /v1/jobs/j1/events", say_bytes(b"event: state\ndata: 7\n\n"), WireError),
        ("GET /v1/jobs/j1/events", say_for_ever(b"x" * 2**20, "text/event-stream"), WireError),
        ("GET /v1/jobs/j1/events", say_bytes(b""), ConnectionLostError),
        ("GET /v1/jobs/j1/events", state(status="failed"), ServerError),
        ("GET /v1/jobs/j1/events", say_events(("wanted", {"source": "i1", "chunks": [10**9]}), ("state", CARD)), WireError),
        ("GET /v1/jobs/j1/events", say_events(("wanted", {"source": "i1", "chunks": "all"}), ("state", CARD)), WireError),
        ("GET /v1/jobs/j1/events", told([1]), WireError),
        ("GET /v1/jobs/j1/events", told({"outputs": {}}), WireError),
        ("GET /v1/jobs/j1/events", told({"outputs": {"result": VOLUME | {"data": "array:../a1"}}}), WireError),
        ("GET /v1/jobs/j1/events", with_cards([1]), WireError),
        ("GET /v1/jobs/j1/events", with_cards({"a1": {"dtype": "|O"}}), WireError),
        ("GET /v1/jobs/j1/outputs", outputs(outputs={}), WireError),
        ("GET /v1/jobs/j1/outputs", outputs(outputs=[1]), WireError),
        ("GET /v1/jobs/j1/outputs", outputs(provenance=None), WireError),
        ("GET /v1/jobs/j1/outputs", outputs(outputs={"result": {"kind": "exec", "data": "x"}}), WireError),
        ("GET /v1/jobs/j1/outputs", outputs(outputs={"result": {"kind": "volume"}}), WireError),
        ("GET /v1/jobs/j1/outputs", outputs(outputs={"result": VOLUME | {"data": "source:a1"}}), WireError),
        ("GET /v1/jobs/j1/outputs", outputs(outputs={"result": VOLUME | {"data": "array:../a1"}}), WireError),
        ("GET /v1/jobs/j1/outputs", outputs(outputs={"result": geometry(shape=[6, 4])}), LightboxError),
        ("GET /v1/jobs/j1/outputs", outputs(outputs={"result": geometry(affine="x")}), LightboxError),
        ("GET /v1/jobs/j1/outputs", outputs(outputs={"result": json.loads("[" * 50 + "]" * 50)}), LightboxError),
        ("GET /v1/jobs/j1/outputs", say_error("BusyError", 409), BusyError),
        ("GET /v1/arrays/a1/card", card(dtype="|O"), WireError),
        ("GET /v1/arrays/a1/card", card(shape=[4, 2**50]), WireError),
        ("GET /v1/arrays/a1/card", card(chunks=[2**20, 2**20]), WireError),
        ("GET /v1/arrays/a1/card", card(shape=[5, 6]), LightboxError),
        ("GET /v1/arrays/a1/card", say({"written": 1}), WireError),
        ("GET /v1/arrays/a1/c/0/0", say_bytes(bytes(23)), WireError),
        ("GET /v1/arrays/a1/c/0/0", say_bytes(bytes(25)), WireError),
        ("GET /v1/arrays/a1/c/0/0", say_bytes(b""), WireError),
        ("GET /v1/arrays/a1/c/0/0", say_for_ever(bytes(2**16)), WireError),
        ("GET /v1/arrays/a1/c/0/0", say_bytes(bytes(10), length=24), ConnectionLostError),
        ("GET /v1/arrays/a1/c/0/0", say_bytes(bytes(24), Content_Encoding="br"), WireError),
        ("GET /v1/arrays/a1/c/0/0", say_error("BusyError", 503, Retry_After="0"), BusyError),
        ("GET /v1/arrays/a1/c/0/0", say_bytes(b"", 503, Retry_After="nan"), ServerError),
    ],
)  # fmt: skip
def test_lies(hostile, question, lie, kind) -> None:
    hostile.answers[question] = lie
    for lazy in (False, True):
        with pytest.raises(kind) as caught:
            run(hostile, lazy)
        assert caught.value.way_out
        assert TOKEN not in str(caught.value)


@pytest.mark.parametrize("older", [None, "many", -3, 1.5, True])
def test_a_number_of_older_jobs_that_is_none(hostile, older) -> None:
    hostile.answers["GET /v1/jobs"] = say({"jobs": [CARD], "older": older})
    with lb.connect(hostile.url, TOKEN, patience=0.5) as runner:
        listed = runner.newest_jobs(1)
    assert ([card.id for card in listed.cards], listed.older) == ([CARD["id"]], 0)


def test_nobody_is_followed_elsewhere(hostile) -> None:
    other = Hostile()
    try:
        for question in ("GET /v1/greeting", "POST /v1/jobs", "GET /v1/arrays/a1/c/0/0"):
            honest = hostile.answers[question]
            hostile.answers[question] = say_bytes(b"", 307, Location=other.url + "/v1/greeting")
            with pytest.raises(ServerError, match="307"):
                run(hostile)
            hostile.answers[question] = honest
        assert other.seen == []
    finally:
        other.close()


def test_every_question_shows_the_token_in_the_header_alone(hostile) -> None:
    run(hostile)
    assert {header for _, header in hostile.seen} == {f"Bearer {TOKEN}"}
    assert not any(TOKEN in name for name, _ in hostile.seen)


def test_a_chunk_that_is_refused_ends_the_run_though_the_server_says_nothing_more(hostile) -> None:
    hostile.answers["PUT /v1/sources/i1/chunks/0"] = say_bytes(b"no", 500)
    hostile.answers["GET /v1/jobs/j1/events"] = say_for_ever(b": still there\n\n", "text/event-stream")
    with pytest.raises(ServerError, match="500"):
        run(hostile)
    assert "POST /v1/jobs/j1/cancel" in [name for name, _ in hostile.seen]
