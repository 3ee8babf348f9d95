"""Flip equals NumPy and carries what lies on the image."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest

import napari_lightbox as lb
from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.contract.values import Points
from napari_lightbox.errors import ParameterError

AXES = {"vertical": (-2,), "horizontal": (-1,), "both": (-2, -1), "depth": (-3,)}


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", "uint16", "int32", "int64", "float16", "float32", "float64"])
@pytest.mark.parametrize("axis", list(AXES))
def test_equals_numpy_and_twice_is_the_identity(rng, dtype, axis):
    shape = (3, 6, 7) if axis == "depth" else (6, 7)
    image = rng.integers(0, 2 if dtype == "bool" else 100, shape).astype(dtype)
    once = lb.apply("flip", image, axis=axis).image
    np.testing.assert_array_equal(once, np.flip(image, AXES[axis]))
    np.testing.assert_array_equal(lb.apply("flip", once, axis=axis).image, image)
    assert once.dtype == image.dtype
    assert not np.shares_memory(once, image)


def test_stacks_and_colour_keep_their_order(rng):
    video = rng.integers(0, 255, (4, 8, 9, 3), dtype=np.uint8)
    result = lb.apply("flip", video, axes="tyxc", axis="horizontal").image
    np.testing.assert_array_equal(result, video[:, :, ::-1])
    backwards = lb.apply("flip", video[..., 0], axes="tyx", over="tyx", axis="depth").image
    np.testing.assert_array_equal(backwards, video[::-1, ..., 0])


@pytest.mark.parametrize("axis", list(AXES))
def test_lazy_equals_whole(rng, axis):
    volume = rng.uniform(size=(7, 20, 23))
    lazy = lb.apply("flip", da.from_array(volume, chunks=(3, 8, 9)), axes="zyx", axis=axis).image
    np.testing.assert_array_equal(lazy.compute(), np.flip(volume, AXES[axis]))


@pytest.mark.parametrize("axis", ["vertical", "horizontal", "both"])
def test_labels_and_points_stay_registered(axis):
    labels = np.zeros((10, 14), np.int32)
    labels[2, 3], labels[7, 11] = 4, 9
    points = Points(np.array([[2.0, 3.0], [7.0, 11.0]]))
    volume = Volume(labels, Geometry.of("yx", labels.shape, (2.0, 3.0), (5.0, 7.0)), role="labels")
    result, moved = lb.apply("flip", volume, points, axis=axis)
    assert [result.data[tuple(p.astype(int))] for p in moved.data] == [4, 9]
    assert result.geometry == volume.geometry


def test_depth_needs_a_volume():
    with pytest.raises(ParameterError, match="depth"):
        lb.apply("flip", np.zeros((4, 4)), axis="depth")
