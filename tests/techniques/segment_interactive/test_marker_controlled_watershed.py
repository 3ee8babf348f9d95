"""Watershed from user markers: equality with ITK, planted objects, anisotropic spacing."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
import SimpleITK as sitk
from scipy import ndimage
from skimage import data
from skimage.segmentation import watershed as skimage_watershed

from napari_lightbox.engine.apply import apply
from napari_lightbox.errors import InputError, ParameterError
from napari_lightbox.kernels.slope import slope
from napari_lightbox.kernels.watershed import watershed
from napari_lightbox.techniques.segment_interactive.marker_controlled_watershed import marker_controlled_watershed

SHAPES = [(37, 41), (9, 12, 14)]


def scattered(rng, shape, share=0.02, ids=5):
    return np.where(rng.random(shape) < share, rng.integers(1, ids + 1, shape), 0).astype(np.int32)


def itk_watershed(landscape, markers, *, line, full):
    image, seeds = sitk.GetImageFromArray(landscape), sitk.GetImageFromArray(markers)
    return sitk.GetArrayFromImage(sitk.MorphologicalWatershedFromMarkers(image, seeds, line, full))


def dice(a, b):
    return 2 * (a & b).sum() / (a.sum() + b.sum())


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "float32", "float64"])
@pytest.mark.parametrize("levels", [3, 40, 10**6])
def test_flooding_equals_itk_with_and_without_ties(shape, dtype, levels):
    rng = np.random.default_rng(levels)
    landscape = (rng.integers(0, levels, shape) % (np.iinfo(dtype).max if np.dtype(dtype).kind in "iu" else levels)).astype(dtype)
    markers = scattered(rng, shape)
    for line in (False, True):
        for full in (False, True):
            ours = watershed(landscape, markers, connectivity=len(shape) if full else 1, line=line)
            np.testing.assert_array_equal(ours, itk_watershed(landscape, markers, line=line, full=full))


@pytest.mark.parametrize("shape", SHAPES)
def test_flooding_of_unique_values_inside_a_mask_equals_scikit_image(shape):
    rng = np.random.default_rng(1)
    landscape = rng.permutation(int(np.prod(shape))).reshape(shape).astype(np.float32)
    markers, mask = scattered(rng, shape), rng.random(shape) > 0.1
    for connectivity in range(1, len(shape) + 1):
        reference = skimage_watershed(landscape, markers, connectivity=connectivity, mask=mask)
        np.testing.assert_array_equal(watershed(landscape, markers, ~mask, connectivity=connectivity), reference)


@pytest.mark.parametrize(("shape", "spacing"), [((37, 41), (2.0, 0.7)), ((9, 12, 14), (3.0, 1.0, 0.5))])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_the_whole_technique_equals_itk_on_the_gradient(shape, spacing, dtype):
    rng = np.random.default_rng(2)
    image, markers = (rng.random(shape) * 200).astype(dtype), scattered(rng, shape)
    wrapped = sitk.GetImageFromArray(image)
    wrapped.SetSpacing(spacing[::-1])
    gradient = sitk.GetArrayFromImage(sitk.GradientMagnitude(wrapped))
    np.testing.assert_array_equal(slope(image, spacing), gradient)
    ours = marker_controlled_watershed(image, markers, spacing=spacing)
    np.testing.assert_array_equal(ours, itk_watershed(gradient, markers, line=True, full=False))


def test_rescaling_the_image_changes_nothing():
    rng = np.random.default_rng(3)
    image = rng.integers(0, 2**12, (40, 50)).astype(np.uint16)
    markers = scattered(rng, image.shape)
    rescaled = image.astype(np.float64) / 4096
    np.testing.assert_array_equal(marker_controlled_watershed(image, markers), marker_controlled_watershed(rescaled, markers))


@pytest.mark.parametrize("noise", [5, 20])
def test_three_clicks_find_a_noisy_disc(noise):
    rng = np.random.default_rng(noise)
    y, x = np.mgrid[:200, :200]
    disc = (y - 100) ** 2 + (x - 100) ** 2 < 50**2
    image = np.clip(50 + 100 * disc + rng.normal(0, noise, disc.shape), 0, 255).astype(np.uint8)
    seeds = np.zeros(disc.shape, np.int32)
    seeds[5, 5] = seeds[190, 190] = 1
    seeds[100, 100] = 2
    labels = marker_controlled_watershed(image, seeds)
    assert dice(labels == 2, disc) > 0.985
    assert np.array_equal(labels[seeds > 0], seeds[seeds > 0])


def test_a_ball_with_thick_slices_stays_at_its_physical_place():
    spacing = (3.0, 1.0, 1.0)
    grid = np.indices((16, 48, 48)) * np.reshape(spacing, (3, 1, 1, 1))
    ball = ((grid - 24) ** 2).sum(axis=0) < 15**2
    image = np.clip(200 - 8 * np.sqrt(((grid - 24) ** 2).sum(axis=0)), 0, 255).astype(np.float32)
    image[ball] += 80
    seeds = np.zeros(image.shape, np.int32)
    seeds[8, 24, 24], seeds[0, 0, 0] = 2, 1
    labels = marker_controlled_watershed(image, seeds, watershed_line=False, spacing=spacing)
    volume = (labels == 2).sum() * np.prod(spacing)
    assert abs(volume / (4 / 3 * np.pi * 15**3) - 1) < 0.12  # half a voxel of a surface of 3 x 1 x 1 voxels


def test_coins_are_counted():
    coins = data.coins()
    seeds = np.where(coins < 30, 1, np.where(coins > 150, 2, 0)).astype(np.int32)
    pieces, _ = ndimage.label(ndimage.binary_fill_holes(marker_controlled_watershed(coins, seeds) == 2))
    assert (np.bincount(pieces.ravel())[1:] > 100).sum() == 24


def test_mask_and_negative_seeds_are_walls():
    image = np.zeros((5, 9), np.uint8)
    seeds = np.zeros(image.shape, np.int32)
    seeds[2, 0], seeds[:, 4] = 7, -1
    labels = marker_controlled_watershed(image, seeds)
    assert (labels[:, :4] == 7).all()
    assert (labels[:, 4:] == 0).all()
    mask = np.ones(image.shape, bool)
    mask[:, 2] = False
    assert (marker_controlled_watershed(image, np.maximum(seeds, 0), mask)[:, 2:] == 0).all()


def test_colour_needs_the_gradient_and_uses_all_channels():
    image = np.zeros((20, 20, 3), np.uint8)
    image[:, 10:, 1] = 90
    seeds = np.zeros((20, 20), np.int64)
    seeds[3, 2], seeds[3, 17] = 4, 9
    labels = marker_controlled_watershed(image, seeds, watershed_line=False)
    assert labels.dtype == np.int64
    assert (labels[:, :9] == 4).all()
    assert (labels[:, 11:] == 9).all()
    with pytest.raises(InputError, match="colour"):
        marker_controlled_watershed(image, seeds, gradient=False)


def test_unusable_input_is_refused():
    image, seeds = np.zeros((5, 5)), np.zeros((5, 5), np.int32)
    with pytest.raises(InputError, match="Paint at least one"):
        marker_controlled_watershed(image, seeds)
    seeds[0, 0] = 1
    with pytest.raises(ParameterError, match="2D"):
        marker_controlled_watershed(image, seeds, connectivity=3)
    image[2, 2] = np.nan
    assert (marker_controlled_watershed(image, seeds) == 1).all()


def test_lazy_equals_eager_and_time_points_are_alone():
    rng = np.random.default_rng(5)
    image, seeds = rng.random((2, 24, 30)).astype(np.float32), scattered(rng, (2, 24, 30))
    eager = apply(marker_controlled_watershed.technique, image, seeds, axes="tyx")
    lazy = apply(
        marker_controlled_watershed.technique,
        da.from_array(image, chunks=(1, 10, 30)), da.from_array(seeds, chunks=(1, 24, 7)), axes="tyx",
    )  # fmt: skip
    np.testing.assert_array_equal(np.asarray(lazy), eager)
    np.testing.assert_array_equal(eager[1], marker_controlled_watershed(image[1], seeds[1]))
