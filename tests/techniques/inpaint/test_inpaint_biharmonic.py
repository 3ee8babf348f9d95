"""Biharmonic inpainting: scikit-image, polynomials that the equation leaves alone, planted damage."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import data, restoration

from napari_lightbox.errors import InputError
from napari_lightbox.techniques.inpaint.inpaint_biharmonic import inpaint_biharmonic

ASTRONAUT = data.astronaut()[:256, 128:384] / 255.0


def psnr(image, truth=ASTRONAUT):
    return 10 * np.log10(1 / np.mean((image - truth) ** 2))


@pytest.mark.parametrize("shape", [(30, 35), (9, 12, 11), (3, 20), (2, 4, 30), (1, 25)])
@pytest.mark.parametrize("split", [False, True])
def test_equal_to_scikit_image_up_to_the_border(shape, split):
    rng = np.random.default_rng(0)
    image, mask = rng.random(shape), rng.random(shape) < 0.15
    mask[(0,) * mask.ndim] = mask[(-1,) * mask.ndim] = True
    expected = restoration.inpaint_biharmonic(image, mask)
    np.testing.assert_allclose(inpaint_biharmonic(image, mask, split_into_regions=split), expected, atol=1e-10)


@pytest.mark.parametrize("split", [False, True])
def test_colours_are_filled_alike(split):
    image = ASTRONAUT[:60, :70]
    mask = np.zeros(image.shape[:2], bool)
    mask[20:30, 40:52] = mask[:4, :5] = mask[50:, 66:] = True
    expected = restoration.inpaint_biharmonic(image, mask, channel_axis=-1, split_into_regions=split)
    np.testing.assert_allclose(inpaint_biharmonic(image, mask, split_into_regions=split), expected, atol=1e-10)


def test_a_bilinear_ramp_is_recovered_exactly():
    y, x = np.mgrid[:40, :40] / 40.0
    ramp = 0.2 + 0.5 * y + 0.3 * x + 0.4 * x * y
    mask = np.zeros(ramp.shape, bool)
    mask[15:25, 12:22] = True
    np.testing.assert_allclose(inpaint_biharmonic(np.where(mask, 0, ramp), mask), ramp, atol=1e-13)
    z, y, x = np.mgrid[:16, :16, :16] / 16.0
    ramp = 0.1 + z - 0.5 * y + 0.3 * x + 0.4 * x * y * z
    mask = np.zeros(ramp.shape, bool)
    mask[5:10, 6:11, 5:10] = True
    np.testing.assert_allclose(inpaint_biharmonic(np.where(mask, 0, ramp), mask), ramp, atol=1e-12)


def test_random_loss_of_30_percent_comes_back_to_33_decibels():
    mask = np.random.default_rng(0).random((256, 256)) < 0.3
    damaged = np.where(mask[..., None], 0, ASTRONAUT)
    assert psnr(damaged) < 12
    assert psnr(inpaint_biharmonic(damaged, mask)) > 33


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int16", "uint16", "int32", "float16", "float32"])
def test_types_are_kept_and_surroundings_untouched(dtype):
    rng = np.random.default_rng(1)
    image = (rng.random((25, 30)) < 0.5) if dtype == "bool" else (rng.random((25, 30)) * 100).astype(dtype)
    image.flags.writeable = False
    mask = rng.random((25, 30)) < 0.2
    found = inpaint_biharmonic(image, mask)
    assert found.dtype == image.dtype
    np.testing.assert_array_equal(found[~mask], image[~mask])
    if dtype in ("uint8", "float32"):
        expected = restoration.inpaint_biharmonic(image.astype(float), mask)
        np.testing.assert_allclose(found, expected, atol=0.5 if dtype == "uint8" else 1e-4)


def test_filled_values_stay_in_the_known_range():
    image = np.zeros((20, 20))
    image[:, 10:] = 1
    mask = np.zeros(image.shape, bool)
    mask[5:15, 7:13] = True
    found = inpaint_biharmonic(image, mask)
    assert found.min() >= 0
    assert found.max() <= 1


def test_nothing_to_fill_and_nothing_known():
    image = np.arange(20.0).reshape(4, 5)
    np.testing.assert_array_equal(inpaint_biharmonic(image, np.zeros((4, 5), bool)), image)
    with pytest.raises(InputError, match="whole image"):
        inpaint_biharmonic(image, np.ones((4, 5), bool))
