"""SLIC: bit for bit scikit-image, connected pieces, boundaries kept."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
from scipy import ndimage
from skimage import data
from skimage.segmentation import find_boundaries, slic

from napari_lightbox.engine.apply import apply
from napari_lightbox.errors import InputError
from napari_lightbox.techniques.segment_classical.slic_superpixels import slic_superpixels

SLIC = slic_superpixels.technique


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"n_segments": 400, "compactness": 30.0, "sigma": 1.5},
        {"enforce_connectivity": False, "convert2lab": False, "compactness": 0.3},
        {"start_label": 0, "max_num_iter": 3, "n_segments": 7},
    ],
)
def test_colour_equals_scikit_image(dtype, parameters):
    image = data.astronaut()[50:150, 150:260]
    image = (image / 255).astype(dtype) if dtype.startswith("f") else image.astype(dtype)
    found = apply(SLIC, image, axes="yxc", **parameters)
    assert found.dtype == np.int32
    np.testing.assert_array_equal(found, slic(image, **parameters))


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32"])
def test_gray_equals_scikit_image(dtype):
    image = data.camera()[100:220, 150:290].astype(dtype)
    found = apply(SLIC, image, axes="yx", n_segments=90, compactness=0.1)
    np.testing.assert_array_equal(found, slic(image, 90, 0.1, channel_axis=None))


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (3.0, 1.0, 0.7)])
def test_volumes_equal_scikit_image(spacing):
    image = ndimage.gaussian_filter(np.random.default_rng(0).random((12, 30, 34)), 2).astype(np.float32)
    found = apply(SLIC, image, axes="zyx", spacing=spacing, n_segments=60, compactness=0.2, sigma=0.5)
    np.testing.assert_array_equal(found, slic(image, 60, 0.2, sigma=0.5, spacing=spacing, channel_axis=None))


def test_masked_equals_scikit_image_and_is_zero_outside():
    image = data.astronaut()[50:150, 150:260]
    mask = np.zeros(image.shape[:2], bool)
    mask[20:80, 30:90] = True
    found = apply(SLIC, image, mask.astype(np.int32), axes="yxc", n_segments=40)
    np.testing.assert_array_equal(found, slic(image, 40, mask=mask))
    assert (found[~mask] == 0).all()


def test_pieces_are_connected_and_their_number_is_near_the_one_asked_for():
    image = data.astronaut()
    for asked, least, most in [(100, 50, 130), (400, 280, 520)]:
        labels = apply(SLIC, image, axes="yxc", n_segments=asked)
        pieces = sum(ndimage.label(labels == k)[1] for k in range(1, labels.max() + 1, 7))
        assert pieces == len(range(1, labels.max() + 1, 7))
        assert least <= labels.max() <= most


def test_planted_boundaries_are_kept():
    y, x = np.mgrid[:160, :160]
    truth = (((y - 80) ** 2 + (x - 70) ** 2 < 40**2) + 2 * (x > 120)).astype(int)
    colours = np.array([[0.2, 0.2, 0.8], [0.9, 0.3, 0.2], [0.3, 0.8, 0.3]])
    image = np.clip(colours[truth] + np.random.default_rng(1).normal(0, 0.05, (160, 160, 3)), 0, 1)
    labels = apply(SLIC, image, axes="yxc", n_segments=400, compactness=30.0)
    near = ndimage.binary_dilation(find_boundaries(labels), iterations=2)
    assert near[find_boundaries(truth, mode="inner")].mean() > 0.95


def test_degenerate_input_has_a_defined_result():
    assert (apply(SLIC, np.full((9, 9), 7, np.uint8), axes="yx", n_segments=1) == 1).all()
    assert apply(SLIC, np.zeros((1, 12)), axes="yx", n_segments=3).shape == (1, 12)
    with pytest.raises(InputError, match="NaN"):
        apply(SLIC, np.array([[0.0, np.nan]]), axes="yx")
    with pytest.raises(InputError, match="empty"):
        apply(SLIC, np.zeros((5, 5)), np.zeros((5, 5), np.int32), axes="yx")


def test_lazy_equals_eager():
    image = data.astronaut()[50:110, 150:220]
    lazy = apply(SLIC, da.from_array(image, chunks=(17, 70, 3)), axes="yxc", n_segments=30)
    np.testing.assert_array_equal(np.asarray(lazy), apply(SLIC, image, axes="yxc", n_segments=30))
