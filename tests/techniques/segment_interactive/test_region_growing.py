"""Seeded region growing: equality with scikit-image and ITK, planted objects, several seeds."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
import SimpleITK as sitk
from scipy import ndimage
from skimage.segmentation import flood as skimage_flood

from napari_lightbox.engine.apply import apply
from napari_lightbox.errors import InputError
from napari_lightbox.kernels.flood import within
from napari_lightbox.techniques.segment_interactive.region_growing import region_growing

SHAPES = [(41, 50), (15, 16, 17)]
DTYPES = ["uint8", "uint16", "int16", "float32", "float64"]


def blobs(shape, dtype, seed=0):
    smooth = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), 2)
    return ((smooth - smooth.min()) / np.ptp(smooth) * 250).astype(dtype)


def clicked(shape, place, label=7):
    seeds = np.zeros(shape, np.int32)
    seeds[place] = label
    return seeds


def places(shape, count=4):
    rng = np.random.default_rng(9)
    return [tuple(int(rng.integers(0, n)) for n in shape) for _ in range(count)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_tolerance_equals_scikit_image_flood(shape, dtype):
    image = blobs(shape, dtype)
    for place in places(shape):
        for connectivity in range(1, len(shape) + 1):
            reference = skimage_flood(image, place, connectivity=connectivity, tolerance=30)
            ours = region_growing(image, clicked(shape, place), tolerance=30, connectivity=connectivity)
            np.testing.assert_array_equal(ours, reference * 7)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_threshold_and_confidence_equal_itk(shape, dtype):
    image = blobs(shape, dtype, 1)
    wrapped = sitk.GetImageFromArray(image)
    for place in places(shape):
        seeds, seed = clicked(shape, place), [place[::-1]]
        lower, upper = float(image[place]) - 20, float(image[place]) + 35
        reference = sitk.ConnectedThreshold(wrapped, seed, lower, upper, 7)
        ours = region_growing(image, seeds, method="threshold", lower=lower, upper=upper)
        np.testing.assert_array_equal(ours, sitk.GetArrayFromImage(reference))
        for iterations, radius, multiplier in [(0, 1, 2.5), (1, 2, 1.5), (4, 1, 1.5), (5, 2, 2.5)]:
            reference = sitk.ConfidenceConnected(wrapped, seed, iterations, multiplier, radius, 7)
            ours = region_growing(image, seeds, method="confidence", iterations=iterations, radius=radius, multiplier=multiplier)
            np.testing.assert_array_equal(ours, sitk.GetArrayFromImage(reference))


def test_several_seed_pixels_of_one_id_equal_itk():
    image = blobs((41, 50), "uint8", 2)
    seeds = np.zeros(image.shape, np.int32)
    at = places(image.shape, 6)
    for place in at:
        seeds[place] = 1
    reference = sitk.ConfidenceConnected(sitk.GetImageFromArray(image), [p[::-1] for p in at], 3, 1.0, 1, 1)
    ours = region_growing(image, seeds, method="confidence", iterations=3, multiplier=1.0)
    np.testing.assert_array_equal(ours, sitk.GetArrayFromImage(reference))


@pytest.mark.parametrize("shape", [(60, 60), (24, 26, 28)])
def test_a_planted_object_is_exact_below_its_contrast(shape):
    rng = np.random.default_rng(4)
    ball = ((np.indices(shape).T - np.array(shape) / 2) ** 2).sum(-1).T < 9**2
    image = (100 + 60 * ball + rng.integers(-9, 10, shape)).astype(np.uint8)
    seeds = clicked(shape, tuple(n // 2 for n in shape), 3)
    np.testing.assert_array_equal(region_growing(image, seeds, tolerance=30) == 3, ball)
    estimated = region_growing(image, seeds) == 3
    assert 2 * (estimated & ball).sum() / (estimated.sum() + ball.sum()) > 0.95


def test_unsigned_differences_do_not_wrap():
    image = np.array([[0, 5, 250, 255, 5]], np.uint8)
    assert region_growing(image, clicked(image.shape, (0, 0)), tolerance=10).tolist() == [[7, 7, 0, 0, 0]]
    assert region_growing(image, clicked(image.shape, (0, 3)), tolerance=10).tolist() == [[0, 0, 7, 7, 0]]
    top = np.array([[0, 2**64 - 1]], np.uint64)
    assert within(top, 1, 1e30).tolist() == [[False, True]]
    assert within(top, -np.inf, -1.0).tolist() == [[False, False]]
    assert within(np.array([-128, 127], np.int8), -1e9, 126.5).tolist() == [True, False]


def test_several_ids_grow_regions_of_their_own_and_share_by_grey_value():
    image = np.repeat([[10, 10, 16, 24, 30, 30]], 4, axis=0).astype(np.uint16)
    seeds = np.zeros(image.shape, np.int64)
    seeds[1, 0], seeds[1, 5] = 2, 300
    labels = region_growing(image, seeds, tolerance=15)
    assert labels.dtype == np.int64
    assert labels[0].tolist() == [2, 2, 2, 300, 300, 300]
    only = region_growing(image, np.where(seeds == 2, 2, 0), tolerance=15)
    assert only[0].tolist() == [2, 2, 2, 2, 0, 0]


def test_walls_masks_and_missing_values():
    image = np.full((3, 7), 5.0)
    image[:, 5] = np.nan
    seeds = np.zeros(image.shape, np.int32)
    seeds[1, 0], seeds[:, 3] = 1, -1
    assert region_growing(image, seeds, tolerance=1)[0].tolist() == [1, 1, 1, 0, 0, 0, 0]
    mask = np.ones(image.shape, bool)
    mask[:, 1] = False
    assert region_growing(image, np.maximum(seeds, 0), mask, tolerance=1)[0].tolist() == [1, 0, 0, 0, 0, 0, 0]
    assert region_growing(image, np.maximum(seeds, 0), tolerance=1)[0].tolist() == [1, 1, 1, 1, 1, 0, 0]


def test_the_radius_may_be_physical():
    image = blobs((12, 30, 30), "float32", 6)
    seeds = clicked(image.shape, (6, 15, 15))
    physical = region_growing(image, seeds, method="confidence", radius=3.0, unit="physical", spacing=(3.0, 1.0, 1.5))
    pixels = region_growing(image, seeds, method="confidence", radius=(1.0, 3.0, 2.0))
    np.testing.assert_array_equal(physical, pixels)


def test_unusable_seeds_are_refused():
    image = blobs((20, 20), "uint8")
    with pytest.raises(InputError, match="Paint at least one"):
        region_growing(image, np.zeros(image.shape, np.int32))
    with pytest.raises(InputError, match="Widen the limits"):
        region_growing(image, clicked(image.shape, (3, 3)), method="threshold", lower=300)


def test_lazy_equals_eager():
    image, seeds = blobs((30, 32), "uint8", 8), clicked((30, 32), (14, 20))
    eager = apply(region_growing.technique, image, seeds, axes="yx", tolerance=40)
    lazy = apply(region_growing.technique, da.from_array(image, chunks=(7, 32)), seeds, axes="yx", tolerance=40)
    np.testing.assert_array_equal(np.asarray(lazy), eager)
    np.testing.assert_array_equal(eager, region_growing(image, seeds, tolerance=40))
