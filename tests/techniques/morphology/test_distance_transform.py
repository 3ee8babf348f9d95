"""Distance transform: scipy, brute force, ITK, OpenCV, a disk with a known peak."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from napari_lightbox.errors import ParameterError
from napari_lightbox.techniques.morphology.distance_transform import distance_transform

SHAPES = [(31, 45), (9, 14, 17), (1, 20), (2, 1, 9), (40, 1)]
SPACING = (2.5, 0.7, 1.3)


def mask_of(shape, density=0.95):
    mask = np.random.default_rng(0).random(shape) < density
    mask.flat[0] = False
    return mask


def brute_force(mask, spacing, norm):
    targets = np.argwhere(~mask) * spacing
    pixels = np.indices(mask.shape).reshape(mask.ndim, -1).T * spacing
    return np.array([norm(targets - p).min() for p in pixels]).reshape(mask.shape)


NORMS = {
    "euclidean": lambda d: np.sqrt((d**2).sum(1)),
    "cityblock": lambda d: np.abs(d).sum(1),
    "chessboard": lambda d: np.abs(d).max(1),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("density", [0.5, 0.95, 0.999])
def test_euclidean_equals_scipy_to_single_precision(shape, density):
    mask = mask_of(shape, density)
    for spacing in ((1.0,) * mask.ndim, SPACING[-mask.ndim :]):
        found = distance_transform(mask, spacing=spacing).distance
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, ndimage.distance_transform_edt(mask, sampling=spacing), rtol=2e-7)


@pytest.mark.parametrize("length", [40, 1600])
def test_planes_are_correctly_rounded_and_equal_at_every_call(length):
    mask = np.ones((12, length), bool)
    mask[5, 0] = False
    y, x = np.indices(mask.shape)
    exact = np.sqrt((y - 5) ** 2 + x**2).astype(np.float32)
    for _ in range(5):
        np.testing.assert_array_equal(distance_transform(mask.copy()).distance, exact)


@pytest.mark.parametrize("shape", [(150, 150), (3, 140, 145), (135, 40, 7)])
@pytest.mark.parametrize("depth", [20, 63, 64, 65, 66])
def test_near_and_far_backgrounds_give_the_same_as_scipy(shape, depth):
    mask = np.ones(shape, bool)
    mask[..., depth:, :3] = False
    mask[0, -1] = mask[0, 0] = False
    exact = ndimage.distance_transform_edt(mask).astype(np.float32)
    np.testing.assert_array_equal(distance_transform(mask).distance, exact)


@pytest.mark.parametrize("metric", list(NORMS))
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("unit", ["px", "physical"])
def test_every_metric_and_index_equals_brute_force(metric, shape, unit):
    mask = mask_of(shape)
    spacing = np.array(SPACING[-mask.ndim :]) if unit == "physical" else np.ones(mask.ndim)
    found = distance_transform(mask, metric=metric, unit=unit, nearest=True, spacing=SPACING[-mask.ndim :])
    expected = brute_force(mask, spacing, NORMS[metric])
    np.testing.assert_allclose(found.distance, expected, rtol=1e-6)
    assert not mask[tuple(found.nearest)].any()
    way = (found.nearest - np.indices(mask.shape)).reshape(mask.ndim, -1).T * spacing
    np.testing.assert_allclose(NORMS[metric](way).reshape(mask.shape), expected, rtol=1e-6)
    without = distance_transform(mask, metric=metric, unit=unit, spacing=SPACING[-mask.ndim :])
    assert without.nearest is None
    np.testing.assert_allclose(without.distance, found.distance, rtol=1e-7)


@pytest.mark.parametrize("metric", ["cityblock", "chessboard"])
@pytest.mark.parametrize("shape", [(33, 40), (8, 15, 16)])
def test_whole_numbered_metrics_equal_scipy_exactly(metric, shape):
    mask = ndimage.gaussian_filter(np.random.default_rng(1).random(shape), 2) > 0.45
    expected = ndimage.distance_transform_cdt(mask, {"cityblock": "taxicab"}.get(metric, metric))
    np.testing.assert_array_equal(distance_transform(mask, metric=metric).distance, expected)


@pytest.mark.parametrize("shape", [(25, 31), (7, 11, 12)])
def test_touching_labels_are_background_to_each_other(shape):
    rng = np.random.default_rng(2)
    labels = np.where(rng.random(shape) < 0.1, rng.integers(0, 3, shape), 2).astype(np.int32)
    expected = sum(ndimage.distance_transform_edt(labels == k) for k in (1, 2))
    found = distance_transform(labels, per_label=True, nearest=True)
    np.testing.assert_allclose(found.distance, expected, rtol=2e-7)
    foreground = labels > 0
    assert (labels[tuple(found.nearest)] != labels)[foreground].all()
    together = distance_transform(labels).distance
    np.testing.assert_allclose(together, ndimage.distance_transform_edt(foreground), rtol=2e-7)


@pytest.mark.parametrize("shape", [(25, 31), (7, 11, 12)])
def test_signed_is_the_difference_of_both_sides(shape):
    mask = mask_of(shape, 0.5).astype(np.uint8)
    found = distance_transform(mask, signed=True, nearest=True)
    expected = ndimage.distance_transform_edt(mask) - ndimage.distance_transform_edt(1 - mask)
    np.testing.assert_allclose(found.distance, expected, rtol=2e-7)
    assert (mask[tuple(found.nearest)] != mask).all()


def test_equal_to_itks_maurer_map():
    sitk = pytest.importorskip("SimpleITK")
    mask = ndimage.gaussian_filter(np.random.default_rng(3).random((20, 24, 28)), 2) > 0.5
    image = sitk.GetImageFromArray(mask.astype(np.uint8))
    image.SetSpacing(SPACING[::-1])
    signed = sitk.SignedMaurerDistanceMap(image, squaredDistance=False, useImageSpacing=True)
    outside = ~mask  # inside, ITK measures to the outermost object pixels instead of the background
    found = distance_transform(outside, spacing=SPACING).distance
    np.testing.assert_allclose(found[outside], sitk.GetArrayFromImage(signed)[outside], rtol=2e-6)


def test_a_disk_of_radius_40_peaks_at_40():
    y, x = np.mgrid[-60:61, -60:61]
    disk = y * y + x * x < 40 * 40
    assert distance_transform(disk).distance.max() == 40.0
    z = np.arange(-45, 46)[:, None, None]
    ball = z * z + (y * y + x * x)[10:-10, 10:-10] < 40 * 40
    assert distance_transform(ball).distance.max() == 40.0


@pytest.mark.parametrize(("metric", "share"), [("opencv_5", 0.02), ("opencv_3", 0.05)])
def test_opencv_approximations_stay_near_the_exact_distance(metric, share):
    cv2 = pytest.importorskip("cv2")
    y, x = np.mgrid[:200, :200]
    mask = np.hypot(y - 100, x - 100) < 80
    exact, found = distance_transform(mask).distance, distance_transform(mask, metric=metric).distance
    assert np.abs(found - exact).max() <= share * exact.max()
    assert not np.array_equal(found, exact)
    expected = cv2.distanceTransform(mask.view(np.uint8), cv2.DIST_L2, int(metric[-1]))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("shape", [(6, 7), (3, 4, 5)])
def test_without_background_distances_are_infinite(shape):
    found = distance_transform(np.ones(shape, np.int32), nearest=True)
    assert np.isposinf(found.distance).all()
    assert (found.nearest == -1).all()
    assert np.isposinf(distance_transform(np.ones(shape, bool)).distance).all()
    assert np.isneginf(distance_transform(np.zeros(shape, bool), signed=True).distance).all()
    assert (distance_transform(np.zeros(shape, bool)).distance == 0).all()


def test_read_only_views_and_refusals():
    mask = mask_of((12, 14)).T[::-1]
    mask.flags.writeable = False
    np.testing.assert_allclose(distance_transform(mask).distance, ndimage.distance_transform_edt(mask), rtol=2e-7)
    with pytest.raises(ParameterError, match="planes only"):
        distance_transform(np.ones((3, 3, 3), bool), metric="opencv_5")
    with pytest.raises(ParameterError, match="indices"):
        distance_transform(np.ones((3, 3), bool), metric="opencv_5", nearest=True)
