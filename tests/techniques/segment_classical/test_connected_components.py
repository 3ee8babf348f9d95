"""Connected components: library partitions, analytic counts, planted snake."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from skimage import data, measure

from napari_lightbox.errors import ParameterError
from napari_lightbox.kernels.label import label
from napari_lightbox.techniques.segment_classical.connected_components import connected_components


@pytest.mark.parametrize("shape", [(17, 23), (6, 9, 11), (1, 40), (3, 1, 25)])
@pytest.mark.parametrize("density", [0.2, 0.5, 0.8])
def test_masks_equal_scipy_at_every_connectivity(shape, density):
    mask = np.random.default_rng(1).random(shape) < density
    for connectivity in range(1, mask.ndim + 1):
        expected, count = ndimage.label(mask, ndimage.generate_binary_structure(mask.ndim, connectivity))
        for method in ("union_find", "two_pass", "skimage", "scipy"):
            found = connected_components(mask, connectivity=connectivity, method=method)
            assert found.dtype == np.int32
            np.testing.assert_array_equal(found, expected, err_msg=method)
        assert label(mask, connectivity)[1] == count


@pytest.mark.parametrize("connectivity", [1, 2])
def test_opencv_gives_the_same_plane(connectivity):
    mask = np.random.default_rng(2).random((40, 37)) < 0.45
    np.testing.assert_array_equal(
        connected_components(mask, connectivity=connectivity, method="opencv"),
        connected_components(mask, connectivity=connectivity),
    )


@pytest.mark.parametrize("connectivity", [1, 2])
@pytest.mark.parametrize("density", [0.3, 0.55, 0.9])
def test_large_planes_are_numbered_in_raster_order(connectivity, density):
    """OpenCV has an algorithm for each case, runs them in stripes on large planes, and promises no order."""
    mask = np.random.default_rng(4).random((1201, 997)) < density
    expected, _ = ndimage.label(mask, ndimage.generate_binary_structure(2, connectivity))
    np.testing.assert_array_equal(connected_components(mask, connectivity=connectivity), expected)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.uint32, np.int64, np.uint64])
@pytest.mark.parametrize("background", [0, 1])
def test_touching_values_stay_apart(dtype, background):
    values = np.random.default_rng(3).integers(0, 3, (7, 12, 9)).astype(dtype)
    values.flags.writeable = False
    for connectivity in (1, 2, 3):
        expected = measure.label(values, background=background, connectivity=connectivity)
        for method in ("union_find", "two_pass", "scipy"):
            found = connected_components(values, connectivity=connectivity, background=background, method=method)
            np.testing.assert_array_equal(found, expected, err_msg=method)


def test_every_value_is_foreground_when_the_background_does_not_occur():
    values = np.array([[0, 0, 1], [0, 1, 1]], np.uint8)
    np.testing.assert_array_equal(connected_components(values, background=-1), [[1, 1, 2], [1, 2, 2]])


def test_checkerboard_is_one_object_only_through_corners():
    board = np.indices((6, 7, 5)).sum(0) % 2 == 0
    assert connected_components(board, connectivity=1).max() == board.sum()
    assert connected_components(board, connectivity=2).max() == 1


def test_strided_input_and_holes():
    ring = np.zeros((9, 9), bool)
    ring[2:7, 2:7] = True
    ring[4, 4] = False
    holes = connected_components(ring.T[::-1], background=1)
    assert holes.max() == 2
    assert (holes == 2).sum() == 1


def test_a_long_snake_is_one_object():
    snake = np.zeros((41, 60), bool)
    snake[::2] = True
    snake[1::4, -1] = True
    snake[3::4, 0] = True
    assert connected_components(snake).max() == 1


def test_coins_are_counted_alike_by_all_libraries():
    mask = data.coins() > 130
    counts = {m: connected_components(mask, connectivity=2, method=m).max() for m in ("union_find", "skimage", "scipy", "opencv")}
    assert len(set(counts.values())) == 1
    found = connected_components(mask, connectivity=2)
    assert np.bincount(found.ravel())[1:].sum() == mask.sum()


@pytest.mark.parametrize("shape", [(0, 4), (3, 0, 2)])
def test_nothing_in_nothing_out(shape):
    assert connected_components(np.zeros(shape, bool)).shape == shape


def test_what_cannot_be_labelled_is_refused():
    with pytest.raises(ParameterError, match="3 does not exist in 2D"):
        connected_components(np.ones((3, 3), bool), connectivity=3)
    with pytest.raises(ParameterError, match="planes only"):
        connected_components(np.ones((3, 3, 3), bool), method="opencv")
