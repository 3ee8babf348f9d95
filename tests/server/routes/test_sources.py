from __future__ import annotations

import zlib

import numpy as np
import pytest
from tests.server.live import push, register, send

from napari_lightbox.errors import NotFoundError, QuotaError, SpaceError, WireError
from napari_lightbox.wire import ArrayCard, bunch_parts, decode_error, encode_chunk
from napari_lightbox.wire.hashing import hash_values

CHUNKS = (2, 16, 16)


def test_an_array_comes_in_chunk_by_chunk(alice, image):
    source, missing = register(alice, image, CHUNKS)
    assert missing == list(range(8))
    push(alice, source, image, CHUNKS, [0, 3])
    told = alice.get(f"/v1/sources/{source}").json()
    assert told == {"card": ArrayCard.of(image, CHUNKS).to_json(), "present": 2, "chunks": 8}
    assert register(alice, image, CHUNKS) == (source, [1, 2, 4, 5, 6, 7])


def test_what_the_server_holds_is_not_sent_again(alice, bob, image):
    image = image + np.uint16(1)
    send(alice, image, CHUNKS)
    assert register(bob, image, CHUNKS)[1] == []


def test_compressed_chunks_are_welcome(alice, image):
    image = image // 1000 * 1000
    source, _ = register(alice, image, image.shape)
    assert alice.put(f"/v1/sources/{source}/chunks/0", content=encode_chunk(image, "zlib")).status_code == 204


def test_chunks_without_a_declared_size_are_welcome(alice, image):
    source, _ = register(alice, image, image.shape, lazy=True)
    body = encode_chunk(image)
    answer = alice.put(f"/v1/sources/{source}/chunks/0", content=iter([body[:100], body[100:]]))
    assert answer.status_code == 204


def test_small_chunks_are_welcome_together(live, alice, image, monkeypatch):
    heard = []
    monkeypatch.setattr(live.services.arrivals, "arrived", lambda source, chunks: heard.append((source, list(chunks))))
    image = image + np.uint16(11)
    source, _ = register(alice, image, CHUNKS, lazy=True)
    card = ArrayCard.of(image, CHUNKS)
    chunks = {n: image[card.box(index)] for n, index in enumerate(card.indices)}
    body = b"".join(bunch_parts({n: chunks[n] for n in (5, 1, 7)}))
    for _ in range(2):
        assert alice.put(f"/v1/sources/{source}/chunks", content=iter([body[:99], body[99:]])).status_code == 204
    assert heard == [(source, [5, 1, 7])] * 2
    assert alice.get(f"/v1/sources/{source}").json()["present"] == 3
    stored = live.services.sources.array(source)
    for n in (5, 1, 7):
        index = list(card.indices)[n]
        np.testing.assert_array_equal(stored.blocks[index].compute(), chunks[n])


def test_those_before_a_damaged_chunk_are_there_and_told(live, alice, image, monkeypatch):
    heard = []
    monkeypatch.setattr(live.services.arrivals, "arrived", lambda source, chunks: heard.append(list(chunks)))
    image = image + np.uint16(12)
    source, _ = register(alice, image, CHUNKS, lazy=True)
    card = ArrayCard.of(image, CHUNKS)
    good = b"".join(bunch_parts({n: image[card.box(index)] for n, index in list(enumerate(card.indices))[:2]}))
    answer = alice.put(f"/v1/sources/{source}/chunks", content=good + b"\0" * 20)
    assert answer.status_code == 400
    assert isinstance(decode_error(answer.json()), WireError)
    assert (heard, alice.get(f"/v1/sources/{source}").json()["present"]) == ([[0, 1]], 2)


def test_known_chunks_are_linked(alice, image):
    image = image + np.uint16(2)
    send(alice, image, CHUNKS)
    source, _ = register(alice, image, CHUNKS, lazy=True)
    card = ArrayCard.of(image, CHUNKS)
    hashes = [hash_values(image[card.box(index)]) for index in card.indices]
    answer = alice.post(f"/v1/sources/{source}/known", json={"chunks": [[0, hashes[0]], [1, hashes[1]], [5, "0f" * 16]]})
    assert answer.json() == {"missing": [5]}
    assert alice.get(f"/v1/sources/{source}").json()["present"] == 2


def test_a_chunk_that_arrives_is_told_to_who_waits_for_it(live, alice, image, monkeypatch):
    heard = []
    monkeypatch.setattr(live.services.arrivals, "arrived", lambda source, chunks: heard.append((source, chunks)))
    source, _ = register(alice, image, CHUNKS, lazy=True)
    push(alice, source, image, CHUNKS, [2, 1])
    assert heard == [(source, [1]), (source, [2])]


@pytest.mark.parametrize("number", ["8", "-1", "1e0", "0x1", "99999999999999999999", "0.0", " 1"])
def test_only_chunks_of_the_grid_are_taken(alice, image, number):
    source, _ = register(alice, image, CHUNKS)
    answer = alice.put(f"/v1/sources/{source}/chunks/{number}", content=encode_chunk(image[:2, :16, :16]))
    assert answer.status_code in (400, 404)


def test_another_chunk_than_declared_is_refused(alice, image):
    source, _ = register(alice, image + np.uint16(9), CHUNKS)
    other = np.zeros((2, 16, 16), np.uint16)
    answer = alice.put(f"/v1/sources/{source}/chunks/0", content=encode_chunk(other))
    assert answer.status_code == 400
    assert isinstance(decode_error(answer.json()), WireError)
    assert alice.get(f"/v1/sources/{source}").json()["present"] == 0


def test_a_body_that_cannot_be_the_chunk_is_refused_unread(alice, image):
    source, _ = register(alice, image, CHUNKS)
    answer = alice.put(f"/v1/sources/{source}/chunks/0", content=bytes(50_000))
    assert answer.status_code == 413
    assert "for 1024" in answer.json()["reason"]


def test_a_bomb_does_not_go_off(alice):
    array = np.zeros((16, 16), np.uint8)
    source, _ = register(alice, array, (16, 16))
    payload = zlib.compress(array.tobytes(), 1)
    head = encode_chunk(array, "zlib")[: -len(payload) - 8]
    bomb = zlib.compress(bytes(2**19), 9)
    body = head + len(bomb).to_bytes(8, "little") + bomb
    answer = alice.put(f"/v1/sources/{source}/chunks/0", content=body)
    assert answer.status_code == 400
    assert "another length" in answer.json()["reason"]


def test_what_others_sent_is_not_there(alice, bob, image):
    source, _ = register(alice, image + np.uint16(3), CHUNKS)
    for answer in (
        bob.get(f"/v1/sources/{source}"),
        bob.put(f"/v1/sources/{source}/chunks/0", content=encode_chunk(image)),
        bob.put(f"/v1/sources/{source}/chunks", content=b"".join(bunch_parts({0: image}))),
        bob.post(f"/v1/sources/{source}/known", json={"chunks": []}),
    ):
        assert answer.status_code == 404
        assert isinstance(decode_error(answer.json()), NotFoundError)


@pytest.mark.parametrize(
    "card",
    [
        {"dtype": "|O", "shape": [4], "chunks": [4]},
        {"dtype": "<u2", "shape": [4], "chunks": [0]},
        {"dtype": "<u2", "shape": [-4], "chunks": [4]},
        {"dtype": "<u2", "shape": [2**52], "chunks": [1]},
        {"dtype": "<u2", "shape": [2**30], "chunks": [2**30]},
        {"dtype": "<u2", "shape": [4.0], "chunks": [4]},
        {"dtype": "<u2", "shape": [True], "chunks": [4]},
        {"dtype": "<u2", "shape": [4], "chunks": [4], "more": 1},
        {"dtype": "<u2", "shape": [1] * 17, "chunks": [1] * 17},
        {"dtype": "<u2", "shape": [4, 4], "chunks": [4]},
        {"dtype": None, "shape": [4], "chunks": [4]},
    ],
)
def test_cards_that_cannot_be_are_refused(alice, card):
    answer = alice.post("/v1/sources", json={"card": card, "hashes": None})
    assert answer.status_code == 400
    assert isinstance(decode_error(answer.json()), WireError)


@pytest.mark.parametrize("hashes", [[], ["00"], ["zz" * 16] * 8, ["0f" * 16] * 9, [1] * 8, "0f" * 16])
def test_hashes_that_cannot_be_are_refused(alice, image, hashes):
    answer = alice.post("/v1/sources", json={"card": ArrayCard.of(image, CHUNKS).to_json(), "hashes": hashes})
    assert answer.status_code == 400


@pytest.mark.parametrize(("bound", "kind", "status"), [("least_free", SpaceError, 507), ("quota", QuotaError, 429)])
def test_what_does_not_fit_is_refused_before_it_is_read(tmp_path, image, bound, kind, status):
    from tests.server.live import live_server

    with live_server(tmp_path) as live, live.client() as client:
        source, _ = register(client, image, CHUNKS)
        setattr(live.services.disk, bound, {"least_free": 2**62, "quota": 500}[bound])
        answer = client.put(f"/v1/sources/{source}/chunks/0", content=b"this is not even a chunk")
        assert answer.status_code == status
        assert isinstance(decode_error(answer.json()), kind)
        assert client.get("/v1/jobs").status_code == 200
