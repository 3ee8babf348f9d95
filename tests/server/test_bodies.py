"""Bodies are handed on as they come in: whole and in order, however they are cut, and nothing more than them."""

from __future__ import annotations

import random

import numpy as np
import pytest
from tests.server.live import register
from tests.server.raw import connected, head

from napari_lightbox.wire import encode_chunk

CHUNK = np.random.default_rng(7).integers(0, 60000, (300, 1000), dtype=np.uint16)


def source_of(live) -> str:
    with live.client("alice") as client:
        return register(client, CHUNK, CHUNK.shape, lazy=True)[0]


def read_all(connection) -> bytes:
    raw = b""
    while piece := connection.recv(65536):
        raw += piece
    return raw


@pytest.mark.parametrize("seed", range(8))
def test_a_body_in_any_pieces_is_the_body(live, seed) -> None:
    rng, source, body = random.Random(seed), source_of(live), encode_chunk(CHUNK)
    request = head(live, "PUT", f"/v1/sources/{source}/chunks/0", [("Content-Length", str(len(body)))])
    cuts = sorted(rng.sample(range(len(request) + len(body)), 12))
    whole = request + body
    with connected(live) as connection:
        for start, stop in zip([0, *cuts], [*cuts, len(whole)], strict=True):
            connection.sendall(whole[start:stop])
        assert read_all(connection).startswith(b"HTTP/1.1 204")
    np.testing.assert_array_equal(np.asarray(live.services.sources.array(source)), CHUNK)


def test_what_follows_a_body_is_the_next_request(live) -> None:
    source, body = source_of(live), encode_chunk(CHUNK)
    first = head(live, "PUT", f"/v1/sources/{source}/chunks/0", [("Content-Length", str(len(body)))])
    second = head(live, "GET", f"/v1/sources/{source}")
    with connected(live) as connection:
        connection.sendall(first.replace(b"Connection: close\r\n", b"") + body + second)
        raw = read_all(connection)
    assert raw.startswith(b"HTTP/1.1 204")
    assert raw.count(b"HTTP/1.1 ") == 2
    assert b'"present":1' in raw
    np.testing.assert_array_equal(np.asarray(live.services.sources.array(source)), CHUNK)


def test_a_body_that_ends_early_is_no_chunk(live) -> None:
    source, body = source_of(live), encode_chunk(CHUNK)
    with connected(live) as connection:
        connection.sendall(head(live, "PUT", f"/v1/sources/{source}/chunks/0", [("Content-Length", str(len(body)))]))
        connection.sendall(body[:-1])
    with live.client("alice") as client:
        assert client.get(f"/v1/sources/{source}").json()["present"] == 0
        assert client.get("/v1/greeting").status_code == 200
