"""Telea inpainting: OpenCV, planted damage, ramps, untouched surroundings."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from skimage import data

from napari_lightbox.errors import InputError
from napari_lightbox.techniques.inpaint.inpaint_telea import inpaint_telea

ASTRONAUT = data.astronaut()[:256, 128:384]
DTYPES = ["bool", "uint8", "int8", "uint16", "int16", "int32", "float16", "float32", "float64"]


def psnr(image, truth):
    return 10 * np.log10(255**2 / np.mean((image.astype(float) - truth) ** 2))


def strokes(shape, count, width, seed=0):
    rng = np.random.default_rng(seed)
    mask = np.zeros(shape, np.uint8)
    for _ in range(count):
        ends = rng.integers(0, shape[0], 4).tolist()
        cv2.line(mask, tuple(ends[:2]), tuple(ends[2:]), 1, width)
    return mask.astype(bool)


@pytest.mark.parametrize("radius", [1.0, 3.0, 7.0])
@pytest.mark.parametrize("colour", [True, False])
def test_8_bit_images_equal_opencv(radius, colour):
    image = ASTRONAUT if colour else np.ascontiguousarray(ASTRONAUT[..., 1])
    mask = strokes((256, 256), 10, 3)
    found = inpaint_telea(image, mask, radius=radius)
    np.testing.assert_array_equal(found, cv2.inpaint(image, mask.view(np.uint8), radius, cv2.INPAINT_TELEA))


def test_16_bit_channels_equal_opencv():
    image = ASTRONAUT[..., 0].astype(np.uint16) * 257
    mask = strokes((256, 256), 10, 3)
    expected = cv2.inpaint(image, mask.view(np.uint8), 3, cv2.INPAINT_TELEA)
    np.testing.assert_array_equal(inpaint_telea(image, mask), expected)
    rgba = np.stack([image] * 4, axis=-1)
    np.testing.assert_array_equal(inpaint_telea(rgba, mask), np.stack([expected] * 4, axis=-1))


@pytest.mark.parametrize("dtype", DTYPES)
def test_outside_the_mask_every_bit_stays(dtype):
    rng = np.random.default_rng(1)
    image = rng.integers(0, 2, (40, 50)).astype(bool) if dtype == "bool" else rng.uniform(-100, 100, (40, 50)).astype(dtype)
    image.flags.writeable = False
    mask = rng.random((40, 50)) < 0.3
    found = inpaint_telea(image, mask)
    assert found.dtype == image.dtype
    np.testing.assert_array_equal(found[~mask], image[~mask])
    np.testing.assert_array_equal(inpaint_telea(image, np.zeros_like(mask)), image)


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "float64"])
def test_negative_values_are_filled_as_positive_ones(dtype):
    y, x = np.mgrid[:40, :50]
    image = (60 - y - x).astype(dtype)
    mask = np.zeros(image.shape, bool)
    mask[15:20, 20:25] = True
    # a slope of one level per pixel runs on into a hole five wide, but for OpenCV's own error
    assert np.abs(inpaint_telea(image, mask).astype(float) - image).max() <= 3
    if dtype == "int8":
        shifted = inpaint_telea((image.astype(int) + 128).astype(np.uint8), mask)
        np.testing.assert_array_equal(inpaint_telea(image, mask).astype(int) + 128, shifted)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_floats_are_filled_alike_at_every_scale(dtype):
    image = ASTRONAUT[..., 1].astype(dtype)
    mask = strokes((256, 256), 10, 3)
    wide = inpaint_telea(image, mask)
    for scale, offset in ((1 / 256, 0), (1e-6, 0), (64, -3000)):
        found = inpaint_telea((image * scale + offset).astype(dtype), mask)
        np.testing.assert_allclose((found - offset) / scale, wide, atol=0.05 if dtype == "float32" else 2e-3)
    fine = cv2.inpaint(ASTRONAUT[..., 1].astype(np.uint16) * 256, mask.view(np.uint8), 3, cv2.INPAINT_TELEA)
    np.testing.assert_allclose(wide, fine / 256, atol=0.05)


def test_constants_and_ramps_are_restored():
    mask = np.zeros((60, 60), bool)
    mask[25:33, 20:30] = True
    for dtype in ("uint8", "uint16", "int16"):
        assert np.abs(inpaint_telea(np.full((60, 60), 93, dtype), mask).astype(int) - 93).max() <= 2
    assert (inpaint_telea(np.full((60, 60), 0.3, np.float32), mask) == np.float32(0.3)).all()
    assert (inpaint_telea(np.full((60, 60), -7, np.int32), mask) == -7).all()
    mask[29:, :] = mask[:, 24:] = False
    ramp = np.broadcast_to(np.arange(60, dtype=np.uint8), (60, 60))
    assert np.abs(inpaint_telea(ramp, mask).astype(int) - ramp).max() <= 2


def test_strokes_over_a_portrait_come_back():
    mask = strokes((256, 256), 25, 3)
    damaged = np.where(mask[..., None], 0, ASTRONAUT).astype(np.uint8)
    assert 0.15 < mask.mean() < 0.3
    assert psnr(inpaint_telea(damaged, mask), ASTRONAUT) > psnr(damaged, ASTRONAUT) + 15


def test_random_loss_of_30_percent_comes_back_to_29_decibels():
    mask = np.random.default_rng(0).random((256, 256)) < 0.3
    damaged = np.where(mask[..., None], 0, ASTRONAUT).astype(np.uint8)
    assert psnr(inpaint_telea(damaged, mask), ASTRONAUT) > 28.5


def test_nothing_known_is_refused():
    with pytest.raises(InputError, match="whole plane"):
        inpaint_telea(np.zeros((5, 5), np.uint8), np.ones((5, 5), bool))
