"""Sums over boxes are exact, however large they become."""

from __future__ import annotations

from math import prod

import numpy as np
import pytest

from napari_lightbox.kernels.box_sums import box_square_sums, box_sums


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float64])
@pytest.mark.parametrize("size", [(3, 7), (5, 3, 7)])
def test_the_same_as_adding_up(dtype, size) -> None:
    rng = np.random.default_rng(0)
    block = rng.integers(0, 250, (9, 12, 10)[-len(size) :]).astype(dtype)
    wide = np.pad(block.astype(np.int64), [(n // 2, n // 2) for n in size], mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(wide, size)
    axes = tuple(range(-len(size), 0))
    np.testing.assert_array_equal(box_sums(block, size, "mirror"), windows.sum(axes))
    np.testing.assert_array_equal(box_square_sums(block, size, "mirror"), (windows**2).sum(axes))


# 181 is the widest square, and 31 the widest cube, whose white squares 32 bits can hold
@pytest.mark.parametrize("size", [(181, 181), (183, 183), (31, 31, 31), (33, 33, 33), (3, 183, 183)])
@pytest.mark.parametrize(("dtype", "white"), [(np.uint8, 255), (np.uint16, 2**16 - 1), (np.int16, -(2**15))])
def test_white_does_not_overflow(size, dtype, white) -> None:
    block = np.full((40, 40, 40) if size[-1] < 40 else (4, 200, 200)[-len(size) :], white, dtype)
    assert np.all(box_sums(block, size, "mirror") == int(white) * prod(size))
    assert np.all(box_square_sums(block, size, "mirror") == int(white) ** 2 * prod(size))
