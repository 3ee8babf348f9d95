"""Adaptive threshold against scikit-image, OpenCV and planted marks on a ramp."""

from __future__ import annotations

import cv2
import dask.array as da
import numpy as np
import pytest
from skimage import data
from skimage.filters import threshold_local as reference

import napari_lightbox as lb
from napari_lightbox.errors import InputError, ParameterError

METHODS = {"mean": 0.49837, "gaussian": 0.49747, "median": 0.38666}
CODES = {"mean": cv2.ADAPTIVE_THRESH_MEAN_C, "gaussian": cv2.ADAPTIVE_THRESH_GAUSSIAN_C}


@pytest.mark.parametrize("method", ["mean", "gaussian"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32", "float64"])
@pytest.mark.parametrize("shape", [(50, 61), (12, 21, 30)])
def test_equals_scikit_image(method, dtype, shape):
    image = np.random.default_rng(0).normal(100, 30, shape).clip(0).astype(dtype)
    block = (5, 9, 7)[-image.ndim :]
    result = lb.apply("threshold_local", image, method=method, block_size=block, offset=2.5)
    level = reference(image, block, method, offset=2.5)
    # levels are rounded to float32 for small types; a label differs only where the pixel is that close to its level
    np.testing.assert_allclose(result.threshold, level, rtol=1e-6)
    clear = np.abs(image - level) > 1e-4
    np.testing.assert_array_equal(result.labels[clear], (image > level)[clear])
    np.testing.assert_array_equal(result.labels, image.astype(np.float64) > result.threshold)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32"])
@pytest.mark.parametrize("shape", [(40, 31), (8, 15, 17)])
def test_median_equals_scikit_image(dtype, shape):
    image = np.random.default_rng(0).normal(100, 30, shape).astype(dtype)
    result = lb.apply("threshold_local", image, method="median", block_size=5, invert=True)
    level = reference(image, 5, "median")
    np.testing.assert_array_equal(result.threshold, level)
    np.testing.assert_array_equal(result.labels, image <= level)


@pytest.mark.parametrize("method", METHODS)
def test_fraction_of_camera(method):
    result = lb.apply("threshold_local", data.camera(), method=method, block_size=25)
    # scikit-image's running sums leave a rounding error that marks 7 pixels equal to their exact mean
    assert result.labels.mean() == pytest.approx(METHODS[method], abs=3e-5 if method == "mean" else 5e-6)


@pytest.mark.parametrize("method", CODES)
@pytest.mark.parametrize("offset", [0, 10, 4.5, -3.2])
@pytest.mark.parametrize("invert", [False, True])
def test_opencv_backend_equals_opencv(method, offset, invert):
    image = data.page()[:120, :150]
    result = lb.apply("threshold_local", image, method=method, block_size=21, offset=offset, invert=invert, backend="opencv")
    np.testing.assert_array_equal(result.labels, cv2.adaptiveThreshold(image, 1, CODES[method], int(invert), 21, offset))


@pytest.mark.parametrize("method", CODES)
def test_backends_agree(method):
    page = data.page()
    options = {"method": method, "block_size": 35, "offset": 10}
    ours, opencv = [lb.apply("threshold_local", page, **options, backend=b).labels for b in ("skimage", "opencv")]
    assert (ours == opencv).mean() >= 0.995


def test_text_under_a_ramp():
    marks = np.zeros((200, 260), bool)
    for y in range(20, 190, 25):
        marks[y : y + 5, 15:240:2] = marks[y : y + 9, 15:240:12] = True
    light = np.linspace(60, 240, 260)[None]
    rng = np.random.default_rng(0)
    page = (light * np.where(marks, 0.5, 1.0) + rng.normal(0, 2, marks.shape)).clip(0, 255).astype(np.uint8)

    def dice(found):
        return 2 * (found & marks).sum() / (found.sum() + marks.sum())

    local = lb.apply("threshold_local", page, method="mean", block_size=51, offset=12, invert=True)
    assert dice(local.labels > 0) > 0.99
    assert dice(lb.apply("threshold_otsu", page, invert=True).labels > 0) < 0.5


def test_flat_regions_stay_flat():
    image = np.full((40, 41), 37, np.uint8)
    for method in METHODS:
        assert not lb.apply("threshold_local", image, method=method, block_size=9).labels.any()
        assert lb.apply("threshold_local", image, method=method, block_size=9, offset=1).labels.all()


@pytest.mark.parametrize("parameters", [{"method": "mean"}, {}, {"method": "median"}, {"backend": "opencv"}, {"sigma": 2.0}])
def test_lazy_equals_eager(parameters):
    image = data.camera()[:90, :100]
    eager = lb.apply("threshold_local", image, block_size=9, **parameters)
    lazy = lb.apply("threshold_local", da.from_array(image, chunks=(31, 23)), block_size=9, **parameters)
    np.testing.assert_array_equal(lazy.labels, eager.labels)
    np.testing.assert_array_equal(lazy.threshold, eager.threshold)


@pytest.mark.parametrize("method", METHODS)
def test_a_hole_spoils_its_windows_only(method):
    image = data.camera()[:60, :70].astype(np.float32)
    holed = image.copy()
    holed[30, 20], holed[10, 50] = np.nan, np.inf
    clean, result = [lb.apply("threshold_local", i, method=method, block_size=7) for i in (image, holed)]
    reach = 4 if method == "gaussian" else 3  # four sigma of (7 - 1) / 6
    near = np.zeros(image.shape, bool)
    for y, x in ((30, 20), (10, 50)):
        near[y - reach : y + reach + 1, x - reach : x + reach + 1] = True
    assert np.isnan(result.threshold[near]).all()
    assert not result.labels[near].any()
    np.testing.assert_allclose(result.threshold[~near], clean.threshold[~near], rtol=1e-6)


def test_what_opencv_cannot_do_is_refused():
    with pytest.raises(InputError, match="uint8"):
        lb.apply("threshold_local", np.zeros((9, 9), np.uint16), backend="opencv")
    with pytest.raises(InputError, match="axes"):
        lb.apply("threshold_local", np.zeros((9, 9, 9), np.uint8), backend="opencv")
    with pytest.raises(ParameterError, match="backend"):
        lb.apply("threshold_local", np.zeros((9, 9), np.uint8), backend="opencv", method="median")
