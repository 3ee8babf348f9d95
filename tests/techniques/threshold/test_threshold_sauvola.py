"""Sauvola against scikit-image and planted marks."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
from skimage import data
from skimage.filters import threshold_sauvola as reference

import napari_lightbox as lb


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32", "float64"])
@pytest.mark.parametrize("shape", [(50, 61), (12, 21, 30)])
def test_equals_scikit_image(dtype, shape):
    image = np.random.default_rng(0).normal(100, 30, shape).clip(0).astype(dtype)
    window = (5, 9, 7)[-image.ndim :]
    # scikit-image keeps moments of float32 images as float32: its own rounding is about 1e-4 here
    tolerance = 2e-5 if dtype == "float32" else 1e-6
    for r in (None, 60.0):
        result = lb.apply("threshold_sauvola", image, window_size=window, k=0.3, r=r)
        level = reference(image, window, k=0.3, r=r)
        np.testing.assert_allclose(result.threshold, level, rtol=tolerance)
        clear = np.abs(image - level) > 1e-4 + 2 * tolerance * np.abs(level)
        np.testing.assert_array_equal(result.labels[clear], (image > level)[clear])


def test_fraction_of_camera():
    result = lb.apply("threshold_sauvola", data.camera())
    assert result.labels.mean() == pytest.approx(0.84648, abs=5e-6)
    np.testing.assert_array_equal(lb.apply("threshold_sauvola", data.camera(), invert=True).labels, 1 - result.labels)


def test_marks_on_a_ramp():
    marks = np.zeros((150, 200), bool)
    marks[20:130:20, 10:190] = marks[21:131:20, 10:190] = marks[22:132:20, 10:190] = True
    page = np.linspace(90, 230, 200)[None] * np.where(marks, 0.3, 1.0)
    page = (page + np.random.default_rng(0).normal(0, 1.5, page.shape)).clip(0, 255).astype(np.uint8)
    found = lb.apply("threshold_sauvola", page, invert=True).labels > 0
    assert 2 * (found & marks).sum() / (found.sum() + marks.sum()) > 0.995


def test_lazy_equals_eager_bit_for_bit():
    volume = np.random.default_rng(1).integers(0, 60000, (14, 20, 22)).astype(np.uint16)
    eager = lb.apply("threshold_sauvola", volume, window_size=5)
    lazy = lb.apply("threshold_sauvola", da.from_array(volume, chunks=(5, 7, 9)), window_size=5)
    np.testing.assert_array_equal(lazy.labels, eager.labels)
    np.testing.assert_array_equal(lazy.threshold, eager.threshold)


def test_large_offset_keeps_the_deviation():
    rng = np.random.default_rng(0)
    image = rng.normal(0, 5, (40, 40)) + 1e5
    level = lb.apply("threshold_sauvola", image, window_size=9, r=10.0).threshold
    expected = reference(image, 9, r=10.0)
    np.testing.assert_allclose(level, expected, rtol=1e-6)
