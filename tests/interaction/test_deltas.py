"""Changes are exact, small, undoable, and never applied to an array that holds something else."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest
import zarr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_lightbox.errors import DeltaError
from napari_lightbox.interaction import pieces
from napari_lightbox.interaction.deltas import Delta

INTEGERS = ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", ">i4", ">u2", "?"]


@st.composite
def pairs(draw):
    """Two arrays of one integer type that differ in some pixels, and where they begin in a larger one."""
    dtype = np.dtype(draw(st.sampled_from(INTEGERS)))
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=4, max_side=7))
    values = st.booleans() if dtype.kind == "b" else st.sampled_from([0, 1, 2, np.iinfo(dtype).max, np.iinfo(dtype).min])
    before = draw(hnp.arrays(dtype, shape, elements=values))
    after = np.where(draw(hnp.arrays(bool, shape)), draw(hnp.arrays(dtype, shape, elements=values)), before).astype(dtype)
    start = tuple(draw(st.integers(0, 3)) for _ in shape)
    return before, after, start


@given(pairs())
def test_redo_and_undo_are_exact_and_touch_nothing_else(case) -> None:
    before, after, start = case
    delta = Delta.between(before, after, start)
    if (before == after).all():
        assert delta is None
        return
    whole = np.full([n + s + 2 for n, s in zip(before.shape, start, strict=True)], 1, before.dtype)
    place = tuple(slice(s, s + n) for n, s in zip(before.shape, start, strict=True))
    whole[place] = before
    first = whole.copy()
    expected = whole.copy()
    expected[place] = after
    delta = Delta.from_bytes(delta.to_bytes())
    delta.redo(whole)
    np.testing.assert_array_equal(whole, expected)
    delta.undo(whole)
    np.testing.assert_array_equal(whole, first)
    delta.inverse.undo(whole)
    np.testing.assert_array_equal(whole, expected)
    delta.put(first)
    np.testing.assert_array_equal(first, expected)
    changed = np.argwhere(before != after) + start
    assert [(s.start, s.stop) for s in delta.box] == [(a, b + 1) for a, b in zip(changed.min(0), changed.max(0), strict=True)]


@given(pairs(), st.randoms(use_true_random=False))
def test_pixels_in_any_order_give_the_same_change(case, random) -> None:
    before, after, _ = case
    rows = [tuple(r) for r in np.argwhere(before != after)]
    same = [tuple(r) for r in np.argwhere(before == after)][:3]
    listed = rows + same + rows[:2]
    random.shuffle(listed)
    where = tuple(np.array(axis, int) for axis in zip(*listed, strict=True)) or tuple(np.zeros(0, int) for _ in before.shape)
    found, expected = Delta.of_pixels(where, before[where], after[where]), Delta.between(before, after)
    assert (found is None) == (expected is None)
    if found is not None:
        assert found.fingerprint == expected.fingerprint
        assert found.to_bytes() == expected.to_bytes()


def test_strokes_of_one_gesture_that_overlap() -> None:
    where = (np.array([3, 4, 4, 3, 5]),)
    delta = Delta.of_pixels(where, np.array([0, 0, 1, 1, 2], np.int32), np.array([1, 1, 2, 0, 2]))
    array = np.array([9, 9, 9, 0, 0, 2], np.int32)
    delta.redo(array)
    assert array.tolist() == [9, 9, 9, 0, 2, 2]
    assert delta.box == (slice(4, 5),)
    delta.undo(array)
    assert array.tolist() == [9, 9, 9, 0, 0, 2]


@pytest.mark.parametrize("order", ["C", "F", "strided", "zarr"])
def test_any_memory_layout(order: str) -> None:
    rng = np.random.default_rng(0)
    before = rng.integers(0, 4, (9, 10, 11)).astype(np.int32)
    after = np.where(rng.random(before.shape) < 0.3, 7, before).astype(np.int32)
    made = {
        "C": lambda: before.copy(),
        "F": lambda: np.asfortranarray(before),
        "strided": lambda: np.repeat(before, 2, axis=2)[:, :, ::2],
        "zarr": lambda: zarr.array(before, chunks=(4, 4, 4)),
    }[order]()
    delta = Delta.between(before, after)
    delta.redo(made)
    np.testing.assert_array_equal(made[:], after)
    delta.undo(made)
    np.testing.assert_array_equal(made[:], before)


@pytest.mark.parametrize("shape", [(40, 30), (6, 9, 8), (1, 1, 64), (3, 1, 5, 7)])
def test_boxes_larger_than_a_piece_are_taken_apart(shape, monkeypatch) -> None:
    monkeypatch.setattr(pieces, "PIECE", 16)
    rng = np.random.default_rng(1)
    before = rng.integers(0, 3, shape).astype(np.uint16)
    after = np.where(rng.random(shape) < 0.2, 9, before).astype(np.uint16)
    array = before.copy()
    delta = Delta.between(before, after)
    delta.redo(array)
    np.testing.assert_array_equal(array, after)
    array.flat[np.flatnonzero(before != after)[-1]] = 8
    broken = array.copy()
    with pytest.raises(DeltaError, match="8 at"):
        delta.undo(array)
    np.testing.assert_array_equal(array, broken)


def test_two_dots_far_apart_in_a_huge_array_are_nothing() -> None:
    class Sparse:
        shape, dtype = (10**6, 10**6), np.dtype("i4")

        def __init__(self) -> None:
            self.read: dict = {}

        def __getitem__(self, box):
            size = [s.stop - s.start for s in box]
            assert np.prod(size) <= pieces.PIECE
            return np.full(size, self.read.get((box[0].start, box[1].start), 0), np.int32)

        def __setitem__(self, box, value):
            self.read[box[0].start, box[1].start] = int(value[0, 0])

    array = Sparse()
    delta = Delta.of_pixels((np.array([3, 999_999]), np.array([999_990, 5])), np.zeros(2, np.int32), 6)
    assert len(delta.to_bytes()) < 120
    delta.redo(array)
    assert array.read == {(3, 999_990): 6, (999_999, 5): 6}


def test_sizes_of_what_people_do() -> None:
    empty = np.zeros((128, 128, 128), np.int32)
    z, y, x = np.ogrid[:128, :128, :128]
    ball = ((z - 64) ** 2 + (y - 64) ** 2 + (x - 64) ** 2 < 3600).astype(np.int32)
    plane = np.zeros((512, 512), np.int32)
    stroke = plane.copy()
    stroke[100:110, 50:300] = 3
    assert Delta.between(empty, empty + 5).nbytes < 300
    assert Delta.between(empty, ball).nbytes < 10_000
    assert Delta.between(plane, stroke).nbytes < 300
    noise = np.random.default_rng(0).integers(1, 9, empty.shape).astype(np.int32)
    assert Delta.between(empty, noise).nbytes < noise.nbytes / 4


def test_nothing_is_written_where_something_else_is_held() -> None:
    before = np.zeros((8, 8), np.int32)
    after = before.copy()
    after[2:5, 2:5] = 4
    delta = Delta.between(before, after)
    other = before.copy()
    other[4, 4] = 1
    with pytest.raises(DeltaError, match=r"holds 1 at \(4, 4\) where 0 was expected \(1 pixels"):
        delta.redo(other)
    assert other.sum() == 1
    other[4, 4], other[7, 7] = 0, 9
    delta.redo(other)  # what lies outside the change is nobody's business
    assert other[7, 7] == 9


def test_arrays_that_do_not_fit_are_refused() -> None:
    delta = Delta.between(np.zeros((4, 4), np.int32), np.eye(4, dtype=np.int32))
    for array, reason in [
        (np.zeros((3, 4), np.int32), "shape"),
        (np.zeros((4, 4, 4), np.int32), "shape"),
        (np.zeros((4, 4), np.int64), "type int64"),
        (np.broadcast_to(np.int32(0), (4, 4)), "read-only"),
    ]:
        with pytest.raises(DeltaError, match=reason):
            delta.redo(array)
    delta.redo(np.zeros((4, 4), ">i4"))
    for before, after, reason in [
        (np.zeros(3), np.ones(3), "no whole number"),
        (np.zeros(3, int), np.ones(4, int), "leads from"),
        (np.zeros(3, "i4"), np.ones(3, "i8"), "leads from"),
    ]:
        with pytest.raises(DeltaError, match=reason):
            Delta.between(before, after)
    with pytest.raises(DeltaError, match="cannot hold"):
        Delta.of_pixels((np.array([0]),), np.zeros(1, np.uint8), 300)
    with pytest.raises(DeltaError, match="below 0"):
        Delta.of_pixels((np.array([-1]),), np.zeros(1, np.uint8), 3)


@given(st.data())
def test_damaged_bytes_raise_our_error_or_apply_within_the_array(data) -> None:
    good = bytearray(Delta.between(np.zeros((5, 6), np.int32), np.arange(30, dtype=np.int32).reshape(5, 6)).to_bytes())
    position = data.draw(st.integers(0, len(good) - 1))
    good[position] ^= data.draw(st.integers(1, 255))
    cut = data.draw(st.sampled_from([len(good), position]))
    with suppress(DeltaError):
        Delta.from_bytes(bytes(good[:cut])).put(np.zeros((5, 6), np.int32))


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    import struct
    import zlib

    class Anywhere:
        shape, dtype = (2**30, 2**30), np.dtype("i4")

    head = struct.pack("<3sBB3sQ4q", b"LBD", 1, 2, b"<i4", 2**58, 0, 2**30, 0, 2**30)
    bomb = Delta.from_bytes(head + zlib.compress(bytes(2**20)))
    with pytest.raises(DeltaError, match="impossible length"):
        bomb.redo(Anywhere())
    with pytest.raises(DeltaError, match="Update"):
        Delta.from_bytes(b"LBD\x02" + head[4:] + b"x")
