"""Gray values against scikit-image and OpenCV."""

from __future__ import annotations

import cv2
import dask.array as da
import numpy as np
import pytest
from skimage import color, data

import napari_lightbox as lb
from napari_lightbox.errors import InputError

DTYPES = ["uint8", "uint16", "int16", "int32", "float16", "float32", "float64"]


def coloured(dtype):
    picture = data.astronaut()[:40, :50].astype(float) / 255
    kind = np.dtype(dtype)
    return picture.astype(dtype) if kind.kind == "f" else (picture * np.iinfo(kind).max).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_equals_the_weighted_sum_in_the_units_of_the_image(dtype):
    image = coloured(dtype)
    for weights, factors in (("rec709", (0.2125, 0.7154, 0.0721)), ("rec601", (0.299, 0.587, 0.114))):
        result = lb.apply("rgb_to_gray", image, axes="yxc", weights=weights)
        np.testing.assert_allclose(result, image.astype(float) @ factors, rtol=2e-6, atol=1e-7)
        assert result.dtype == (np.float32 if np.dtype(dtype).itemsize < 4 or dtype == "float32" else np.float64)


def test_equals_scikit_image_and_opencv():
    image = coloured("uint8")
    np.testing.assert_allclose(lb.apply("rgb_to_gray", image) / 255, color.rgb2gray(image), atol=1e-6)
    other = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    assert np.abs(lb.apply("rgb_to_gray", image, weights="rec601") - other).max() <= 0.51  # it rounds


def test_primaries_and_alpha(rng):
    red, white = np.zeros((8, 8, 3)), np.ones((8, 8, 3))
    red[..., 0] = 1
    np.testing.assert_allclose(lb.apply("rgb_to_gray", red), 0.2125, rtol=1e-12)
    np.testing.assert_allclose(lb.apply("rgb_to_gray", white), 1, rtol=1e-12)
    clear = rng.uniform(size=(9, 8, 4))
    np.testing.assert_allclose(lb.apply("rgb_to_gray", clear), color.rgb2gray(color.rgba2rgb(clear)), atol=1e-12)
    whole = (clear * 255).astype(np.uint8)
    np.testing.assert_allclose(lb.apply("rgb_to_gray", whole) / 255, color.rgb2gray(color.rgba2rgb(whole)), atol=1e-6)


def test_gray_passes_and_odd_channel_counts_do_not(rng):
    gray = rng.integers(0, 255, (6, 7), dtype=np.uint8)
    np.testing.assert_array_equal(lb.apply("rgb_to_gray", gray), gray)
    with pytest.raises(InputError, match="channels"):
        lb.apply("rgb_to_gray", np.zeros((6, 7, 5)), axes="yxc")


def test_lazy_video(rng):
    video = rng.integers(0, 255, (4, 20, 30, 3), dtype=np.uint8)
    lazy = lb.apply("rgb_to_gray", da.from_array(video, chunks=(2, 8, 30, 2)), axes="tyxc")
    np.testing.assert_array_equal(lazy.compute(), lb.apply("rgb_to_gray", video, axes="tyxc"))
