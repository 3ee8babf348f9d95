"""Sigmoid against the closed form and SimpleITK."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from scipy.special import expit

import napari_lightbox as lb
from napari_lightbox.errors import ParameterError

CURVES = [(-3.0, 10.0, 0.0, 255.0), (1.2, 128.0, 0.0, 1.0), (40.0, 100.0, -2.0, 5.0)]


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16", "int32", "float16", "float32", "float64"])
@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize("shape", [(16, 17), (4, 8, 9)])
def test_equals_closed_form_and_simpleitk(dtype, curve, shape):
    alpha, beta, low, high = curve
    image = np.linspace(0, 127, np.prod(shape)).reshape(shape).astype(dtype)
    result = lb.apply("sigmoid_intensity", image, alpha=alpha, beta=beta, output_minimum=low, output_maximum=high)
    exact = image.astype(np.float64)
    with np.errstate(over="ignore"):
        closed = (high - low) / (1 + np.exp(-(exact - beta) / alpha)) + low
    span = high - low
    # computed in the precision of the result; table types are exact to their last rounding
    np.testing.assert_allclose(result, closed, rtol=0, atol=span * (1.2e-16 if result.dtype == np.float64 else 3e-7))
    from_itk = sitk.GetArrayFromImage(sitk.Sigmoid(sitk.GetImageFromArray(exact), alpha, beta, high, low))
    np.testing.assert_allclose(result, from_itk, rtol=0, atol=span * (2.3e-16 if result.dtype == np.float64 else 3e-7))


def test_beta_is_the_middle_and_negative_alpha_inverts():
    image = np.linspace(0, 255, 256).reshape(16, 16)
    rising = lb.apply("sigmoid_intensity", image, alpha=20, beta=128, output_maximum=10)
    falling = lb.apply("sigmoid_intensity", image, alpha=-20, beta=128, output_maximum=10)
    assert rising.ravel()[128] == 5
    assert (np.diff(rising.ravel()) > 0).all()
    np.testing.assert_allclose(rising + falling, 10, rtol=1e-15)
    softer = lb.apply("sigmoid_intensity", image, alpha=60, beta=128, output_maximum=10)
    assert np.gradient(softer.ravel())[128] < np.gradient(rising.ravel())[128]


@pytest.mark.parametrize(("alpha", "first"), [(1.2, 173), (1.5, 184)])
def test_same_type_cuts_off_as_itk_does(alpha, first):
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    result = lb.apply("sigmoid_intensity", levels, alpha=alpha, output="same")
    assert result.dtype == np.uint8
    assert result.argmax() == first
    for low, high in ((0, 1), (0, 255), (10, 90)):
        result = lb.apply("sigmoid_intensity", levels, alpha=20, output_minimum=low, output_maximum=high, output="same")
        expected = sitk.Sigmoid(sitk.GetImageFromArray(levels), 20, 128, high, low)
        np.testing.assert_array_equal(result, sitk.GetArrayFromImage(expected))


def test_logistic_and_relu():
    image = np.linspace(-40, 40, 401).reshape(1, -1)
    logistic = lb.apply("sigmoid_intensity", image, function="logistic")
    np.testing.assert_allclose(logistic, expit(image), rtol=1e-15)
    np.testing.assert_allclose(logistic + logistic[:, ::-1], 1, rtol=4e-15)
    relu = lb.apply("sigmoid_intensity", image, function="relu")
    np.testing.assert_array_equal(relu, np.maximum(image, 0))
    np.testing.assert_array_equal(lb.apply("sigmoid_intensity", relu, function="relu"), relu)
    small = np.arange(-128, 128, dtype=np.int8).reshape(16, 16)
    np.testing.assert_array_equal(lb.apply("sigmoid_intensity", small, function="relu"), np.maximum(small, 0))


def test_extremes():
    image = np.array([[np.nan, -np.inf, np.inf, 1e300]])
    np.testing.assert_array_equal(lb.apply("sigmoid_intensity", image), [[np.nan, 0, 1, 1]])
    with pytest.raises(ParameterError, match="alpha"):
        lb.apply("sigmoid_intensity", image, alpha=0)
