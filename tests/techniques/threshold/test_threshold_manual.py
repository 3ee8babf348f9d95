"""Manual threshold against NumPy."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import napari_lightbox as lb
from napari_lightbox.kernels.comparison import above

TYPES = ["bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float16", "float32", "float64"]


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("level", [-1e9, -1.0, 0.0, 0.1, 0.5, 3.0, 126.7, 127.0, 255.0, 1e30])
def test_equals_numpy(dtype, level):
    image = np.linspace(0, 127, 60).reshape(3, 4, 5).astype(dtype)
    expected = image.astype(np.float64) > (np.dtype(dtype).type(level) if image.dtype.kind == "f" and abs(level) < 6e4 else level)
    np.testing.assert_array_equal(lb.apply("threshold_manual", image, threshold=level), expected)
    np.testing.assert_array_equal(lb.apply("threshold_manual", image, threshold=level, invert=True), ~expected)


def test_large_integers_are_compared_exactly():
    image = np.array([[2**53, 2**53 + 1, 2**63 - 1]], np.int64)
    np.testing.assert_array_equal(above(image, float(2**53)), [[0, 1, 1]])


@given(st.floats(0, 1), st.floats(0, 1))
def test_masks_are_nested(a, b):
    image = np.random.default_rng(0).random((20, 20)).astype(np.float32)
    low, high = [lb.apply("threshold_manual", image, threshold=t) for t in sorted((a, b))]
    assert (high <= low).all()


def test_probability_preset_rounds_as_torch_does():
    image = np.array([[0.0, 0.5, np.nextafter(0.5, 1), 0.7, 1.0]])
    np.testing.assert_array_equal(lb.apply("threshold_manual", image), [[0, 0, 1, 1, 1]])
    random = np.random.default_rng(1).random((30, 30))
    np.testing.assert_array_equal(lb.apply("threshold_manual", random), np.rint(random))


def test_extremes_and_missing_values():
    image = np.array([[-np.inf, 0.0, np.nan, np.inf]], np.float32)
    np.testing.assert_array_equal(above(image, 0), [[0, 0, 0, 1]])
    np.testing.assert_array_equal(above(image, 0, below=True), [[1, 1, 0, 0]])
    np.testing.assert_array_equal(above(image, np.inf), [[0, 0, 0, 0]])
    np.testing.assert_array_equal(above(image, -np.inf), [[0, 1, 0, 1]])
    np.testing.assert_array_equal(above(image, np.nan, below=True), [[0, 0, 0, 0]])


@pytest.mark.parametrize("size", [2, 5, 12])
@pytest.mark.parametrize("shape", [(40, 50), (9, 20, 22)])
def test_minimum_size_equals_skimage_and_tiles_exactly(size: int, shape: tuple[int, ...]) -> None:
    from skimage.morphology import remove_small_objects

    image = np.random.default_rng(size).random(shape).astype(np.float32)
    level = 0.6 if len(shape) == 2 else 0.8
    expected = remove_small_objects(image > level, max_size=size - 1)
    options = {"axes": "zyx"[-len(shape) :], "threshold": level, "minimum_size": size}
    np.testing.assert_array_equal(lb.apply("threshold_manual", image, **options), expected)
    tiled = lb.apply("threshold_manual", da.from_array(image, chunks=7), **options)
    np.testing.assert_array_equal(tiled.compute(), expected)
