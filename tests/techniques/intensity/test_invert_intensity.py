"""Invert against scikit-image."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.util import invert as reference

import napari_lightbox as lb
from napari_lightbox.axes import Geometry, Volume

INTEGERS = ["bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64"]


@pytest.mark.parametrize("dtype", [*INTEGERS, "float16", "float32", "float64"])
@pytest.mark.parametrize("shape", [(6, 7), (3, 4, 5)])
def test_equals_scikit_image(dtype, shape):
    image = np.random.default_rng(0).uniform(0, 100, shape).astype(dtype)
    result = lb.apply("invert_intensity", image)
    assert result.dtype == dtype
    np.testing.assert_array_equal(result, reference(image))
    np.testing.assert_array_equal(lb.apply("invert_intensity", image, signed_float=True), reference(image, signed_float=True))


@pytest.mark.parametrize("dtype", INTEGERS)
def test_twice_is_the_identity(dtype):
    limits = [0, 1] if dtype == "bool" else [np.iinfo(dtype).min, np.iinfo(dtype).max]
    image = np.array([[0, 1, *limits]], dtype)
    np.testing.assert_array_equal(lb.apply("invert_intensity", lb.apply("invert_intensity", image)), image)


def test_labels_swap_background_and_objects():
    labels = np.array([[0, 1, 5], [0, 0, 2]], np.int32)
    volume = Volume(labels, Geometry.of("yx", labels.shape), role="labels")
    result = lb.apply("invert_intensity", volume)
    assert result.role == "labels"
    np.testing.assert_array_equal(result.data, [[1, 0, 0], [1, 1, 0]])


def test_missing_values_stay():
    np.testing.assert_array_equal(lb.apply("invert_intensity", np.array([[np.nan, 0.25]])), [[np.nan, 0.75]])
