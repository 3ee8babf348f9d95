"""Joining labels across blocks: same partition and same ids as labelling the whole."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

import napari_lightbox as lb
from napari_lightbox.engine.remembered import cache
from napari_lightbox.settings import override


@given(
    seed=st.integers(0, 10_000),
    shape=st.one_of(st.tuples(*[st.integers(1, 25)] * 2), st.tuples(*[st.integers(1, 12)] * 3)),
    density=st.floats(0.05, 0.95),
    data=st.data(),
)
@settings(max_examples=60)
def test_any_chunking_gives_the_ids_of_the_whole(seed: int, shape: tuple[int, ...], density: float, data: st.DataObject) -> None:
    mask = np.random.default_rng(seed).random(shape) < density
    connectivity = data.draw(st.integers(1, mask.ndim))
    chunks = tuple(data.draw(st.integers(1, n)) for n in shape)
    options = {"axes": "zyx"[-mask.ndim :], "connectivity": connectivity}
    tiled = lb.apply("connected_components", da.from_array(mask, chunks=chunks), **options).compute()
    expected, _ = ndimage.label(mask, ndimage.generate_binary_structure(mask.ndim, connectivity))
    np.testing.assert_array_equal(tiled, lb.apply("connected_components", mask, **options))
    pairs = set(zip(tiled.ravel().tolist(), expected.ravel().tolist(), strict=True))
    assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs}), "partitions differ from scipy"


def test_a_snake_through_all_chunks_is_one_object() -> None:
    mask = np.zeros((41, 41), bool)
    mask[::2] = True
    for row in range(1, 41, 2):
        mask[row, -1 if row % 4 == 1 else 0] = True
    tiled = lb.apply("connected_components", da.from_array(mask, chunks=(5, 7))).compute()
    assert tiled.max() == 1
    assert (tiled > 0).sum() == mask.sum()


def test_equal_neighbours_join_but_different_values_do_not() -> None:
    labels = np.ones((4, 8), np.int32)
    labels[:, 4:] = 2
    tiled = lb.apply("connected_components", da.from_array(labels, chunks=(2, 4))).compute()
    assert tiled[0, 0] == 1
    assert tiled[0, 7] == 2


def test_frames_are_labelled_apart() -> None:
    video = np.random.default_rng(3).random((4, 20, 22)) < 0.4
    tiled = lb.apply("connected_components", da.from_array(video, chunks=(3, 8, 9)), axes="tyx").compute()
    for frame, labels in zip(video, tiled, strict=True):
        np.testing.assert_array_equal(labels, lb.apply("connected_components", frame))


@pytest.mark.parametrize("budget", ["64MB", "2MiB"])
def test_kept_and_recomputed_block_labels_agree(budget: str) -> None:
    mask = np.random.default_rng(5).random((80, 64, 64)) < 0.3
    with override(memory_budget=budget):
        tiled = lb.apply("connected_components", da.from_array(mask, chunks=24, name=False), connectivity=3).compute()
    np.testing.assert_array_equal(tiled, lb.apply("connected_components", mask, connectivity=3))


def test_second_slice_needs_only_its_own_block() -> None:
    cache.clear()
    reads: list[object] = []

    def read(block: np.ndarray, block_info: dict | None = None) -> np.ndarray:
        if block_info:
            reads.append(block_info[0]["chunk-location"])
        return block

    mask = da.from_array(np.random.default_rng(0).random((30, 16, 16)) < 0.5, chunks=(10, 8, 8), name=False)
    labels = lb.apply("connected_components", da.map_blocks(read, mask, dtype=bool))
    np.asarray(labels[0])
    assert len(set(reads)) == 12
    reads.clear()
    np.asarray(labels[25])
    assert {location[0] for location in reads} == {2}
