"""Arrays travel in regular chunks that are not too large, in whole planes where that can be."""

from __future__ import annotations

from math import prod

import dask.array as da
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from napari_lightbox.client.grid import CHUNK_BYTES, LARGEST_BYTES, chunks_in_memory, chunks_of_lazy
from napari_lightbox.client.uploading import place_of
from napari_lightbox.errors import InputError
from napari_lightbox.wire import ArrayCard

LENGTHS = st.lists(st.sampled_from([0, 1, 3, 4, 5, 64, 100, 1000, 4096, 20_000]), max_size=5)


@given(LENGTHS, st.sampled_from([1, 2, 4, 8, 16]))
def test_chunks_are_neither_too_large_nor_too_small(shape, itemsize) -> None:
    chunks = chunks_in_memory(shape, itemsize)
    size, whole = prod(chunks) * itemsize, prod(max(n, 1) for n in shape) * itemsize
    assert all(1 <= c <= max(n, 1) for c, n in zip(chunks, shape, strict=True))
    assert size <= CHUNK_BYTES
    assert size >= min(whole, CHUNK_BYTES / 8)


@pytest.mark.parametrize(
    ("shape", "itemsize", "chunks"),
    [
        ((100, 512, 512), 2, (16, 512, 512)),
        ((9, 4, 2048, 2048), 2, (1, 1, 2048, 2048)),
        ((2048, 2048), 2, (2048, 2048)),
        ((50, 1024, 1024, 3), 1, (2, 1024, 1024, 3)),
        ((40_000, 40_000), 1, (2880, 2880)),
        ((), 8, ()),
    ],
)
def test_planes_stay_whole_while_they_fit(shape, itemsize, chunks) -> None:
    assert chunks_in_memory(shape, itemsize) == chunks


@given(st.lists(st.lists(st.integers(1, 5), min_size=1, max_size=4), min_size=1, max_size=3))
def test_chunks_of_a_dask_array_become_regular_and_cover_it(sizes) -> None:
    shape = tuple(map(sum, sizes))
    chunks = chunks_of_lazy(sizes, 2)
    assert chunks == tuple(map(max, sizes))
    card = ArrayCard.of(np.empty(shape, np.uint16), chunks)
    assert sum(prod(card.chunk_shape(place_of(n, card.grid))) for n in range(prod(card.grid))) == prod(shape)


def test_huge_chunks_of_a_dask_array_are_cut() -> None:
    array = da.zeros((1000, 1000, 1000), chunks=-1, dtype=np.uint8)
    chunks = chunks_of_lazy(array.chunks, 1)
    assert LARGEST_BYTES / 2 < prod(chunks) <= LARGEST_BYTES
    assert chunks[1:] == (1000, 1000)


def test_unknown_chunks_are_refused() -> None:
    array = da.arange(9, chunks=3)
    with pytest.raises(InputError, match="compute_chunk_sizes"):
        chunks_of_lazy(array[array > 4].chunks, 8)


@given(st.lists(st.integers(1, 5), max_size=4), st.data())
def test_numbers_of_chunks_count_in_c_order(grid, data) -> None:
    number = data.draw(st.integers(0, prod(grid) - 1))
    assert place_of(number, grid) == tuple(np.unravel_index(number, grid)) if grid else place_of(number, grid) == ()
