"""Colour spaces against OpenCV, scikit-image and known primaries."""

from __future__ import annotations

import cv2
import dask.array as da
import numpy as np
import pytest
from skimage import color, data

import napari_lightbox as lb
from napari_lightbox.errors import InputError


@pytest.fixture
def picture():
    return data.astronaut()[:60, :50]


def convert(image, **parameters):
    return lb.apply("color_space_conversion", image, axes="yxc", **parameters).image


def test_integers_equal_opencv_within_one(picture):
    ycbcr = convert(picture)
    theirs = cv2.cvtColor(picture, cv2.COLOR_RGB2YCrCb)[..., [0, 2, 1]]
    assert ycbcr.dtype == np.uint8
    assert np.abs(ycbcr.astype(int) - theirs).max() <= 1
    yuv = convert(picture, space="yuv")
    assert np.abs(yuv.astype(int) - cv2.cvtColor(picture, cv2.COLOR_RGB2YUV)).max() <= 1
    wide = convert(picture.astype(np.uint16) * 257)
    reference = cv2.cvtColor(picture.astype(np.uint16) * 257, cv2.COLOR_RGB2YCrCb)[..., [0, 2, 1]]
    assert np.abs(wide.astype(int) - reference).max() <= 8  # OpenCV rounds its weights to 14 bits


def test_full_range_is_the_jfif_formula(picture):
    r, g, b = np.moveaxis(picture.astype(float), -1, 0)
    exact = convert(picture, rounding=False)
    assert exact.dtype == np.float32
    np.testing.assert_allclose(exact[..., 1], 128 - 0.168736 * r - 0.331264 * g + 0.5 * b, atol=1e-3)
    np.testing.assert_allclose(exact[..., 2], 128 + 0.5 * r - 0.418688 * g - 0.081312 * b, atol=1e-3)


def test_studio_levels_equal_scikit_image(picture):
    np.testing.assert_allclose(convert(picture, levels="studio", rounding=False), color.rgb2ycbcr(picture), atol=1e-4)
    np.testing.assert_allclose(convert(picture / 255, levels="studio"), color.rgb2ycbcr(picture), atol=1e-10)
    wide = convert(np.full((6, 6, 3), 65535, np.uint16), levels="studio")
    np.testing.assert_array_equal(wide[0, 0], np.array([235, 128, 128]) * 256)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
def test_lab_equals_scikit_image_and_comes_back(picture, dtype):
    scale = np.iinfo(dtype).max if np.dtype(dtype).kind == "u" else 1
    image = (picture / 255 * scale).astype(dtype)
    lab = convert(image, space="lab")
    np.testing.assert_allclose(lab, color.rgb2lab(image.astype(float) / scale), atol=1e-4 if lab.dtype == np.float32 else 1e-10)
    back = convert(lab, space="lab", direction="to_rgb")
    assert np.abs(back - image.astype(float) / scale).max() < 1e-6


def test_lab_of_known_colours():
    red, gray, white = np.zeros((8, 8, 3)), np.full((8, 8, 3), 0.4), np.ones((8, 8, 3))
    red[..., 0] = 1
    np.testing.assert_allclose(convert(red, space="lab")[0, 0], (53.24, 80.09, 67.20), atol=0.005)
    np.testing.assert_allclose(convert(white, space="lab")[0, 0], (100, 0, 0), atol=1e-2)  # scikit-image's rounded matrix
    assert np.abs(convert(gray, space="lab")[0, 0, 1:]).max() < 1e-2


@pytest.mark.parametrize(("dtype", "neutral"), [("uint8", 128), ("uint16", 32768), ("float64", 0.5)])
@pytest.mark.parametrize("space", ["ycbcr", "yuv"])
def test_gray_is_neutral_and_the_way_back_is_within_a_level(rng, dtype, neutral, space):
    scale = np.iinfo(dtype).max if np.dtype(dtype).kind == "u" else 1
    gray = np.repeat((rng.uniform(size=(8, 9, 1)) * scale).astype(dtype), 3, axis=2)
    np.testing.assert_allclose(convert(gray, space=space)[..., 1:], neutral, atol=1e-12)
    image = (rng.uniform(0.2, 0.8, (30, 30, 3)) * scale).astype(dtype)
    back = convert(convert(image, space=space), space=space, direction="to_rgb")
    assert np.abs(back.astype(float) - image).max() <= (1e-12 if dtype == "float64" else 1)


def test_split_alpha_and_laziness(picture, rng):
    whole = lb.apply("color_space_conversion", picture, split=True)
    for channel, name in enumerate(("first", "second", "third")):
        np.testing.assert_array_equal(getattr(whole, name), whole.image[..., channel])
    opaque = np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)])
    np.testing.assert_array_equal(convert(opaque), whole.image)
    video = rng.integers(0, 255, (3, 20, 30, 3), dtype=np.uint8)
    eager = lb.apply("color_space_conversion", video, axes="tyxc", space="lab").image
    lazy = lb.apply("color_space_conversion", da.from_array(video, chunks=(1, 8, 30, 3)), axes="tyxc", space="lab").image
    np.testing.assert_array_equal(lazy.compute(), eager)


def test_gray_images_are_refused():
    with pytest.raises(InputError, match="colour axis"):
        lb.apply("color_space_conversion", np.zeros((20, 20)))
