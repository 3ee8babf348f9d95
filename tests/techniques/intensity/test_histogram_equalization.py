"""Histogram equalisation against scikit-image and the uniform distribution."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
from scipy import stats
from skimage import color, data
from skimage.exposure import equalize_hist as reference

import napari_lightbox as lb


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16", "int32", "float32", "float64"])
@pytest.mark.parametrize("shape", [(40, 31), (7, 15, 12)])
def test_equals_scikit_image(dtype, shape):
    image = np.random.default_rng(0).gamma(2, 15, shape).clip(0, 120).astype(dtype)
    result = lb.apply("histogram_equalization", image)
    np.testing.assert_allclose(result, reference(image), rtol=3e-7)
    order = np.argsort(image, axis=None)
    assert (np.diff(result.ravel()[order]) >= 0).all()


@pytest.mark.parametrize("bins", [2, 64, 1000])
def test_bins_and_mask(bins):
    image = np.random.default_rng(1).normal(size=(50, 40))
    mask = image > -0.5
    np.testing.assert_allclose(lb.apply("histogram_equalization", image, bins=bins), reference(image, bins), rtol=1e-12)
    np.testing.assert_allclose(
        lb.apply("histogram_equalization", image, mask, bins=bins), reference(image, bins, mask), rtol=1e-12
    )


def test_gamma_data_become_uniform():
    image = np.random.default_rng(0).gamma(2, 1, (300, 300)).astype(np.float32)
    assert stats.kstest(lb.apply("histogram_equalization", image).ravel(), "uniform").statistic < 0.012


def test_moon_gains_contrast():
    moon = data.moon()
    result = lb.apply("histogram_equalization", moon)
    assert moon.std() / 255 == pytest.approx(0.052, abs=5e-4)
    assert result.std() == pytest.approx(0.290, abs=5e-4)


def test_colour_goes_through_the_hsv_value():
    picture = data.coffee()[::4, ::4]
    hsv = color.rgb2hsv(picture)
    hsv[..., 2] = reference(np.rint(hsv[..., 2] * 255).astype(np.uint8))
    np.testing.assert_allclose(lb.apply("histogram_equalization", picture), color.hsv2rgb(hsv), atol=1e-6)


def test_scope_and_lazy():
    stack = np.random.default_rng(2).gamma(2, 20, (3, 20, 30)).astype(np.uint8)
    stack[1] //= 3
    frames = lb.apply("histogram_equalization", stack, axes="tyx")
    np.testing.assert_allclose(frames, np.stack([reference(f) for f in stack]), rtol=3e-7)
    np.testing.assert_allclose(lb.apply("histogram_equalization", stack, axes="tyx", scope="layer"), reference(stack), rtol=3e-7)
    lazy = lb.apply("histogram_equalization", da.from_array(stack, chunks=(2, 7, 11)), axes="tyx")
    np.testing.assert_array_equal(lazy, frames)


def test_constant_and_missing():
    np.testing.assert_array_equal(lb.apply("histogram_equalization", np.full((4, 4), 3, np.uint8)), 1)
    holed = np.array([[np.nan, 1.0, 2.0, np.inf, -np.inf]])
    result = lb.apply("histogram_equalization", holed)
    assert np.isnan(result[0, 0])
    np.testing.assert_array_equal(result[0, 1:], [0.5, 1, 1, 0.5])
    assert np.isnan(lb.apply("histogram_equalization", np.full((2, 2), np.nan))).all()
