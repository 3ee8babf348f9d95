"""Fill holes: scipy, ITK, hollow boxes with and without a pinhole."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from napari_lightbox.errors import ParameterError
from napari_lightbox.techniques.morphology.binary_fill_holes import binary_fill_holes


def hollow_box(pinhole):
    box = np.zeros((14, 16, 18), np.int32)
    box[2:12, 3:13, 4:14] = 1
    box[4:10, 5:11, 6:12] = 0
    if pinhole:
        box[2:4, 7, 8] = 0
    return box


@pytest.mark.parametrize("shape", [(40, 50), (9, 12, 13), (1, 30), (5, 1, 7)])
@pytest.mark.parametrize("density", [0.3, 0.6, 0.8])
def test_masks_equal_scipy(shape, density):
    mask = np.random.default_rng(0).random(shape) < density
    for connectivity in range(1, mask.ndim + 1):
        structure = ndimage.generate_binary_structure(mask.ndim, connectivity)
        expected = ndimage.binary_fill_holes(mask, structure)
        np.testing.assert_array_equal(binary_fill_holes(mask, connectivity=connectivity), expected)
        np.testing.assert_array_equal(binary_fill_holes(mask.astype(np.uint8), connectivity=connectivity), expected)


@pytest.mark.parametrize("shape", [(30, 31), (9, 12, 13)])
def test_masks_equal_itk(shape):
    sitk = pytest.importorskip("SimpleITK")
    mask = (np.random.default_rng(1).random(shape) < 0.7).astype(np.uint8)
    expected = sitk.GetArrayFromImage(sitk.BinaryFillhole(sitk.GetImageFromArray(mask)))
    np.testing.assert_array_equal(binary_fill_holes(mask), expected)


def test_a_closed_box_fills_to_its_volume():
    filled = binary_fill_holes(hollow_box(pinhole=False))
    assert filled.dtype == np.int32
    assert filled.sum() == 10 * 10 * 10


def test_a_pinhole_keeps_the_cavity_open_but_not_its_slices():
    box = hollow_box(pinhole=True)
    np.testing.assert_array_equal(binary_fill_holes(box), box)
    per_slice = binary_fill_holes(box, per_slice=True)
    assert per_slice.sum() == 10 * 10 * 10


def test_holes_take_the_label_of_their_rim():
    labels = np.zeros((12, 20), np.int32)
    labels[1:8, 1:8] = 4
    labels[3:6, 3:6] = 0
    labels[1:8, 10:14] = 9
    labels[1:8, 14:19] = 2
    labels[4, 12:15] = 0
    filled = binary_fill_holes(labels)
    assert (filled[3:6, 3:6] == 4).all()
    assert (filled[4, 12:15] == 9).all()
    np.testing.assert_array_equal(filled[labels > 0], labels[labels > 0])


def test_diagonal_gaps_leak_at_full_connectivity():
    ring = np.zeros((5, 5), bool)
    ring[[1, 2, 2, 3], [2, 1, 3, 2]] = True
    assert binary_fill_holes(ring)[2, 2]
    assert not binary_fill_holes(ring, connectivity=2)[2, 2]


def test_refusals_and_emptiness():
    with pytest.raises(ParameterError, match="3 does not exist in 2D"):
        binary_fill_holes(np.ones((3, 3, 3), bool), connectivity=3, per_slice=True)
    assert binary_fill_holes(np.zeros((0, 4), bool)).shape == (0, 4)
    assert not binary_fill_holes(np.zeros((4, 4), bool)).any()
