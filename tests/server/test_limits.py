from __future__ import annotations

import asyncio

import pytest

from napari_lightbox.errors import BusyError, QuotaError, WireError
from napari_lightbox.server.config import Limits
from napari_lightbox.server.crowd import Crowd
from napari_lightbox.server.faults import TooLargeError, TooSlowError
from napari_lightbox.server.limits import Bodies, Body, declared_bytes, is_chunk
from napari_lightbox.server.messages import parse_json


class Clock:
    """Time passes only while somebody waits, as long as each part says."""

    def __init__(self, *waits):
        self.time = 0.0
        self.waits = list(waits)

    def now(self):
        return self.time

    async def within(self, seconds, message):
        wait = self.waits.pop(0) if self.waits else 0.0
        self.time += min(wait, seconds)
        if wait > seconds:
            message.close()
            raise TimeoutError
        return await message


def parts(*pieces):
    messages = [{"type": "http.request", "body": piece, "more_body": i < len(pieces) - 1} for i, piece in enumerate(pieces)]

    async def receive():
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    return receive


def read(body):
    async def all_of_it():
        found = b""
        while True:
            message = await body.receive()
            found += message.get("body", b"")
            if not message.get("more_body", False):
                return found

    return asyncio.run(all_of_it())


LIMITS = Limits(slowest_rate=100.0, grace=10.0)


def test_a_body_within_the_limits_passes():
    assert read(Body(parts(b"ab", b"cd"), 4, LIMITS, Clock())) == b"abcd"


def test_one_byte_more_is_too_much():
    with pytest.raises(TooLargeError):
        read(Body(parts(b"ab", b"cd", b"e"), 4, LIMITS, Clock()))


def test_bytes_buy_time():
    assert len(read(Body(parts(b"x" * 1000, b"x" * 1000, b""), 9999, LIMITS, Clock(9.0, 10.0, 10.0)))) == 2000
    with pytest.raises(TooSlowError):
        read(Body(parts(b"x" * 1000, b"x" * 1000, b""), 9999, LIMITS, Clock(9.0, 11.1)))


def test_a_trickle_does_not_last():
    with pytest.raises(TooSlowError):
        read(Body(parts(*[b"x"] * 100), 9999, LIMITS, Clock(*[1.0] * 100)))


def test_only_waiting_for_the_client_counts():
    clock = Clock(1.0, 1.0)
    body = Body(parts(b"x", b"x"), 9999, LIMITS, clock)

    async def slow_server():
        await body.receive()
        clock.time += 1000.0
        return await body.receive()

    assert asyncio.run(slow_server())["body"] == b"x"


def test_after_the_body_nobody_hurries():
    body = Body(parts(b"x"), 9999, LIMITS, Clock(0.0, 1e9))

    async def wait_for_the_end():
        await body.receive()
        return await body.receive()

    assert asyncio.run(wait_for_the_end())["type"] == "http.disconnect"


def request(length=None, path="/v1/jobs", method="POST", owner="alice"):
    headers = [(b"transfer-encoding", b"chunked")] if length is None else [(b"content-length", b"%d" % length)]
    return {"type": "http", "method": method, "path": path, "headers": headers, "state": {"owner": owner}}


def test_places_are_given_back_whatever_happens():
    async def fail(scope, receive, send):
        raise KeyError

    async def several():
        bodies = Bodies(fail, Limits(bodies=1))
        for _ in range(3):
            with pytest.raises(KeyError):
                await bodies(request(100_000), None, None)
        return bodies._reading, bodies._held

    assert asyncio.run(several()) == ({}, 0)


@pytest.mark.parametrize(
    ("limits", "requests", "refused"),
    [
        ({"bodies": 2}, [request(100_000)] * 3, BusyError),
        ({"bodies": 9, "body_memory": 250_000}, [request(100_000, owner=str(n)) for n in range(3)], BusyError),
        ({"bodies": 2}, [request(100_000), request(100_000), request(100_000, owner="bob")], None),
        ({"bodies": 1}, [request(100), request(100), request(100)], None),
        ({"body_memory": 10}, [request(100_000)], None),
    ],
)
def test_how_many_at_once(limits, requests, refused):
    async def all_at_once():
        done = asyncio.Event()

        async def hold(scope, receive, send):
            await done.wait()

        bodies = Bodies(hold, Limits(**limits))
        tasks = [asyncio.ensure_future(bodies(scope, None, None)) for scope in requests]
        await asyncio.sleep(0)
        failed = [task.exception() for task in tasks if task.done()]
        done.set()
        await asyncio.gather(*tasks, return_exceptions=True)
        return failed

    failed = asyncio.run(all_at_once())
    assert [type(error) for error in failed] == ([] if refused is None else [refused])


def test_chunks_may_be_larger_than_messages():
    async def app(scope, receive, send):
        return None

    bodies = Bodies(app, Limits(body=2000, message=1000))
    asyncio.run(bodies(request(2000, "/v1/sources/s/chunks/0", "PUT"), None, None))
    for scope in (request(2001, "/v1/sources/s/chunks/0", "PUT"), request(1001), request(2000, "/v1/sources/s/chunks/0")):
        with pytest.raises(TooLargeError):
            asyncio.run(bodies(scope, None, None))


def test_what_is_declared():
    assert declared_bytes(request(5)) == 5
    assert declared_bytes(request()) is None
    assert declared_bytes({"headers": []}) == 0
    assert not is_chunk({"method": "PUT", "path": "/v1/sources/a/chunks/1/2"})


def test_seats_are_given_back():
    crowd = Crowd(1)
    with crowd.seat("alice"), crowd.seat("bob"), pytest.raises(QuotaError):
        crowd.check("alice")
    crowd.check("alice")


def test_brackets_in_texts_do_not_count():
    assert parse_json(b'{"a": "[[[[[[\\"[[["}', 2) == {"a": '[[[[[["[[['}
    assert parse_json(b"[[1], [2], [[3]]]", 3) == [[1], [2], [[3]]]
    with pytest.raises(WireError, match="nested"):
        parse_json(b"[[1], [2], [[3]]]", 2)


@pytest.mark.parametrize("text", [b'"' + b"\\" * 99_999, b'"' * 99_999, b'{"a":' * 40 + b"1", b"\xef\xbb\xbf{}", b"", b"nan"])
def test_what_is_no_json(text):
    with pytest.raises(WireError):
        parse_json(text, 32)
