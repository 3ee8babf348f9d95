"""Li's threshold against scikit-image."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
from skimage import data
from skimage.filters import threshold_li as reference

import napari_lightbox as lb
from napari_lightbox.errors import ParameterError


@pytest.mark.parametrize(("name", "level"), [("camera", 78.913), ("coins", 94.632)])
def test_pictures(name, level):
    picture = getattr(data, name)()
    result = lb.apply("threshold_li", picture)
    assert result.threshold == pytest.approx(level, abs=5e-4)
    # scikit-image keeps its counts as float32
    assert result.threshold == pytest.approx(reference(picture), rel=1e-6)
    np.testing.assert_array_equal(result.labels, picture > result.threshold)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "int32"])
@pytest.mark.parametrize("shape", [(50, 61), (8, 22, 31)])
def test_integers_equal_scikit_image(dtype, shape):
    rng = np.random.default_rng(1)
    image = np.where(rng.random(shape) < 0.1, rng.normal(100, 9, shape), rng.normal(20, 6, shape)).astype(dtype)
    assert lb.apply("threshold_li", image).threshold == pytest.approx(reference(image), rel=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_floats_agree_within_a_thousandth_of_the_range(dtype):
    rng = np.random.default_rng(2)
    shape = (120, 130)
    image = np.where(rng.random(shape) < 0.1, rng.normal(5, 0.5, shape), rng.normal(1, 0.4, shape)).astype(dtype)
    level = lb.apply("threshold_li", image).threshold
    assert level == pytest.approx(reference(image), abs=1e-3 * float(np.ptp(image)))
    assert lb.apply("threshold_li", image * 8).threshold == pytest.approx(8 * level, rel=1e-6)


def test_scale_equivariance_on_integers():
    image = data.coins()[::3, ::3].astype(np.uint16)
    level = lb.apply("threshold_li", image, tolerance=1e-3).threshold
    assert lb.apply("threshold_li", image * 16, tolerance=16e-3).threshold == pytest.approx(16 * level, rel=1e-9)


def test_options():
    image = data.coins()
    for options in ({"initial_guess": 150.0}, {"tolerance": 5.0}):
        assert lb.apply("threshold_li", image, **options).threshold == pytest.approx(reference(image, **options), rel=1e-6)
    mask = image > 40
    masked = lb.apply("threshold_li", image, mask, invert=True)
    assert masked.threshold == pytest.approx(reference(image[mask]), rel=1e-6)
    np.testing.assert_array_equal(masked.labels, (image <= masked.threshold) & mask)
    with pytest.raises(ParameterError, match="initial_guess"):
        lb.apply("threshold_li", image, initial_guess=1000)


def test_lazy_equals_eager():
    image = data.coins().astype(np.float32) / 7
    lazy = lb.apply("threshold_li", da.from_array(image, chunks=(100, 77)))
    eager = lb.apply("threshold_li", image)
    assert float(lazy.threshold.compute()) == eager.threshold
    np.testing.assert_array_equal(lazy.labels, eager.labels)


def test_strange_images():
    assert lb.apply("threshold_li", np.full((4, 4), 3.5)).threshold == 3.5
    assert np.isnan(lb.apply("threshold_li", np.full((4, 4), np.nan)).threshold)
    two_valued = lb.apply("threshold_li", np.eye(20, dtype=np.float32))
    np.testing.assert_array_equal(two_valued.labels, np.eye(20))
