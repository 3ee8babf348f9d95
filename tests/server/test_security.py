"""Hostile requests: each is refused with the right answer, and the server goes on."""

from __future__ import annotations

import logging
import struct
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from tests.server.live import TOKENS, inverted, live_server, order, register, volume
from tests.server.raw import ask, connected, exchange, head, in_pieces

from napari_lightbox import errors
from napari_lightbox.wire import encode_chunk

ALICE, BOB = TOKENS["alice"], TOKENS["bob"]
CHUNK = np.arange(256, dtype=np.uint8).reshape(16, 16)
MESSAGE, BODY = 2**16, 2**18
REFUSED = {400, 401, 404, 405, 408, 411, 413, 414, 415, 416, 421, 422, 426, 429, 431}


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    root = tmp_path_factory.mktemp("root")
    (root / "link").symlink_to("/etc")
    (root / "file-link").symlink_to("/etc/passwd")
    (root / "plain.txt").write_text("no image")
    limits = {"message": MESSAGE, "body": BODY, "attempts": 10**6}
    with live_server(tmp_path_factory.mktemp("server"), limits, roots=(root,), hosts=("data.example.org",)) as live:
        yield live


@pytest.fixture(scope="module")
def names(live):
    """What there is to attack: a source, a job and a result of alice, and a job and a result of bob."""
    image = np.arange(600, dtype=np.uint16).reshape(20, 30)
    with live.client("alice") as alice, live.client("bob") as bob:
        source, _ = register(alice, CHUNK, CHUNK.shape)
        job, array = inverted(alice, image, (16, 16), "yx")
        other_job, other_array = inverted(bob, image + 1, (16, 16), "yx")
        other_source, _ = register(bob, CHUNK + 1, CHUNK.shape)
    return {
        "SOURCE": source,
        "JOB": job,
        "ARRAY": array,
        "OTHER-JOB": other_job,
        "OTHER-ARRAY": other_array,
        "OTHER": other_source,
    }


@dataclass(frozen=True)
class Hostile:
    """One request and how it must be refused."""

    status: int | set[int]
    method: str = "GET"
    path: str = "/v1/jobs"
    body: Any = b""
    headers: tuple[tuple[str, str | bytes], ...] = ()
    token: str | None = ALICE
    host: str | None = ""
    typed: bool = True


def get(path: str, status: int = 404) -> Hostile:
    return Hostile(status, path=path)


def post(status: int | set[int], path: str, body: Any, *headers: tuple[str, str]) -> Hostile:
    return Hostile(status, "POST", path, body, headers)


def refer(location: str, status: int | set[int] = 401) -> Hostile:
    return post(status, "/v1/references", {"location": location})


def put(body: bytes, status: int = 400, n: str = "0") -> Hostile:
    return Hostile(status, "PUT", f"/v1/sources/SOURCE/chunks/{n}", body, (("Content-Type", "application/octet-stream"),))


def put_bunch(*chunks: tuple[int, bytes], end: bytes = b"", status: int = 400) -> Hostile:
    body = b"".join(struct.pack("<QQ", n, len(chunk)) + chunk for n, chunk in chunks) + end
    return Hostile(status, "PUT", "/v1/sources/SOURCE/chunks", body, (("Content-Type", "application/octet-stream"),))


def job(status: int, **change: Any) -> Hostile:
    value = volume("SOURCE", CHUNK, "yx")
    return post(status, "/v1/jobs", {"request": order("invert_intensity", value) | change})


def frame(
    dtype: bytes = b"|u1", shape=(16, 16), payload: bytes = CHUNK.tobytes(), size: int | None = None, **head_of: Any
) -> bytes:
    """A chunk whose head says what it likes."""
    magic, protocol, codec = (head_of.get(k, v) for k, v in (("magic", b"LBXC"), ("protocol", 1), ("codec", 0)))
    start = struct.pack("<4sBBBB", magic, protocol, codec, len(shape), len(dtype)) + dtype
    return start + struct.pack(f"<{len(shape)}QQ", *shape, len(payload) if size is None else size) + payload


def bearer(value: str | bytes) -> Hostile:
    return Hostile(401, headers=(("Authorization", value),), token=None)


HOSTILE = {
    # paths that climb
    "plain dots": get("/v1/jobs/../../../etc/passwd"),
    "encoded slashes": get("/v1/jobs/..%2f..%2f..%2fetc%2fpasswd"),
    "encoded dots": get("/v1/jobs/%2e%2e/%2e%2e/etc/passwd"),
    "twice encoded": get("/v1/jobs/%252e%252e%252fetc"),
    "overlong dots": get("/v1/jobs/%c0%ae%c0%ae%c0%af"),
    "backslashes": get("/v1/jobs/..%5c..%5cwindows"),
    "nul": get("/v1/jobs/JOB%00.json"),
    "page file": get("/web/../config.py"),
    "page file encoded": get("/web/..%2fconfig.py"),
    "page folder": get("/web/"),
    "page absolute": get("/web//etc/passwd"),
    "array id": get("/v1/arrays/..%2f..%2fjobs/zarr.json"),
    "array about": get("/v1/arrays/ARRAY/about.json"),
    "array climb": get("/v1/arrays/ARRAY/c/..%2fabout.json"),
    "array climb plain": get("/v1/arrays/ARRAY/c/0/../../about.json"),
    "array absolute": get("/v1/arrays/ARRAY/c//etc/passwd"),
    "array negative": get("/v1/arrays/ARRAY/c/-1/0"),
    "array huge": get("/v1/arrays/ARRAY/c/" + "9" * 400 + "/0"),
    "array digits of another script": get("/v1/arrays/ARRAY/c/%D9%A0/0"),
    "source id": get("/v1/sources/..%2fobjects"),
    "session id": Hostile(404, "DELETE", "/v1/sessions/..%2f..%2f"),
    "technique id": get("/v1/techniques/os.system%28%29"),
    "picture of a path": get("/v1/jobs/JOB/picture.png?output=../../etc/passwd"),
    "very long path": Hostile({400, 404, 414}, path="/v1/jobs/" + "a" * 20_000, typed=False),
    "line break in the path": get("/v1/jobs/x%0d%0aSet-Cookie:%20a=b"),
    # references to what is none of theirs
    "file outside": refer("/etc/passwd"),
    "climbing file": refer("../../etc/passwd"),
    "linked folder": refer("link/passwd"),
    "linked file": refer("file-link"),
    "no image": refer("plain.txt", 422),
    "nul in a path": refer("plain.txt\0.nii"),
    "file address": refer("file:///etc/passwd"),
    "ftp": refer("ftp://data.example.org/a.zarr"),
    "metadata service": refer("http://169.254.169.254/latest/meta-data"),
    "this machine": refer("http://127.0.0.1:22/a.zarr"),
    "this machine by number": refer("http://2130706433/a.zarr"),
    "this machine by six": refer("http://[::1]/a.zarr"),
    "user in the address": refer("http://data.example.org@127.0.0.1/a.zarr"),
    "host by suffix": refer("https://data.example.org.evil.example/a.zarr"),
    "network share": refer("\\\\evil\\share\\a.nii"),
    "empty location": refer("", 400),
    "endless location": refer("a" * 5000, 400),
    # too much
    "declared too large": Hostile(413, "POST", headers=(("Content-Length", str(MESSAGE + 1)),)),
    "declared absurd": Hostile(413, "PUT", "/v1/sources/SOURCE/chunks/0", headers=(("Content-Length", "9" * 18),)),
    "chunked too large": Hostile(413, "POST", "/v1/jobs", in_pieces(*[b" " * 40_000] * 3), (("Transfer-Encoding", "chunked"),)),
    "chunked chunk too large": Hostile(
        413, "PUT", "/v1/sources/SOURCE/chunks/0", in_pieces(*[bytes(100_000)] * 4), (("Transfer-Encoding", "chunked"),)
    ),
    "large without a token": Hostile(401, "POST", body=bytes(MESSAGE), token=None),
    # lying frames
    "empty chunk": put(b"\0"),
    "cut frame": put(frame()[:-1]),
    "long frame": put(frame() + b"\0"),
    "only a head": put(frame()[:12]),
    "wrong magic": put(frame(magic=b"PK\3\4")),
    "wrong protocol": put(frame(protocol=9)),
    "unknown codec": put(frame(codec=7)),
    "pickled objects": put(frame(dtype=b"|O")),
    "another type": put(frame(dtype=b"<u2")),
    "another shape": put(frame(shape=(256,))),
    "shape that overflows": put(frame(shape=(2**63, 2**63))),
    "size that lies": put(frame(size=2**40)),
    "bomb": put(frame(codec=1, payload=zlib.compress(bytes(2**18), 9))),
    "broken zlib": put(frame(codec=1, payload=b"x" * 50)),
    "other values": put(encode_chunk(CHUNK[::-1])),
    "chunk outside": put(encode_chunk(CHUNK), n="1"),
    "negative chunk": put(encode_chunk(CHUNK), 404, n="-1"),
    "bunch cut short": put_bunch(end=b"\0" * 7),
    "bunch with a length that lies": put_bunch(end=struct.pack("<QQ", 0, 2**63)),
    "bunch with a chunk outside": put_bunch((1, encode_chunk(CHUNK))),
    "bunch with a number without end": put_bunch((2**64 - 1, encode_chunk(CHUNK))),
    "bunch with other values": put_bunch((0, encode_chunk(CHUNK[::-1]))),
    "bunch of too many": put_bunch(*[(0, b"")] * 33),
    "bunch with a bomb": put_bunch((0, frame(codec=1, payload=zlib.compress(bytes(2**18), 9)))),
    "bunch declared absurd": Hostile(413, "PUT", "/v1/sources/SOURCE/chunks", headers=(("Content-Length", "9" * 18),)),
    "chunked bunch too large": Hostile(
        413, "PUT", "/v1/sources/SOURCE/chunks", in_pieces(*[bytes(100_000)] * 12), (("Transfer-Encoding", "chunked"),)
    ),
    # tokens
    "no token": Hostile(401, token=None),
    "wrong token": Hostile(401, token="wrong-token-0123456789abcdefgh"),
    "short token": Hostile(401, token=ALICE[:-1]),
    "longer token": Hostile(401, token=ALICE + "x"),
    "endless token": Hostile(401, token="x" * 20_000),
    "other case": Hostile(401, token=ALICE.upper()),
    "unicode token": bearer("Bearer tökèn-0123456789abcdefgh"),
    "bytes as token": bearer(b"Bearer \xff\xfe\xfd"),
    "quoted token": bearer(f'Bearer "{ALICE}"'),
    "empty token": bearer("Bearer "),
    "no scheme": bearer(ALICE),
    "another scheme": bearer(f"Basic {ALICE}"),
    "two tokens": Hostile(401, headers=(("Authorization", f"Bearer {ALICE}"),)),
    "token in the query": Hostile(401, path=f"/v1/jobs?token={ALICE}&access_token={ALICE}", token=None),
    "token as a cookie": Hostile(401, headers=(("Cookie", f"token={ALICE}"),), token=None),
    "token in the path": get(f"/v1/jobs/{ALICE}"),
    "token as a technique": get(f"/v1/techniques/{ALICE}"),
    "token of bob as a technique": job(404, technique=BOB),
    "token as a parameter": job(422, parameters={ALICE: 1}),
    "token as a location": refer(f"/{ALICE}"),
    "token as a key": post(400, "/v1/jobs", {"key": ALICE, "request": {}}),
    # hosts and methods
    "another host": Hostile(421, host="evil.example"),
    "host by prefix": Hostile(421, host="127.0.0.1.evil.example"),
    "host with a user": Hostile(421, host="127.0.0.1@evil.example"),
    "host without end": Hostile(421, host="[::1"),
    "host with two ports": Hostile(421, host="localhost:80:80"),
    "no host": Hostile(400, host=None, typed=False),
    "two hosts": Hostile({400, 421}, headers=(("Host", "localhost"),), typed=False),
    "trace": Hostile(405, "TRACE"),
    "options": Hostile(405, "OPTIONS", headers=(("Origin", "http://evil.example"), ("Access-Control-Request-Method", "POST"))),
    "invented method": Hostile(405, "LIGHT"),
    "proxy": Hostile({400, 404, 405}, "CONNECT", "evil.example:443", typed=False),
    "whole address": Hostile({400, 404}, path="http://evil.example/v1/jobs", typed=False),
    "small letters": Hostile({400, 405}, "get", typed=False),
    # headers
    "many headers": Hostile(431, headers=tuple((f"X-{n}", "1") for n in range(200))),
    "huge header": Hostile({400, 431}, headers=(("X", "x" * 100_000),), typed=False),
    "negative length": Hostile(400, "POST", headers=(("Content-Length", "-1"),), typed=False),
    "two lengths": Hostile(400, "POST", headers=(("Content-Length", "1"), ("Content-Length", "2")), typed=False),
    "length in words": Hostile(400, "POST", headers=(("Content-Length", "ten"),), typed=False),
    "unknown coding": Hostile(400, "POST", headers=(("Transfer-Encoding", "gzip"),), typed=False),
    "nul in a header": Hostile(400, headers=(("X", b"a\0b"),), typed=False),
    "bare line break": Hostile({400, 401}, headers=(("X", b"a\nAuthorization: Bearer b"),), typed=False),
    "broken chunked": Hostile(400, "POST", "/v1/jobs", b"zz\r\n", (("Transfer-Encoding", "chunked"),), typed=False),
    # JSON
    "deep": post(400, "/v1/jobs", b"[" * 30_000),
    "deep objects": post(400, "/v1/jobs", b'{"a":' * 10_000 + b"1" + b"}" * 10_000),
    "NaN": post(400, "/v1/jobs", b'{"request": {"technique": "x", "inputs": [NaN], "parameters": {}}}'),
    "infinity": post(400, "/v1/jobs", b'{"priority": Infinity}'),
    "overflowing number": post(400, "/v1/jobs", b'{"priority": 1e999}'),
    "endless number": post(400, "/v1/jobs", b'{"priority": ' + b"9" * 5000 + b"}"),
    "named twice": post(400, "/v1/jobs", b'{"priority": 1, "priority": 2}'),
    "no UTF-8": post(400, "/v1/jobs", b'{"key": "\xff"}'),
    "UTF-16": post(400, "/v1/jobs", '{"key": "a"}'.encode("utf-16")),
    "cut JSON": post(400, "/v1/jobs", b'{"request": {'),
    "no JSON": post(400, "/v1/jobs", b"<xml/>"),
    "a list": post(400, "/v1/jobs", b"[]"),
    "a text": post(400, "/v1/jobs", b'"job"'),
    "a form": post(400, "/v1/jobs", b"technique=x", ("Content-Type", "application/x-www-form-urlencoded")),
    "JSON as plain text": post(400, "/v1/jobs", b"{}", ("Content-Type", "text/plain")),
    "negative lengths": post(400, "/v1/sources", {"card": {"dtype": "<u2", "shape": [-1], "chunks": [1]}, "hashes": None}),
    "object type": post(400, "/v1/sources", {"card": {"dtype": "|O", "shape": [1], "chunks": [1]}, "hashes": None}),
    "too many chunks": post(400, "/v1/sources", {"card": {"dtype": "|u1", "shape": [10**9], "chunks": [1]}, "hashes": None}),
    "chunks outside": post(400, "/v1/sources/SOURCE/known", {"chunks": [[-1, "0f" * 16]]}),
    "hash that climbs": post(400, "/v1/sources/SOURCE/known", {"chunks": [[0, "../../../../etc/passwd"]]}),
    # what belongs to others
    "job of another": get("/v1/jobs/OTHER-JOB"),
    "cancel of another": Hostile(404, "POST", "/v1/jobs/OTHER-JOB/cancel"),
    "delete of another": Hostile(404, "DELETE", "/v1/jobs/OTHER-JOB"),
    "events of another": get("/v1/jobs/OTHER-JOB/events"),
    "array of another": get("/v1/arrays/OTHER-ARRAY/c/0/0"),
    "source of another": get("/v1/sources/OTHER"),
    "source of another in a job": job(404, inputs=[volume("OTHER", CHUNK, "yx")]),
    "array of another in a job": job(404, inputs=[{"kind": "array", "data": "array:OTHER-ARRAY"}]),
    "source of another in a column": job(
        404, inputs=[{"kind": "table", "columns": {"name": "source:OTHER", "kind": "source:SOURCE"}, "units": {}}]
    ),
    "source of another as a mask": job(404, mask=volume("OTHER", CHUNK, "yx")),
    # orders
    "path in place of an array": job(400, inputs=[{"kind": "array", "data": "file:/etc/passwd"}]),
    "model by its path": job(401, technique="unet_segmentation", inputs=[volume("SOURCE", CHUNK, "yx"), "/etc"]),
    "model that climbs": job(401, technique="unet_segmentation", inputs=[volume("SOURCE", CHUNK, "yx"), "../../etc"]),
    "line break in a technique": job(400, technique="x\n{\"event\": \"submitted\"}"),
    "line break in a key": post(400, "/v1/jobs", {"key": "x\r\ny", "request": order("invert_intensity")}),
    "code as a parameter": job(422, parameters={"__class__": "x"}),
    "unknown kind": job(400, inputs=[{"kind": "eval", "data": "1+1"}]),
    "negative region": post(400, "/v1/jobs/JOB/first", {"region": [[-5, -1], [0, 1]]}),
}  # fmt: skip


def named(value: Any, names: dict[str, str]) -> Any:
    """Put the real ids in place of their names."""
    if isinstance(value, str):
        for name in sorted(names, key=len, reverse=True):
            value = value.replace(f":{name}", f":{names[name]}").replace(f"/{name}", f"/{names[name]}")
        return value
    if isinstance(value, dict):
        return {key: named(item, names) for key, item in value.items()}
    return [named(item, names) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
def test_it_is_refused_and_the_server_goes_on(live, names, caplog, hostile):
    caplog.set_level(logging.DEBUG)
    answer = ask(
        live,
        hostile.method,
        named(hostile.path, names),
        named(hostile.body, names),
        hostile.headers,
        token=hostile.token,
        host=hostile.host,
    )
    assert answer.status in (hostile.status if isinstance(hostile.status, set) else {hostile.status}), answer
    assert answer.status in REFUSED
    if hostile.typed and answer.body:
        assert set(answer.error) == {"error", "subject", "reason", "way_out"}
        assert issubclass(getattr(errors, answer.error["error"]), errors.LightboxError)
    shown = (answer.raw, caplog.text.encode(), (live.config.folder / "audit.log").read_bytes())
    for token in TOKENS.values():
        assert not any(token.encode() in text for text in shown)
    assert b"root:" not in answer.raw
    assert "Traceback" not in caplog.text
    assert ask(live, "GET", "/v1/greeting", token=None).status == 200


def test_there_are_enough_of_them():
    assert len(HOSTILE) >= 60


def test_nothing_of_it_was_done(live, names):
    with live.client("alice") as alice, live.client("bob") as bob:
        assert alice.get(f"/v1/jobs/{names['JOB']}").json()["status"] == "done"
        assert bob.get(f"/v1/jobs/{names['OTHER-JOB']}").json()["status"] == "done"
        assert alice.get(f"/v1/sources/{names['SOURCE']}").json()["present"] == 0
        assert {card["technique"] for card in alice.get("/v1/jobs").json()["jobs"]} == {"invert_intensity"}
        assert alice.put(f"/v1/sources/{names['SOURCE']}/chunks/0", content=encode_chunk(CHUNK)).status_code == 204


def test_refusals_are_written_down_one_line_each(live, names):
    ask(live, "GET", "/v1/jobs/a%0a%7b%22event%22:%22submitted%22%7d")
    last = live.audit()[-1]
    assert (last["event"], last["owner"], last["address"], last["status"]) == ("refused", "alice", "127.0.0.1", 404)
    assert last["path"] == '/v1/jobs/a\n{"event":"submitted"}'


def test_a_refused_body_leaves_the_answer_readable(live):
    with connected(live) as connection:
        connection.sendall(head(live, "PUT", "/v1/sources/x/chunks/0", [("Content-Length", "200000")], token=None))
        for _ in range(4):
            connection.sendall(bytes(50_000))
        raw = b""
        while piece := connection.recv(65536):
            raw += piece
    assert raw.startswith(b"HTTP/1.1 401")
    assert b"connection: close" in raw.lower()


def test_two_requests_on_one_connection_are_two(live):
    first = head(live, "GET", "/v1/jobs/none").replace(b"Connection: close\r\n", b"")
    second = head(live, "GET", "/v1/greeting", token=None)
    with connected(live) as connection:
        connection.sendall(first + second)
        raw = b""
        while piece := connection.recv(65536):
            raw += piece
    assert raw.count(b"HTTP/1.1 ") == 2
    assert raw.startswith(b"HTTP/1.1 404")
    assert b"HTTP/1.1 200" in raw


def test_guessing_makes_an_address_wait_but_not_who_was_there(tmp_path):
    with live_server(tmp_path, {"attempts": 3, "attempt_seconds": 3600.0}) as live:
        assert ask(live, "GET", "/v1/jobs").status == 200
        guesses = [ask(live, "GET", "/v1/jobs", token=f"guess-{n}-0123456789abcdef") for n in range(5)]
        assert [answer.status for answer in guesses] == [401, 401, 401, 429, 429]
        assert int(guesses[-1].headers["retry-after"]) > 0
        assert ask(live, "GET", "/v1/jobs", token=BOB).status == 429
        assert ask(live, "GET", "/v1/jobs").status == 200
        assert ask(live, "GET", "/v1/greeting", token=None).status == 200


class SlowClock:
    """Every part of a body takes ten seconds."""

    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time

    async def within(self, seconds, message):
        self.time += 10.0
        if seconds < 10.0:
            message.close()
            raise TimeoutError
        return await message


@pytest.mark.parametrize("declared", [True, False])
def test_a_body_that_trickles_is_given_up(tmp_path, declared):
    body = b" " * 1000
    headers = [("Content-Type", "application/json")]
    headers.append(("Content-Length", "1000") if declared else ("Transfer-Encoding", "chunked"))
    with live_server(tmp_path, {"grace": 9.0, "slowest_rate": 1000.0}, clock=SlowClock()) as live:
        answer = exchange(live, head(live, "POST", "/v1/jobs", headers) + (body if declared else in_pieces(body)))
        assert answer.status == 408
        assert answer.error["error"] == "WireError"
        assert ask(live, "GET", "/v1/jobs").status == 200


def test_a_head_that_does_not_come_in_is_given_up(tmp_path):
    with live_server(tmp_path, {"head_seconds": 0.1}) as live:
        for part in (b"", b"GET / HTT", head(live, "GET", "/v1/jobs")[:-2]):
            with connected(live) as connection:
                connection.sendall(part)
                assert connection.recv(100) == b""
        assert ask(live, "GET", "/v1/jobs").status == 200


def test_the_head_of_a_second_request_is_given_up_too(tmp_path):
    with live_server(tmp_path, {"head_seconds": 0.1}) as live, connected(live) as connection:
        connection.sendall(head(live, "GET", "/v1/greeting").replace(b"Connection: close\r\n", b""))
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        connection.sendall(b"GET /v1/greet")
        raw = b""
        while piece := connection.recv(65536):
            raw += piece
        assert b"HTTP/1.1" not in raw


def test_one_user_cannot_send_everything_at_once(tmp_path):
    declared = [("Content-Length", "100000"), ("Content-Type", "application/json")]
    with live_server(tmp_path, {"bodies": 2}) as live:
        held = [connected(live) for _ in range(2)]
        connections = [c.__enter__() for c in held]
        try:
            for connection in connections:
                connection.sendall(head(live, "POST", "/v1/jobs", [*declared, ("Expect", "100-continue")]))
                assert b"100 Continue" in connection.recv(1000)
            busy = ask(live, "POST", "/v1/jobs", b" " * 100_000)
            assert (busy.status, busy.headers["retry-after"]) == (503, "1")
            assert ask(live, "POST", "/v1/jobs", b" " * 100_000, token=BOB).status == 400
            assert ask(live, "POST", "/v1/jobs", b" " * 1000).status == 400
        finally:
            for c in held:
                c.__exit__(None, None, None)
        assert ask(live, "GET", "/v1/jobs").status == 200
