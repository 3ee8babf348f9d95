"""PSNR: planted errors, scikit-image, blocks."""

from __future__ import annotations

import math

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio

from napari_lightbox.techniques.measure.psnr import psnr

PASS = psnr.technique.locality.passes[0]


@pytest.mark.parametrize(("dtype", "peak"), [("uint8", 255), ("uint16", 65535), ("int16", 65535), ("float32", 1), ("float64", 1)])
@pytest.mark.parametrize("error", [0.25, 3.0])
def test_a_constant_error_gives_the_closed_form(dtype, peak, error):
    error = error if dtype.startswith("float") else max(1, int(error))
    truth = np.random.default_rng(0).integers(0, 100, (20, 30)).astype(dtype)
    found = psnr((truth + np.array(error).astype(dtype)).astype(dtype), truth)
    assert found.psnr == pytest.approx(20 * math.log10(peak / error), abs=1e-5)
    assert found.data_range == peak


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int32", "uint32", "float16", "float32", "float64"])
@pytest.mark.parametrize("shape", [(30, 40), (5, 12, 13), (1, 9)])
def test_equal_to_scikit_image(dtype, shape):
    rng = np.random.default_rng(1)
    truth, image = [(rng.random(shape) * 200).astype(dtype) for _ in range(2)]
    expected = peak_signal_noise_ratio(truth.astype(float), image.astype(float), data_range=200)
    # float32 differences are taken in single precision
    assert psnr(image, truth, data_range=200.0).psnr == pytest.approx(expected, abs=1e-5 if dtype == "float32" else 1e-9)


def test_equal_images_are_infinitely_alike_and_no_pixels_give_nothing():
    image = np.arange(12, dtype=np.uint8).reshape(3, 4)
    assert psnr(image, image).psnr == math.inf
    state = PASS.block((image, image, None), np.zeros(image.shape, bool), None, {})
    assert math.isnan(psnr.technique.locality.finish(state, {"data_range": None}).psnr)
    assert psnr(np.full((2, 2), np.inf), np.zeros((2, 2))).psnr == -math.inf
    assert math.isnan(psnr(np.full((2, 2), np.nan), np.zeros((2, 2))).psnr)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float64"])
def test_the_sum_over_blocks_is_the_whole(dtype):
    rng = np.random.default_rng(2)
    a, b = [(rng.random((37, 41)) * 200).astype(dtype) for _ in range(2)]
    mask = rng.random(a.shape) < 0.5
    whole = PASS.block((a, b), mask, None, {})
    rows = [slice(0, 10), slice(10, 11), slice(11, 37)]
    parts = [PASS.block((a[r], b[r]), mask[r], None, {}) for r in rows]
    merged = PASS.combine(parts[2], PASS.combine(parts[0], parts[1]))
    assert merged.pixels == whole.pixels == mask.sum()
    if dtype == "float64":
        assert merged.squares == pytest.approx(whole.squares, rel=1e-13)
    else:
        expected = ((a.astype(int) - b.astype(int)) ** 2)[mask].sum()
        assert merged.squares == whole.squares == expected


def test_the_peak_is_that_of_the_reference():
    noisy, truth = np.full((4, 4), 0.5, np.float32), np.full((4, 4), 100, np.uint8)
    assert psnr(noisy, truth).data_range == 255
    assert psnr(np.array([[True, False]]), np.array([[True, True]])).psnr == pytest.approx(10 * math.log10(2))
