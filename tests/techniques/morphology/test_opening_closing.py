"""Opening and closing: scipy, idempotence, order, duality, planted specks and gaps."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from napari_lightbox.kernels.footprint import make_footprint
from napari_lightbox.techniques.morphology.morphological_closing import morphological_closing as closing
from napari_lightbox.techniques.morphology.morphological_opening import morphological_opening as opening

CASES = [("box", 1), ("ball", 5), ("cross", 2), ("diamond", 3), ("disk", 2)]


def noise(shape, dtype):
    smooth = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=shape), 1.0)
    return (127 + 300 * smooth).clip(0, 255).round().astype(dtype)  # whole numbers: 255 - image is exact in float32 too


@pytest.mark.parametrize(("shape", "radius"), CASES)
@pytest.mark.parametrize("extent", [(40, 37), (12, 20, 22)])
@pytest.mark.parametrize("dtype", ["uint8", "int32", "float32"])
def test_idempotent_and_ordered(shape, radius, extent, dtype):
    image = noise(extent, dtype)
    opened, closed = opening(image, shape=shape, radius=radius), closing(image, shape=shape, radius=radius)
    assert (opened <= image).all()
    assert (closed >= image).all()
    np.testing.assert_array_equal(opening(opened, shape=shape, radius=radius), opened)
    np.testing.assert_array_equal(closing(closed, shape=shape, radius=radius), closed)
    np.testing.assert_array_equal(255 - closing(255 - image, shape=shape, radius=radius), opened)


@pytest.mark.parametrize("ndim", [2, 3])
def test_equal_to_scipy_away_from_the_border(ndim):
    image = noise((18,) * ndim, "uint8")
    cells = make_footprint("ball", (2,) * ndim).cells
    inner = (slice(4, -4),) * ndim
    pairs = (opening, ndimage.grey_opening), (closing, ndimage.grey_closing)
    for ours, theirs in pairs:
        expected = theirs(image, footprint=cells)
        np.testing.assert_array_equal(ours(image, shape="ball", radius=2)[inner], expected[inner])


@pytest.mark.parametrize("ndim", [2, 3])
def test_equal_to_itk_away_from_the_border(ndim):
    sitk = pytest.importorskip("SimpleITK")
    image = noise((20,) * ndim, "uint8")
    inner = (slice(4, -4),) * ndim  # there ITK's safe border takes what lies outside for foreground
    for ours, itk in ((opening, sitk.GrayscaleMorphologicalOpening), (closing, sitk.GrayscaleMorphologicalClosing)):
        expected = sitk.GetArrayFromImage(itk(sitk.GetImageFromArray(image), [2] * ndim, sitk.sitkBox, True))
        np.testing.assert_array_equal(ours(image, radius=2)[inner], expected[inner])


def test_a_speck_goes_and_a_disk_stays():
    y, x = np.mgrid[:80, :80]
    disk = np.hypot(y - 40, x - 40) <= 15
    image = disk | ((abs(y - 10) <= 1) & (abs(x - 10) <= 1))
    opened = opening(image, shape="ball", radius=5)
    assert not opened[:20, :20].any()
    assert (opened & disk).sum() == opened.sum()
    assert opened.sum() > 0.98 * disk.sum()


def test_a_gap_closes_and_touching_the_border_is_safe():
    image = np.zeros((30, 30), np.uint8)
    image[:, :14] = 1
    image[:, 17:] = 1
    np.testing.assert_array_equal(closing(image, radius=2), np.ones_like(image))
    np.testing.assert_array_equal(closing(image, radius=1), image)


def test_iterations_repeat_each_half():
    image = noise((30, 30), "uint8")
    np.testing.assert_array_equal(opening(image, iterations=3), opening(image, radius=3))
