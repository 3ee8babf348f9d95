"""Cutting an object out: the product with a mask, chosen ids, fill values."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest

from napari_lightbox.engine.apply import apply
from napari_lightbox.errors import ParameterError
from napari_lightbox.techniques.segment_interactive.mask_cutout import mask_cutout


def pair(shape, dtype, seed=0):
    rng = np.random.default_rng(seed)
    return (rng.random(shape) * 100).astype(dtype), rng.integers(0, 4, shape).astype(np.int32)


@pytest.mark.parametrize("shape", [(13, 17), (5, 6, 7)])
@pytest.mark.parametrize("dtype", ["bool", "uint8", "int16", "uint16", "uint64", "float16", "float32", "float64"])
def test_equals_the_product_with_the_mask_and_keeps_the_type(shape, dtype):
    image, labels = pair(shape, dtype)
    found = mask_cutout(image, labels)
    assert found.dtype == image.dtype
    np.testing.assert_array_equal(found, image * (labels > 0).astype(dtype))
    np.testing.assert_array_equal(mask_cutout(image, labels, ids=(2,)), np.where(labels == 2, image, 0))
    outside = mask_cutout(image, labels, ids=(1, 3), invert=True, fill=1)
    np.testing.assert_array_equal(outside, np.where((labels == 1) | (labels == 3), 1, image))


def test_kept_and_cut_parts_add_up_to_the_image():
    image, labels = pair((20, 21), "uint16", 1)
    np.testing.assert_array_equal(mask_cutout(image, labels) + mask_cutout(image, labels, invert=True), image)


def test_the_fill_value_must_fit_the_type():
    image, labels = pair((4, 4), "uint8", 2)
    for fill in (-1, 256, 0.5, np.nan):
        with pytest.raises(ParameterError, match="does not fit uint8"):
            mask_cutout(image, labels, fill=fill)
    assert np.isnan(mask_cutout(image.astype(np.float32), np.zeros_like(labels), fill=np.nan)).all()


def test_missing_values_outside_are_cut_away():
    image = np.array([[np.nan, 2.0]])
    assert mask_cutout(image, np.array([[0, 1]])).tolist() == [[0.0, 2.0]]


def test_colour_is_cut_in_every_channel():
    rng = np.random.default_rng(3)
    image, labels = rng.integers(1, 255, (12, 14, 3)).astype(np.uint8), rng.integers(0, 2, (12, 14)).astype(np.int32)
    found = apply(mask_cutout.technique, image, labels, axes="yxc")
    np.testing.assert_array_equal(found, image * labels[..., np.newaxis].astype(np.uint8))


def test_lazy_equals_eager():
    image, labels = pair((3, 20, 22), "uint8", 4)
    lazy = apply(mask_cutout.technique, da.from_array(image, chunks=(1, 9, 22)), da.from_array(labels, chunks=7), axes="tyx")
    assert isinstance(lazy, da.Array)
    np.testing.assert_array_equal(np.asarray(lazy), mask_cutout(image, labels))
