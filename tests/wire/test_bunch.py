"""Small chunks travel together and come apart again, or nothing of a damaged end is believed."""

from __future__ import annotations

import struct

import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from napari_lightbox.errors import WireError
from napari_lightbox.wire import bunch_parts, chunks_of_bunch, decode_chunk, encode_chunk
from napari_lightbox.wire.protocol import MOST_BUNCH_CHUNKS

ARRAYS = hnp.arrays(st.sampled_from(["u1", "<u2", "<f4"]), hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
SENT = {3: np.arange(6, dtype="<u2"), 2**40: np.zeros((2, 2), "u1")}


def joined(chunks) -> bytes:
    return b"".join(bunch_parts(chunks))


@given(st.dictionaries(st.integers(0, 2**63), ARRAYS, max_size=6))
def test_all_arrive_in_order(chunks) -> None:
    found = list(chunks_of_bunch(joined(chunks)))
    assert [number for number, _ in found] == list(chunks)
    for (_, body), sent in zip(found, chunks.values(), strict=True):
        np.testing.assert_array_equal(decode_chunk(body, sent.shape, sent.dtype), sent)


def test_every_cut_is_refused_after_what_was_whole() -> None:
    first = 16 + len(encode_chunk(SENT[3]))
    for stop in range(1, len(joined(SENT))):
        found = chunks_of_bunch(joined(SENT)[:stop])
        if stop == first:
            assert [number for number, _ in found] == [3]
            continue
        if stop > first:
            assert next(found)[0] == 3
        with pytest.raises(WireError, match="cut short"):
            next(found)


def test_a_length_that_lies_allocates_nothing() -> None:
    with pytest.raises(WireError, match="cut short"):
        list(chunks_of_bunch(struct.pack("<QQ", 0, 2**63) + b"x"))


def test_more_than_may_travel_together_are_refused() -> None:
    many = struct.pack("<QQ", 0, 0) * (MOST_BUNCH_CHUNKS + 1)
    assert len(list(chunks_of_bunch(many[:-16]))) == MOST_BUNCH_CHUNKS
    with pytest.raises(WireError, match=f"more than {MOST_BUNCH_CHUNKS}"):
        list(chunks_of_bunch(many))
