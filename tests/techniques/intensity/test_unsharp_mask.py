"""Unsharp mask against scikit-image and OpenCV."""

from __future__ import annotations

import cv2
import dask.array as da
import numpy as np
import pytest
from scipy import ndimage
from skimage import data
from skimage.filters import unsharp_mask as reference

import napari_lightbox as lb


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32", "float64"])
@pytest.mark.parametrize("shape", [(40, 51), (10, 15, 18)])
@pytest.mark.parametrize(("radius", "amount"), [(1.0, 1.0), (2.5, 0.7), (5.0, 3.0)])
def test_equals_scikit_image(dtype, shape, radius, amount):
    limits = (0, 255) if dtype == "uint8" else (-2000, 30000) if dtype != "uint16" else (0, 65535)
    image = np.random.default_rng(0).uniform(*limits, shape).astype(dtype)
    result = lb.apply("unsharp_mask", image, radius=radius, amount=amount)
    expected = reference(image.astype(np.float64), radius, amount, preserve_range=True)
    assert result.dtype == dtype
    if result.dtype.kind == "f":
        np.testing.assert_allclose(result, expected, rtol=1e-6, atol=1e-6 * np.abs(expected).max())
    else:
        info = np.iinfo(dtype)
        np.testing.assert_array_equal(result, np.rint(expected).clip(info.min, info.max))


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_laplacian_kernel(dtype):
    image = data.camera()[::3, ::3].astype(dtype)
    kernel = np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]], np.float32)
    expected = cv2.filter2D(image, -1, kernel, borderType=cv2.BORDER_REFLECT)
    np.testing.assert_array_equal(lb.apply("unsharp_mask", image, method="laplacian"), expected)
    volume = np.random.default_rng(0).integers(0, 999, (6, 8, 7)).astype(np.int32)
    expected = volume - 2 * ndimage.laplace(volume)
    np.testing.assert_array_equal(lb.apply("unsharp_mask", volume, method="laplacian", amount=2), expected)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float16", "float64"])
@pytest.mark.parametrize("method", ["gaussian", "laplacian"])
def test_amount_zero_and_constants(dtype, method):
    image = np.random.default_rng(0).uniform(0, 90, (12, 13)).astype(dtype)
    np.testing.assert_array_equal(lb.apply("unsharp_mask", image, amount=0, method=method), image)
    constant = np.full((12, 13), 1, dtype)
    np.testing.assert_allclose(lb.apply("unsharp_mask", constant, amount=3, method=method), constant, rtol=1e-12)


def test_overshoot_grows_with_amount():
    step = ndimage.gaussian_filter(np.repeat([[0.0] * 20 + [1.0] * 20], 9, axis=0), 2)
    heights = [lb.apply("unsharp_mask", step, radius=2, amount=a).max() for a in (0, 0.5, 1, 2)]
    assert (np.diff(heights) > 0.01).all()


def test_radius_in_physical_units():
    volume = np.random.default_rng(0).random((9, 14, 15))
    physical = lb.apply("unsharp_mask", volume, radius=2, unit="physical", spacing=(4, 1, 0.5))
    np.testing.assert_array_equal(physical, lb.apply("unsharp_mask", volume, radius=(0.5, 2, 4)))


@pytest.mark.parametrize("method", ["gaussian", "laplacian"])
def test_lazy_equals_eager_bit_for_bit(method):
    image = data.camera()[:70, :80]
    lazy = lb.apply("unsharp_mask", da.from_array(image, chunks=(19, 23)), method=method, radius=2, amount=1.7)
    np.testing.assert_array_equal(lazy, lb.apply("unsharp_mask", image, method=method, radius=2, amount=1.7))


def test_a_hole_spoils_its_window_only():
    image = data.camera()[:40, :50].astype(np.float32)
    holed = image.copy()
    holed[20, 30] = np.nan
    result = lb.apply("unsharp_mask", holed)
    assert np.isnan(result[16:25, 26:35]).all()
    assert np.isnan(result).sum() == 81
