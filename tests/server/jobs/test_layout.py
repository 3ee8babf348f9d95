"""The layout on disk: chunks never cross the border of a block, and every chunk and region finds its unit."""

from __future__ import annotations

from dataclasses import dataclass

import dask.array as da
import hypothesis.strategies as st
import numpy as np
from hypothesis import given, settings

from napari_lightbox.server.jobs import layout
from napari_lightbox.server.jobs.layout import Sink, card_of, plan_of, regular
from napari_lightbox.wire import ArrayCard


@dataclass
class Target:
    id: str
    card: ArrayCard


def sink(array: da.Array, axes: str, name: str = "a") -> Sink:
    array = regular(array)
    return Sink(name, array, axes, Target(name, card_of(array, axes)))


SIZES = st.lists(st.tuples(st.integers(1, 40), st.integers(1, 40)), min_size=1, max_size=3)


@settings(max_examples=30)
@given(SIZES, st.sampled_from([np.uint8, np.float64]), st.integers(1, 5000))
def test_blocks_are_made_of_whole_chunks(sizes, dtype, most: int) -> None:
    original, layout.CHUNK_BYTES = layout.CHUNK_BYTES, most
    try:
        array = da.zeros([n for n, _ in sizes], chunks=[c for _, c in sizes], dtype=dtype)
        one = sink(array, "zyx"[-array.ndim :])
    finally:
        layout.CHUNK_BYTES = original
    hits = np.zeros(one.target.card.grid, int)
    plan = plan_of([one])
    for number in range(plan.total):
        ((_, block),) = plan.groups[0].blocks(plan.groups[0].unit(number))
        inside = [slice(sum(c[:b]), sum(c[: b + 1])) for b, c in zip(block, array.chunks, strict=True)]
        for chunk in one.chunks_of(block):
            hits[chunk] += 1
            box = one.target.card.box(chunk)
            assert all(s.start <= b.start and b.stop <= s.stop for s, b in zip(inside, box, strict=True))
            assert plan.chunk("a", chunk) == (0, number)
    assert (hits == 1).all()


def test_a_large_block_becomes_slices() -> None:
    array = da.zeros((2, 300, 500, 500), chunks=(1, 300, 500, 500), dtype=np.float32)
    assert card_of(array, "tzyx").chunks == (1, 16, 500, 500)
    cut = da.zeros((64, 4096, 4096), chunks=(8, 4096, 4096), dtype=np.uint8)
    assert card_of(cut, "tyx").chunks == (1, 3906, 4096)


def test_irregular_blocks_become_regular() -> None:
    array = da.from_array(np.arange(60).reshape(6, 10), chunks=((1, 3, 2), (4, 6)))
    assert regular(array).chunks == ((3, 3), (6, 4))
    np.testing.assert_array_equal(regular(array).compute(), array.compute())
    even = da.zeros((7, 10), chunks=(3, 10))
    assert regular(even) is even


def test_outputs_with_further_axes_share_their_units() -> None:
    main = sink(da.zeros((6, 8), chunks=(2, 4)), "yx")
    classes = sink(da.zeros((3, 6, 8), chunks=(3, 2, 4)), "lyx", "b")
    other = sink(da.zeros((5, 5), chunks=(5, 5)), "yx", "c")
    plan = plan_of([main, classes, other])
    assert [[s.name for s in group.sinks] for group in plan.groups] == [["a", "b"], ["c"]]
    group = plan.groups[0]
    assert group.total == 6
    assert [(s.name, block) for s, block in group.blocks(group.unit(3))] == [("a", (1, 1)), ("b", (0, 1, 1))]
    assert plan.chunk("b", (0, 1, 1)) == (0, 3)
    assert plan.chunk("c", (0, 0)) == (1, 0)
    assert plan.chunk("nothing", (0, 0)) is None


def test_a_region_is_the_blocks_it_touches() -> None:
    plan = plan_of([sink(da.zeros((6, 8), chunks=(2, 4)), "yx")])
    assert list(plan.region([[1, 3], [4, 5]])) == [1, 3]
    assert list(plan.region([[0, 100], [-5, 1]])) == [0, 2, 4]
    assert list(plan.region([[0, 1]])) == []


def test_an_array_without_voxels_has_no_chunks() -> None:
    one = sink(da.zeros((0, 5), chunks=(1, 5)), "yx")
    assert one.target.card.grid == (0, 1)
    assert list(one.chunks_of((0, 0))) == []
