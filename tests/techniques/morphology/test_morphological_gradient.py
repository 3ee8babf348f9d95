"""Morphological gradient: analytic counts of a square, sums, maximum minus minimum."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from napari_lightbox.techniques.morphology.morphological_gradient import morphological_gradient as gradient

VARIANTS = ("beucher", "internal", "external")


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32", "float32"])
def test_a_square_has_240_116_and_124_boundary_pixels(dtype):
    image = np.zeros((50, 50), dtype)
    image[10:40, 10:40] = 1
    counts = [np.count_nonzero(gradient(image, variant=v)) for v in VARIANTS]
    assert counts == [240, 116, 124]


@pytest.mark.parametrize("shape", [(30, 31), (9, 14, 13)])
def test_beucher_is_the_sum_of_both_halves_and_the_range(shape):
    image = np.random.default_rng(0).integers(0, 120, shape).astype(np.uint8)
    whole, inner, outer = [gradient(image, variant=v, shape="ball", radius=2).astype(int) for v in VARIANTS]
    np.testing.assert_array_equal(whole, inner + outer)
    for axes in (1, 2):
        box = gradient(image, radius=axes)
        spread = ndimage.maximum_filter(image, 2 * axes + 1) - ndimage.minimum_filter(image, 2 * axes + 1)
        inside = (slice(axes, -axes),) * image.ndim
        np.testing.assert_array_equal(box[inside], spread[inside])


def test_signed_types_saturate_instead_of_wrapping():
    image = np.array([[-30000, 30000, 30000]], np.int16)
    assert gradient(image).tolist() == [[32767, 32767, 0]]
    image = np.array([[-100, 100]], np.int8)
    assert gradient(image).tolist() == [[127, 127]]
    assert gradient(image.astype(np.int32)).tolist() == [[200, 200]]


def test_labels_keep_an_id_instead_of_a_difference():
    labels = np.zeros((8, 12), np.int32)
    labels[2:6, 2:6] = 5
    labels[2:6, 6:10] = 7
    outline = gradient(labels, variant="internal", is_labels=True)
    assert set(np.unique(outline)) == {0, 5, 7}
    assert outline[3, 6] == 7
    assert outline[3, 5] == 0
    assert outline[2, 5] == 5
    rim = gradient(labels, variant="external", is_labels=True)
    assert rim[3, 5] == 7
    assert rim[1, 1] == 5


def test_iterations_widen_the_outline():
    image = np.zeros((50, 50), np.uint8)
    image[10:40, 10:40] = 9
    np.testing.assert_array_equal(gradient(image, iterations=3), gradient(image, radius=3))


def test_an_element_without_its_origin_cannot_wrap():
    image = np.arange(25, dtype=np.uint8).reshape(5, 5)
    cells = np.array([[0, 0, 0], [0, 0, 1], [0, 0, 0]])
    found = gradient(image, cells, variant="internal", shape="custom")
    assert (found[:, :-1] == 0).all()
