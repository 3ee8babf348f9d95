"""Marching squares: line for line, vertex for vertex those of scikit-image."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import measure

from napari_lightbox.kernels.iso_lines import iso_lines


def assert_as_in_skimage(image, level, join="low"):
    expected = measure.find_contours(image, level, fully_connected=join)
    vertices, counts = iso_lines(image, level, join == "high")
    found = np.split(vertices, np.cumsum(counts)[:-1]) if len(counts) else []
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("join", ["low", "high"])
@pytest.mark.parametrize("shape", [(2, 2), (2, 9), (9, 2), (61, 47)])
@pytest.mark.parametrize("values", [2, 3, 5, 250])
def test_few_values_make_many_vertices_on_pixels(shape, values, join):
    rng = np.random.default_rng(values)
    for dtype in ("uint8", "float32"):
        for level in (0.0, 0.5, 1.0, 2.0):
            assert_as_in_skimage(rng.integers(0, values, shape).astype(dtype), level, join)


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint16", "int64", "float16", "float64"])
def test_every_type(dtype):
    image = (np.random.default_rng(1).random((30, 40)) * 5).astype(dtype)
    assert_as_in_skimage(image, 0.5 if dtype == "bool" else 2.25)


@pytest.mark.filterwarnings("ignore:invalid value")
def test_nan_interrupts_lines_and_infinity_makes_unknown_vertices():
    rng = np.random.default_rng(2)
    image = rng.normal(size=(40, 50))
    image[rng.random(image.shape) < 0.1] = np.nan
    assert_as_in_skimage(image, 0.0)
    image[rng.random(image.shape) < 0.05] = np.inf
    image[rng.random(image.shape) < 0.05] = -np.inf
    assert_as_in_skimage(image, 0.0)


def test_levels_beyond_the_values_give_no_lines():
    image = np.arange(20.0).reshape(4, 5)
    assert_as_in_skimage(image, -1.0)
    assert_as_in_skimage(image, 19.0)
