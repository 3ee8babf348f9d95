"""Chunks arrive exactly as they were sent, or are refused; nothing that lies is believed."""

from __future__ import annotations

import itertools
import struct
import tracemalloc
import zlib

import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from napari_lightbox.errors import WireError
from napari_lightbox.wire import decode_chunk, encode_chunk, payload_of
from napari_lightbox.wire.hashing import hash_of
from napari_lightbox.wire.protocol import MAGIC, MOST_CHUNK_BYTES, PROTOCOL

DTYPES = st.one_of(
    hnp.boolean_dtypes(),
    hnp.integer_dtypes(endianness="?"),
    hnp.unsigned_integer_dtypes(endianness="?"),
    hnp.floating_dtypes(endianness="?", sizes=(16, 32, 64)),
    hnp.complex_number_dtypes(endianness="?", sizes=(64, 128)),
)
ARRAYS = hnp.arrays(DTYPES, hnp.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=6))
SENT = encode_chunk(np.arange(24, dtype="<u2").reshape(2, 3, 4))


def bits(array: np.ndarray) -> bytes:
    return np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()


@given(ARRAYS, st.sampled_from(["raw", "zlib"]), st.booleans())
def test_values_arrive_bit_for_bit(array, codec, turned) -> None:
    array = array.T if turned else array
    got = decode_chunk(encode_chunk(array, codec), array.shape, array.dtype)
    assert got.shape == array.shape
    assert got.dtype == array.dtype.newbyteorder("<")
    assert bits(got) == bits(array), "NaN payloads and signed zeros included"
    assert not got.flags.writeable


@pytest.mark.parametrize(
    "array", [np.array(["a"]), np.array([object()]), np.zeros(2, "M8[s]"), np.zeros(2, "i4,f4"), np.zeros(2, "g")]
)
def test_what_does_not_travel_is_refused(array) -> None:
    with pytest.raises(WireError, match="is of type"):
        encode_chunk(array)


def test_every_cut_is_refused() -> None:
    for stop in range(len(SENT)):
        with pytest.raises(WireError):
            decode_chunk(SENT[:stop], (2, 3, 4), "u2")
    with pytest.raises(WireError):
        decode_chunk(SENT + b"\0", (2, 3, 4), "u2")


@given(st.integers(0, len(SENT) - 48 - 1), st.integers(1, 255))
def test_every_flipped_byte_of_the_head_is_refused(place, flip) -> None:
    damaged = bytearray(SENT)
    damaged[place] ^= flip
    with pytest.raises(WireError):
        decode_chunk(bytes(damaged), (2, 3, 4), "u2")


@given(st.binary(max_size=200))
def test_noise_is_refused(data) -> None:
    with pytest.raises(WireError):
        decode_chunk(data, (2,), "u2")
    with pytest.raises(WireError):
        decode_chunk(SENT[:8] + data, (2,), "u2")


@pytest.mark.parametrize(("shape", "dtype"), [((3, 2, 4), "u2"), ((24,), "u2"), ((2, 3, 4), "i2"), ((2, 3, 4), "f2")])
def test_another_chunk_than_promised_is_refused(shape, dtype) -> None:
    with pytest.raises(WireError, match="promised was"):
        decode_chunk(SENT, shape, dtype)


def forged(shape: tuple[int, ...], payload: bytes, codec: int = 0, dtype: bytes = b"|u1") -> bytes:
    head = struct.pack("<4sBBBB", MAGIC, PROTOCOL, codec, len(shape), len(dtype)) + dtype
    return head + struct.pack(f"<{len(shape)}Q", *shape) + struct.pack("<Q", len(payload)) + payload


def test_the_forger_forges_well() -> None:
    np.testing.assert_array_equal(decode_chunk(forged((3,), b"abc"), (3,), "u1"), np.frombuffer(b"abc", np.uint8))


@pytest.mark.parametrize("shape", [(2**62,), (2**40, 2**40), (MOST_CHUNK_BYTES + 1,), (2**63, 0, 2**63)])
def test_a_declared_size_is_not_allocated(shape) -> None:
    tracemalloc.start()
    with pytest.raises(WireError):
        decode_chunk(forged(shape, b"x"), shape, "u1")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20


def test_a_bomb_does_not_go_off() -> None:
    bomb = zlib.compress(bytes(2**26), 9)
    tracemalloc.start()
    with pytest.raises(WireError, match="another length"):
        decode_chunk(forged((100,), bomb, codec=1), (100,), "u1")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20


@pytest.mark.parametrize("length", [99, 101])
def test_compressed_bytes_of_another_length_are_refused(length) -> None:
    with pytest.raises(WireError):
        decode_chunk(forged((100,), zlib.compress(bytes(length)), codec=1), (100,), "u1")


@pytest.mark.parametrize("dtype", [b"|O", b"|V8", b"<U4", b"<M8", b"O", b">u2", b"<u1", b"u2", b"|u9", b"", b"\xff\xfe", b"<f16"])
def test_types_that_could_harm_are_refused(dtype) -> None:
    with pytest.raises(WireError):
        decode_chunk(forged((1,), bytes(16), dtype=dtype), (1,), "u1")


@given(ARRAYS, st.sampled_from(["raw", "zlib"]), st.lists(st.integers(0, 5000), max_size=6))
def test_a_chunk_in_parts_is_the_chunk(array, codec, cuts) -> None:
    sent = encode_chunk(array, codec)
    edges = [0, *sorted(min(cut, len(sent)) for cut in cuts), len(sent)]
    parts = [sent[start:stop] for start, stop in itertools.pairwise(edges)]
    got = b"".join(payload_of(parts, array.shape, array.dtype))
    assert got == bits(array)
    assert hash_of(*parts) == hash_of(sent)


def test_every_cut_of_the_parts_is_refused() -> None:
    for stop in range(len(SENT)):
        with pytest.raises(WireError):
            payload_of([SENT[: stop // 2], SENT[stop // 2 : stop]], (2, 3, 4), "u2")
