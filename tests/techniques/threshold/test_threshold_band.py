"""Threshold between limits against NumPy and SimpleITK."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from skimage import data

import napari_lightbox as lb
from napari_lightbox.errors import ParameterError


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "int32", "float32", "float64"])
@pytest.mark.parametrize(("lower", "upper"), [(0, 255), (90, 160), (90.5, 160.5), (-5, 3), (200, 1e6), (100, 100)])
def test_equals_numpy_and_simpleitk(dtype, lower, upper):
    image = data.camera()[::4, ::4].astype(dtype)
    result = lb.apply("threshold_band", image, lower=lower, upper=upper, inside=3, outside=1)
    np.testing.assert_array_equal(result, np.where((image >= lower) & (image <= upper), 3, 1))
    if image.dtype.kind == "f":
        from_itk = sitk.BinaryThreshold(sitk.GetImageFromArray(image), lower, upper, 3, 1)
        np.testing.assert_array_equal(result, sitk.GetArrayFromImage(from_itk))


def test_volume_and_defaults():
    image = np.random.default_rng(0).integers(-300, 600, (5, 6, 7)).astype(np.int16)
    result = lb.apply("threshold_band", image)
    assert result.dtype == np.int32
    np.testing.assert_array_equal(result, (image >= 0) & (image <= 255))


def test_missing_values_lie_outside_and_limits_are_checked():
    np.testing.assert_array_equal(lb.apply("threshold_band", np.array([[np.nan, 1, np.inf]]), upper=2), [[0, 1, 0]])
    with pytest.raises(ParameterError, match="lower"):
        lb.apply("threshold_band", np.zeros((3, 3)), lower=2, upper=1)
