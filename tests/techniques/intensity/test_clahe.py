"""CLAHE against scikit-image, OpenCV and SimpleITK."""

from __future__ import annotations

import cv2
import dask.array as da
import numpy as np
import pytest
import SimpleITK as sitk
from skimage import data
from skimage.exposure import equalize_adapthist as reference

import napari_lightbox as lb
from napari_lightbox.errors import InputError


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64", "bool"])
@pytest.mark.parametrize("options", [{}, {"clip_limit": 0.03}, {"clip_limit": 0.0}, {"kernel_size": (9, 14)}, {"bins": 100}])
def test_equals_scikit_image_in_two_dimensions(dtype, options):
    camera = data.camera()[100:251, 120:257]
    image = camera > 100 if dtype == "bool" else (camera / (255 if dtype.startswith("f") else 1)).astype(dtype)
    expected = reference(image, **{"nbins" if k == "bins" else k: v for k, v in options.items()})
    # the maps are equal bit for bit; only the last division is rounded to float32
    np.testing.assert_allclose(lb.apply("clahe", image, **options), expected, rtol=0, atol=6e-8)


@pytest.mark.parametrize("options", [{}, {"kernel_size": 6}, {"kernel_size": (3, 11, 8), "clip_limit": 0.05}])
def test_equals_scikit_image_in_three_dimensions(options):
    volume = np.random.default_rng(0).random((16, 27, 33)) ** 3
    np.testing.assert_array_equal(lb.apply("clahe", volume, **options), reference(volume, **options))


def test_coffee():
    result = lb.apply("clahe", data.coffee(), clip_limit=0.03)
    assert result.shape == (400, 600, 3)
    assert (result.min(), result.max()) == (0, 1)
    assert result.mean() == pytest.approx(0.3228, abs=5e-5)
    assert result.std() == pytest.approx(0.2733, abs=5e-5)
    np.testing.assert_allclose(result, reference(data.coffee(), clip_limit=0.03), atol=2e-7)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_opencv_backend(dtype):
    image = data.moon()[:256, :256].astype(dtype) * (1 if dtype == "uint8" else 200)
    levels = 256 if dtype == "uint8" else 65536
    result = lb.apply("clahe", image, backend="opencv", clip_limit=2 / levels, kernel_size=(32, 64))
    np.testing.assert_array_equal(result, cv2.createCLAHE(2, (4, 8)).apply(image))
    with pytest.raises(InputError, match="OpenCV"):
        lb.apply("clahe", image.astype(np.float32), backend="opencv")


def test_simpleitk_backend():
    image = data.camera()[::16, ::16].astype(np.float32)
    result = lb.apply("clahe", image, backend="simpleitk", kernel_size=(9, 5), alpha=0.2, beta=0.4)
    expected = sitk.AdaptiveHistogramEqualization(sitk.GetImageFromArray(image), [2, 4], 0.2, 0.4)
    np.testing.assert_array_equal(result, sitk.GetArrayFromImage(expected))


def test_local_contrast_rises_in_dark_regions():
    rng = np.random.default_rng(0)
    image = rng.normal(40, 2, (128, 128)) + np.linspace(0, 150, 128)[None]
    image = image.clip(0, 255).astype(np.uint8)
    dark = (slice(0, 64), slice(0, 16))
    assert lb.apply("clahe", image, clip_limit=0.05)[dark].std() > 2.5 * (image[dark] / 255).std()


def test_any_intensity_scale_gives_the_same():
    hounsfield = (data.camera()[:80, :90].astype(np.int16) - 100) * 10
    expected = reference((hounsfield - hounsfield.min()).astype(np.uint16))
    np.testing.assert_allclose(lb.apply("clahe", hounsfield), expected, atol=6e-8)
    np.testing.assert_allclose(lb.apply("clahe", hounsfield.astype(np.float64) * 7), expected, atol=6e-8)


def test_flat_missing_and_lazy():
    np.testing.assert_array_equal(lb.apply("clahe", np.full((20, 20), 77, np.uint8)), 0)
    image = np.random.default_rng(0).random((40, 50)).astype(np.float32)
    holed = image.copy()
    holed[3, 4] = np.nan
    result = lb.apply("clahe", holed)
    assert np.isnan(result[3, 4])
    assert np.isfinite(result).sum() == image.size - 1
    stack = np.stack([image, image[::-1]])
    lazy = lb.apply("clahe", da.from_array(stack, chunks=(1, 13, 20)), axes="tyx")
    np.testing.assert_array_equal(lazy, np.stack([lb.apply("clahe", f) for f in stack]))
