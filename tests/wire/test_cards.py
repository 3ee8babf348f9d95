"""Cards cover their array exactly; errors and greetings mean the same on both sides."""

from __future__ import annotations

import inspect
import json

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from napari_lightbox import errors
from napari_lightbox.errors import InputError, LightboxError, ServerError, VersionError, WireError
from napari_lightbox.wire import ArrayCard, Greeting, decode_error, encode_error

OURS = [t for _, t in inspect.getmembers(errors, inspect.isclass) if issubclass(t, LightboxError)]
CARD = {"dtype": "<u2", "shape": [10, 20], "chunks": [4, 20]}


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 5)), max_size=4))
def test_chunks_cover_every_voxel_once(axes) -> None:
    shape, chunks = tuple(n for n, _ in axes), tuple(c for _, c in axes)
    card = ArrayCard.of(np.zeros(shape, ">i4"), chunks)
    assert ArrayCard.from_json(json.loads(json.dumps(card.to_json()))) == card
    hits = np.zeros(shape, int)
    for index in card.indices:
        hits[card.box(index)] += 1
        assert hits[card.box(index)].shape == card.chunk_shape(index)
    assert (hits == 1).all()
    assert tuple(map(len, card.sizes)) == card.grid
    assert [tuple(sizes[i] for sizes, i in zip(card.sizes, index, strict=True)) for index in card.indices] == [
        card.chunk_shape(index) for index in card.indices
    ]


@pytest.mark.parametrize("index", [(3, 0), (-1, 0), (0,), (0, 0, 0)])
def test_chunks_that_are_not_there(index) -> None:
    with pytest.raises(WireError, match="not in the grid"):
        ArrayCard.from_json(CARD).box(index)


@pytest.mark.parametrize(
    "change",
    [
        {"dtype": "|O"}, {"dtype": ">u2"}, {"dtype": 7}, {"shape": [10]}, {"shape": [-1, 20]}, {"shape": [1.5, 20]},
        {"shape": [True, 20]}, {"shape": "10"}, {"chunks": [0, 20]}, {"chunks": [2**31, 1]}, {"shape": [2**40, 2**40]},
        {"shape": [10**9, 20], "chunks": [1, 20]}, {"shape": [1] * 17, "chunks": [1] * 17}, {"more": 1}, {"shape": None},
    ],
)  # fmt: skip
def test_cards_that_lie_are_refused(change) -> None:
    with pytest.raises(WireError):
        ArrayCard.from_json(CARD | change)


@pytest.mark.parametrize("card", [None, [], "card", {}, {"dtype": "<u2"}])
def test_what_is_no_card(card) -> None:
    with pytest.raises(WireError, match="no card"):
        ArrayCard.from_json(card)


@pytest.mark.parametrize("kind", OURS)
def test_errors_arrive_as_what_they_are(kind) -> None:
    got = decode_error(json.loads(json.dumps(encode_error(kind("image", "is empty", "Give another")))))
    assert type(got) is kind
    assert str(got) == "image: is empty. Give another"


def test_a_subclass_arrives_as_the_type_the_other_side_knows() -> None:
    class Special(InputError):
        pass

    assert type(decode_error(encode_error(Special("a", "b", "c")))) is InputError


def test_foreign_errors_tell_nothing_of_the_server() -> None:
    sent = encode_error(OSError(2, "no such file", "/home/somebody/secret"))
    assert "secret" not in json.dumps(sent)
    assert type(decode_error(sent)) is ServerError


@pytest.mark.parametrize("data", [None, 3, {}, {"error": "InputError"}, {"subject": 1, "reason": 2, "way_out": 3}, ["a"]])
def test_what_is_no_error_is_still_one(data) -> None:
    assert type(decode_error(data)) is ServerError


@pytest.mark.parametrize("name", ["SystemExit", "LightboxError.__init__", "os", 5, None])
def test_no_name_from_outside_is_looked_up_elsewhere(name) -> None:
    words = {"subject": "a", "reason": "b" * 10_000, "way_out": "c"}
    got = decode_error({"error": name, **words})
    assert type(got) is ServerError
    assert len(got.reason) == 2000


def test_greetings() -> None:
    ours = Greeting("0.2")
    ours.meet(Greeting.from_json(json.loads(json.dumps(Greeting("0.9").to_json()))))
    with pytest.raises(VersionError, match="Update napari-lightbox here"):
        ours.meet(Greeting("3.0", protocol=ours.protocol + 1))
    with pytest.raises(VersionError, match="Update napari-lightbox there"):
        ours.meet(Greeting("0.0", protocol=ours.protocol - 1))


@pytest.mark.parametrize("data", [None, {}, {"version": 1, "protocol": 1}, {"version": "1", "protocol": True}, "hello"])
def test_what_is_no_greeting(data) -> None:
    with pytest.raises(VersionError, match="does not speak"):
        Greeting.from_json(data)
