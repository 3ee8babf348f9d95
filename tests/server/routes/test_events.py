from __future__ import annotations

import asyncio
import json

import pytest
from tests.server.live import finish, inverted, order, push, register, submit, volume, wait_for

from napari_lightbox.server.limits import SMALL
from napari_lightbox.server.routes.events import lines_of, spoken

CHUNKS = (1, 20, 30)


def parts_of(answer):
    """Yield comments and (event, data) as they come."""
    for block in blocks_of(answer):
        fields = dict(line.split(": ", 1) for line in block.split("\n"))
        yield (fields["event"], json.loads(fields["data"])) if "event" in fields else (":", fields[""])


def blocks_of(answer):
    text = ""
    for piece in answer.iter_text():
        text += piece
        *blocks, text = text.split("\n\n")
        yield from blocks
    assert text == ""


STREAM = {"Accept": "text/event-stream, application/json"}


@pytest.fixture
def waiting(alice, image):
    source, _ = register(alice, image, CHUNKS, lazy=True)
    job = submit(alice, order("invert_intensity", volume(source, image, "zyx")))
    yield source, job
    alice.delete(f"/v1/jobs/{job}")


def test_a_finished_job_tells_its_state_and_ends(alice, image):
    job, _ = inverted(alice, image, CHUNKS, "zyx")
    with alice.stream("GET", f"/v1/jobs/{job}/events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        told = list(parts_of(answer))
    assert [(name, data["status"]) for name, data in told] == [("state", "done")]


def test_the_stream_tells_what_is_wanted_and_ends_with_the_job(alice, image, waiting):
    source, job = waiting
    told = []
    with alice.stream("GET", f"/v1/jobs/{job}/events") as answer:
        for name, data in parts_of(answer):
            told.append((name, data))
            if name == "wanted":
                assert data["source"] == source
                push(alice, source, image, CHUNKS, data["chunks"])
    names = [name for name, _ in told]
    assert names[0] == "state"
    assert "outputs" in names
    assert {n for name, data in told if name == "wanted" for n in data["chunks"]} == {0, 1, 2}
    assert told[-1][1]["status"] == "done"


def test_who_accepts_a_stream_gets_the_news_of_a_new_job_as_the_answer(alice, image):
    source, _ = register(alice, image, CHUNKS, lazy=True)
    body = {"request": order("invert_intensity", volume(source, image, "zyx")), "key": "0123456789abcdef" * 2}
    with alice.stream("POST", "/v1/jobs", json=body, headers=STREAM) as answer:
        assert answer.status_code == 201
        assert answer.headers["content-type"].startswith("text/event-stream")
        job = answer.headers["location"].removeprefix("/v1/jobs/")
        told = parts_of(answer)
        assert next((name, data["id"]) for name, data in told if name != ":") == ("state", job)
    push(alice, source, image, CHUNKS)
    assert finish(alice, job)["status"] == "done"
    with alice.stream("POST", "/v1/jobs", json=body, headers=STREAM) as answer:
        assert answer.headers["location"] == f"/v1/jobs/{job}"
        assert [(name, data["status"]) for name, data in parts_of(answer)] == [("state", "done")]
    unknown = {"request": order("no_such_technique", volume(source, image, "zyx"))}
    refused = alice.post("/v1/jobs", json=unknown, headers=STREAM)
    assert refused.status_code == 404
    assert refused.json()["error"] == "UnknownTechniqueError"


def test_large_orders_and_users_without_a_seat_are_answered_without_a_stream(tmp_path, image):
    from tests.server.live import live_server

    with live_server(tmp_path, {"streams": 1}) as live, live.client() as client:
        source, _ = register(client, image, CHUNKS)
        push(client, source, image, CHUNKS)
        body = {"request": order("invert_intensity", volume(source, image, "zyx"))}
        large = json.dumps(body).replace("{", "{" + " " * SMALL, 1)
        answer = client.post("/v1/jobs", content=large, headers=STREAM | {"Content-Type": "application/json"})
        assert finish(client, answer.json()["job"]["id"])["status"] == "done"
        waiting, _ = register(client, image, CHUNKS, lazy=True)
        later = {"request": order("invert_intensity", volume(waiting, image, "zyx"))}
        with live.client() as other, other.stream("POST", "/v1/jobs", json=later, headers=STREAM) as first:
            told = parts_of(first)
            next(told)
            answer = client.post("/v1/jobs", json=body, headers=STREAM)
            assert finish(client, answer.json()["job"]["id"])["status"] == "done"


def test_a_quiet_stream_gives_signs_of_life(alice, waiting):
    with alice.stream("GET", f"/v1/jobs/{waiting[1]}/events") as answer:
        told = parts_of(answer)
        assert next(data for name, data in told if name == ":") == "alive"


def test_a_cancelled_job_ends_the_stream(live, alice, waiting):
    with alice.stream("GET", f"/v1/jobs/{waiting[1]}/events") as answer, live.client() as other:
        told = []
        for name, data in parts_of(answer):
            if not told:
                other.post(f"/v1/jobs/{waiting[1]}/cancel")
            told.append((name, data))
    assert told[-1][1]["status"] == "cancelled"


def test_a_client_that_goes_away_leaves_nothing_behind(live, alice, waiting):
    crowd = live.server.config.app.state.crowd
    with alice.stream("GET", f"/v1/jobs/{waiting[1]}/events") as answer:
        told = parts_of(answer)
        next(told)
        assert crowd._taken["alice"] == 1
    wait_for(lambda: not crowd._taken)


def test_one_user_cannot_take_all_seats(tmp_path, image):
    from tests.server.live import live_server

    with live_server(tmp_path, {"streams": 1}) as live, live.client() as client, live.client("bob") as bob:
        source, _ = register(client, image, CHUNKS, lazy=True)
        job = submit(client, order("invert_intensity", volume(source, image, "zyx")))
        with live.client() as other, other.stream("GET", f"/v1/jobs/{job}/events") as answer:
            told = parts_of(answer)
            next(told)
            refused = client.get(f"/v1/jobs/{job}/events")
            assert refused.status_code == 429
            assert refused.json()["error"] == "QuotaError"
            assert bob.get("/v1/jobs").status_code == 200


def test_a_server_that_stops_ends_its_streams(tmp_path, image):
    from tests.server.live import live_server

    with live_server(tmp_path) as live, live.client() as client:
        source, _ = register(client, image, CHUNKS, lazy=True)
        job = submit(client, order("invert_intensity", volume(source, image, "zyx")))
        with client.stream("GET", f"/v1/jobs/{job}/events") as answer:
            told = parts_of(answer)
            next(told)
            live.server.stop()
            assert all(name in (":", "wanted", "outputs", "state") for name, _ in told)
    with live_server(tmp_path) as live, live.client() as client:
        push(client, source, image, CHUNKS)
        assert finish(client, job)["status"] == "done"


def test_text_with_line_breaks_stays_in_its_event():
    assert lines_of("state", {"message": "a\n\nevent: wanted\r\n"}).count(b"\n") == 3


def test_an_iterator_that_ends_ends_the_stream():
    async def none():
        return
        yield

    async def read():
        return [piece async for piece in spoken(none(), 10, asyncio.Event())]

    assert asyncio.run(read()) == []
