"""Gray-level slicing against numpy.where."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
from skimage import data

import napari_lightbox as lb
from napari_lightbox.errors import ParameterError


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "int32", "float32", "float64"])
@pytest.mark.parametrize("highlight", [255, 0])
@pytest.mark.parametrize("shape", ["plane", "volume"])
def test_equals_where(dtype, highlight, shape):
    image = data.coins()[::3, ::3] if shape == "plane" else np.random.default_rng(0).integers(0, 256, (6, 11, 13))
    image = image.astype(dtype)
    inside = (image >= 90) & (image <= 255)
    cleared = lb.apply("gray_level_slicing", image, highlight=highlight)
    kept = lb.apply("gray_level_slicing", image, highlight=highlight, background="keep")
    np.testing.assert_array_equal(cleared.image, np.where(inside, highlight, 0))
    np.testing.assert_array_equal(kept.image, np.where(inside, highlight, image))
    assert cleared.image.dtype == kept.image.dtype == dtype
    np.testing.assert_array_equal(cleared.mask, inside)
    np.testing.assert_array_equal(kept.mask, inside)


@pytest.mark.parametrize("chunks", [(7, 5), (1, 100), (33, 64)])
def test_lazy_equals_eager(chunks):
    image = data.coins()[:65, :100]
    lazy = lb.apply("gray_level_slicing", da.from_array(image, chunks=chunks), lower=80, upper=130, background="keep")
    eager = lb.apply("gray_level_slicing", image, lower=80, upper=130, background="keep")
    np.testing.assert_array_equal(lazy.image, eager.image)
    np.testing.assert_array_equal(lazy.mask, eager.mask)


def test_missing_values_lie_outside_and_parameters_are_checked():
    image = np.array([[np.nan, 100.0, 20.0]])
    np.testing.assert_array_equal(lb.apply("gray_level_slicing", image).image, [[0, 255, 0]])
    np.testing.assert_array_equal(lb.apply("gray_level_slicing", image, background="keep").image, [[np.nan, 255, 20]])
    with pytest.raises(ParameterError, match="lower"):
        lb.apply("gray_level_slicing", image, lower=300)
    with pytest.raises(ParameterError, match="highlight"):
        lb.apply("gray_level_slicing", np.zeros((3, 3), np.uint8), highlight=256)
