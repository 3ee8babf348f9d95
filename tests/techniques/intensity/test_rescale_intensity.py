"""Min-max scaling against SimpleITK and scikit-learn."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
import SimpleITK as sitk
from sklearn.preprocessing import MinMaxScaler

import napari_lightbox as lb
from napari_lightbox.errors import ParameterError

TYPES = ["uint8", "int8", "uint16", "int16", "int32", "uint64", "float16", "float32", "float64"]


def picture(dtype, shape=(20, 31)):
    return np.random.default_rng(0).uniform(3, 120, shape).astype(dtype)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("limits", [(0, 1), (0, 255), (-0.1, 0.3)])
@pytest.mark.parametrize("shape", [(20, 31), (5, 9, 11)])
def test_equals_simpleitk_and_scikit_learn(dtype, limits, shape):
    image = picture(dtype, shape)
    result = lb.apply("rescale_intensity", image, output_minimum=limits[0], output_maximum=limits[1])
    kind = result.dtype
    assert kind == (np.float64 if np.dtype(dtype).itemsize >= 4 and dtype != "float32" else np.float32)
    assert (result.min(), result.max()) == (kind.type(limits[0]), kind.type(limits[1]))
    exact = image.astype(np.float64)
    tolerance = {"rtol": 0, "atol": 4 * np.finfo(kind).eps * max(np.abs(limits))}
    from_itk = sitk.GetArrayFromImage(sitk.RescaleIntensity(sitk.GetImageFromArray(exact), *limits))
    np.testing.assert_allclose(result, from_itk, **tolerance)
    scaler = MinMaxScaler(limits).fit_transform(exact.reshape(-1, 1)).reshape(shape)
    np.testing.assert_allclose(result, scaler, **tolerance)


@pytest.mark.parametrize("dtype", TYPES)
def test_division_by_maximum(dtype):
    image = picture(dtype)
    result = lb.apply("rescale_intensity", image, method="maximum")
    np.testing.assert_allclose(result, image / image.astype(np.float64).max(), rtol=1e-6)
    signed = np.array([[-2.0, 0.0, 4.0]])
    np.testing.assert_array_equal(lb.apply("rescale_intensity", signed, method="maximum", output_maximum=2), [[-1, 0, 2]])
    np.testing.assert_array_equal(lb.apply("rescale_intensity", -np.abs(signed) - 1, method="maximum"), [[0, 0, 0]])


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "int32"])
def test_same_type_is_rounded_and_clipped(dtype):
    image = picture(dtype)
    result = lb.apply("rescale_intensity", image, output_maximum=100, output="same")
    low, high = float(image.min()), float(image.max())
    assert result.dtype == dtype
    np.testing.assert_array_equal(result, np.rint((image - low) / (high - low) * 100))
    assert lb.apply("rescale_intensity", image, output_maximum=1e12, output="same").max() == np.iinfo(dtype).max


def test_constant_missing_and_infinite():
    np.testing.assert_array_equal(lb.apply("rescale_intensity", np.full((3, 3), 9, np.uint8)), 0)
    np.testing.assert_array_equal(lb.apply("rescale_intensity", np.full((3, 3), 9.5), output_minimum=-1), -1)
    holed = np.array([[np.nan, 1, 2, 3, np.inf, -np.inf]], np.float32)
    np.testing.assert_array_equal(lb.apply("rescale_intensity", holed), [[np.nan, 0, 0.5, 1, 1, 0]])
    np.testing.assert_array_equal(lb.apply("rescale_intensity", np.array([[np.nan, np.nan]])), [[np.nan, np.nan]])
    with pytest.raises(ParameterError, match="output_minimum"):
        lb.apply("rescale_intensity", holed, output_minimum=2)


def test_mask_and_scope():
    stack = np.stack([picture("float32"), 3 * picture("float32")])
    mask = stack[0] < 60
    inside = stack[0][mask]
    expected = np.clip((stack[0] - inside.min()) / np.ptp(inside), 0, 1)
    np.testing.assert_allclose(lb.apply("rescale_intensity", stack[0], mask), expected, atol=1e-6)
    frames = lb.apply("rescale_intensity", stack, axes="tyx")
    assert (frames.max(axis=(1, 2)) == 1).all()
    layer = lb.apply("rescale_intensity", stack, axes="tyx", scope="layer")
    np.testing.assert_allclose(layer, (stack - stack.min()) / np.ptp(stack), atol=1e-6)
    planes = lb.apply("rescale_intensity", stack, axes="zyx", scope="plane")
    np.testing.assert_array_equal(planes, frames)


def test_lazy_equals_eager():
    image = picture("float32", (33, 47))
    lazy = lb.apply("rescale_intensity", da.from_array(image, chunks=(10, 13)))
    np.testing.assert_array_equal(lazy, lb.apply("rescale_intensity", image))
