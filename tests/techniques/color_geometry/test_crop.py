"""Crop equals slicing, keeps places in the world, and resizes as OpenCV does."""

from __future__ import annotations

from itertools import product

import cv2
import dask.array as da
import numpy as np
import pytest
from skimage.transform import resize

import napari_lightbox as lb
from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.contract.values import Points, Shapes
from napari_lightbox.errors import InputError, ParameterError

OPENCV = {"cubic": cv2.INTER_CUBIC, "linear": cv2.INTER_LINEAR, "area": cv2.INTER_AREA}


def indices(shape):
    """Return an image whose values are the pixel indices."""
    return np.arange(np.prod(shape)).reshape(shape)


def test_margins_and_box_equal_slices():
    volume = indices((6, 30, 40))
    margins = lb.apply("crop", volume, before=(1, 5, 7), after=(0, 2, 3)).image
    np.testing.assert_array_equal(margins, volume[1:, 5:28, 7:37])
    box = lb.apply("crop", volume, mode="box", start=(0, 3, 4), stop=(4, 9, 400)).image
    np.testing.assert_array_equal(box, volume[:4, 3:9, 4:])
    np.testing.assert_array_equal(lb.apply("crop", volume).image, volume)
    assert not np.shares_memory(lb.apply("crop", volume, before=1).image, volume)


def test_frames_and_colours_are_cut_alike(rng):
    video = rng.integers(0, 255, (3, 20, 30, 3), dtype=np.uint8)
    np.testing.assert_array_equal(lb.apply("crop", video, axes="tyxc", before=(2, 3), after=4).image, video[:, 2:16, 3:26])


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize(
    ("interpolation", "size"),  # OpenCV takes another rule for area when it enlarges
    [*product(("cubic", "linear"), [(20, 25), (9, 70), (100, 130)]), ("area", (20, 25)), ("area", (9, 60))],
)
def test_resizing_equals_opencv(rng, dtype, interpolation, size):
    image = (rng.uniform(0, 1, (60, 80)) * (1 if dtype == "float32" else 255)).astype(dtype)
    result = lb.apply("crop", image, mode="box", start=(5, 8), stop=(55, 68), size=size, interpolation=interpolation).image
    wanted = cv2.resize(np.ascontiguousarray(image[5:55, 8:68]), size[::-1], interpolation=OPENCV[interpolation])
    assert result.shape == size
    assert result.dtype == image.dtype
    limit = 1e-4 if dtype == "float32" else 1
    assert np.abs(result.astype(float) - wanted).max() <= limit


@pytest.mark.parametrize("size", [(20, 25), (9, 70), (100, 130)])
def test_nearest_equals_scikit_image(size):
    image = indices((60, 80))
    result = lb.apply("crop", image, mode="box", start=(5, 8), stop=(55, 68), size=size, interpolation="nearest").image
    np.testing.assert_array_equal(result, resize(image[5:55, 8:68], size, order=0, preserve_range=True))


def test_interpolation_is_honoured(rng):
    image = rng.uniform(size=(20, 20))
    results = [lb.apply("crop", image, size=13, interpolation=name).image for name in ("nearest", "linear", "cubic", "area")]
    for i, one in enumerate(results):
        assert all(np.abs(one - other).max() > 0.05 for other in results[i + 1 :])


@pytest.mark.parametrize(
    "parameters",
    [{"before": (1, 3, 4), "after": 2}, {"mode": "box", "start": 2, "size": (4, 33, 20)}, {"size": 9, "interpolation": "area"}],
)
def test_tiles_agree_bit_for_bit(rng, parameters):
    volume = rng.integers(0, 255, (8, 30, 33), dtype=np.uint8)
    whole = lb.apply("crop", volume, axes="zyx", **parameters).image
    lazy = lb.apply("crop", da.from_array(volume, chunks=(3, 8, 11)), axes="zyx", **parameters).image
    np.testing.assert_array_equal(lazy.compute(), whole)


def test_world_positions_labels_and_points():
    labels = np.zeros((50, 70), np.int32)
    labels[20:30, 30:50] = 600
    geometry = Geometry.of("yx", labels.shape, (0.5, 2.0), (100.0, -50.0))
    points = Points(np.array([[25.0, 40.0]]))
    for size in (None, (33, 21)):
        result, moved = lb.apply("crop", Volume(labels, geometry, role="labels"), points, before=(5, 9), after=(3, 1), size=size)
        assert set(np.unique(result.data)) == {0, 600}
        assert result.data[tuple(np.rint(moved.data[0]).astype(int))] == 600
        to_world = result.geometry.affine
        np.testing.assert_allclose(to_world[:2, :2] @ moved.data[0] + to_world[:2, 2], (100 + 25 * 0.5, -50 + 40 * 2.0))


def test_nothing_left_is_refused():
    for parameters in ({"before": 6, "after": 5}, {"mode": "box", "start": 8, "stop": 8}):
        with pytest.raises(ParameterError, match="leave nothing"):
            lb.apply("crop", np.zeros((10, 10)), **parameters)


def rectangle(*corners):
    """Return one rectangle through its lowest and highest corner, as napari keeps it."""
    low, high = np.array(corners, float)
    vertices = np.stack([low, low, high, high])
    vertices[1, -1], vertices[3, -1] = high[-1], low[-1]
    return Shapes([vertices], ["rectangle"])


@pytest.mark.parametrize("lazy", [False, True])
def test_a_rectangle_keeps_the_pixels_whose_centres_it_covers(lazy):
    volume = indices((6, 30, 40))
    image = da.from_array(volume, chunks=(2, 11, 13)) if lazy else volume
    drawn = lb.apply("crop", image, None, rectangle((2, 4.6, 7.0), (2, 12.4, 50)), mode="shapes", axes="zyx").image
    np.testing.assert_array_equal(drawn, volume[:, 5:13, 7:], err_msg="flat along z: every plane is cut")
    flat = lb.apply("crop", image, None, rectangle((4.6, 7.0), (12.4, 9.5)), mode="shapes", axes="zyx").image
    np.testing.assert_array_equal(flat, volume[:, 5:13, 7:10], err_msg="two axes are those of the plane")
    deep = Shapes([np.array([(1, 0, 3), (4, 8, 9.0)])], ["path"])
    np.testing.assert_array_equal(lb.apply("crop", image, None, deep, mode="shapes", axes="zyx").image, volume[1:5, :9, 3:10])


def test_several_shapes_keep_what_encloses_them():
    image = indices((30, 40))
    both = Shapes([*rectangle((2, 3), (5, 6)).data, *rectangle((20, 30), (25, 33)).data], ["rectangle"] * 2)
    np.testing.assert_array_equal(lb.apply("crop", image, None, both, mode="shapes").image, image[2:26, 3:34])


@pytest.mark.parametrize("shapes", [None, Shapes([], []), rectangle((-9, -9), (-3, -2))])
def test_shapes_that_cut_nothing_say_so(shapes):
    with pytest.raises(InputError, match="shapes"):
        lb.apply("crop", indices((30, 40)), None, shapes, mode="shapes")
