"""Otsu against scikit-image, OpenCV, SimpleITK, a brute-force scan and planted classes."""

from __future__ import annotations

import cv2
import dask.array as da
import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import data
from skimage.filters import threshold_otsu as reference

import napari_lightbox as lb
from napari_lightbox.kernels.histogram import histogram_passes, whole_histogram

LEVELS = {"camera": 102, "coins": 107, "page": 157, "text": 109, "moon": 87}


@pytest.mark.parametrize("name", LEVELS)
def test_pictures_give_the_level_all_libraries_agree_on(name):
    picture = getattr(data, name)()
    result = lb.apply("threshold_otsu", picture)
    itk = sitk.OtsuThresholdImageFilter()
    itk.SetNumberOfHistogramBins(256)
    itk.SetInsideValue(0)
    itk.SetOutsideValue(1)
    from_itk = sitk.GetArrayFromImage(itk.Execute(sitk.GetImageFromArray(picture)))
    level, from_opencv = cv2.threshold(picture, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    assert result.threshold == LEVELS[name] == level == reference(picture)
    np.testing.assert_array_equal(result.labels, from_opencv)
    np.testing.assert_array_equal(result.labels, from_itk)
    assert result.labels.dtype == np.int32


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16", "int32", "int64", "float32", "float64"])
@pytest.mark.parametrize("shape", [(60, 71), (9, 31, 22)])
def test_equals_scikit_image(dtype, shape):
    rng = np.random.default_rng(3)
    image = np.where(rng.random(shape) < 0.3, rng.normal(90, 9, shape), rng.normal(30, 12, shape)).astype(dtype)
    result = lb.apply("threshold_otsu", image)
    assert result.threshold == reference(image)
    np.testing.assert_array_equal(result.labels, image > reference(image))


def test_equals_brute_force_variance_scan():
    image = data.coins()
    values = image.ravel().astype(float)
    sides = [(values[values <= t], values[values > t]) for t in range(1, 252)]
    within = [low.var() * low.size + high.var() * high.size for low, high in sides]
    assert lb.apply("threshold_otsu", image).threshold == 1 + int(np.argmin(within))


def test_equal_gaussians_split_in_the_middle():
    rng = np.random.default_rng(0)
    image = np.concatenate([rng.normal(80, 15, 50000), rng.normal(140, 15, 50000)]).reshape(400, 250).astype(np.float32)
    assert lb.apply("threshold_otsu", image).threshold == pytest.approx(110, rel=0.02)


def test_invert_is_the_complement_and_mask_restricts():
    image = data.camera()
    mask = np.zeros(image.shape, bool)
    mask[100:300, 50:400] = True
    plain, inverted = lb.apply("threshold_otsu", image), lb.apply("threshold_otsu", image, invert=True)
    np.testing.assert_array_equal(plain.labels + inverted.labels, 1)
    masked = lb.apply("threshold_otsu", image, mask)
    assert masked.threshold == reference(image[mask])
    np.testing.assert_array_equal(masked.labels, (image > masked.threshold) & mask)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "int32"])
def test_ignore_zeros(dtype):
    image = np.pad(data.camera()[::4, ::4], 60).astype(dtype) * (1000 if dtype == "int32" else 1)
    level = lb.apply("threshold_otsu", image, ignore_zeros=True).threshold
    inner = image[image != 0]
    if dtype == "int32":  # spans more than 65536 levels: 256 bins
        counts, edges = np.histogram(inner, 256)
        assert level == reference(hist=(counts, (edges[1:] + edges[:-1]) / 2))
    else:
        assert level == reference(inner)


def test_scope():
    stack = np.stack([data.camera()[::2, ::2], data.moon()[::2, ::2], data.page()[:150, :256].repeat(2, 0)[:256]])
    per_frame = lb.apply("threshold_otsu", stack, axes="tyx").threshold
    np.testing.assert_array_equal(per_frame, [reference(f) for f in stack])
    assert np.unique(lb.apply("threshold_otsu", stack, axes="tyx", scope="layer").threshold) == reference(stack)
    assert lb.apply("threshold_otsu", stack, axes="zyx").threshold == reference(stack)
    np.testing.assert_array_equal(lb.apply("threshold_otsu", stack, axes="zyx", scope="plane").threshold, per_frame)


@settings(max_examples=20)
@given(st.integers(9, 40), st.integers(9, 40), st.sampled_from(["uint8", "uint16", "int16", "int32", "float32", "bool"]))
def test_lazy_equals_eager(chunk_y, chunk_x, dtype):
    rng = np.random.default_rng(chunk_y * 41 + chunk_x)
    image = (rng.random((33, 40)) * 1.6 * 100).astype(dtype)
    eager = lb.apply("threshold_otsu", image)
    lazy = lb.apply("threshold_otsu", da.from_array(image, chunks=(chunk_y, chunk_x)))
    assert float(lazy.threshold.compute()) == eager.threshold
    np.testing.assert_array_equal(lazy.labels, eager.labels)


def test_strange_images():
    holed = data.camera()[::4, ::4].astype(np.float32)
    expected = lb.apply("threshold_otsu", holed).threshold
    holed = np.pad(holed, 1, constant_values=np.nan)
    holed[0, 0] = np.inf
    result = lb.apply("threshold_otsu", holed)
    assert result.threshold == expected
    assert result.labels[0, 0] == 1
    assert result.labels[0, 1:].sum() == 0
    constant = lb.apply("threshold_otsu", np.full((5, 6), 7, np.uint8))
    assert constant.threshold == 7
    assert not constant.labels.any()
    for invert in (False, True):
        empty = lb.apply("threshold_otsu", np.full((5, 6), np.nan), invert=invert)
        assert np.isnan(empty.threshold)
        assert not empty.labels.any()


@given(st.integers(0, 2**32 - 1), st.integers(2, 300), st.sampled_from(["float32", "float64"]))
def test_bins_are_those_of_numpy(seed, bins, dtype):
    rng = np.random.default_rng(seed)
    image = (rng.integers(0, 50, (20, 30)) * rng.choice([0.1, 1e-6, 3e7]) + rng.choice([0, 5, -1e5])).astype(dtype)
    histogram = whole_histogram(image, bins)
    try:
        counts, edges = np.histogram(image, bins)
    except ValueError:  # NumPy refuses bins narrower than the image's precision, ours are cut in float64
        assert histogram.total == image.size
        return
    if image.min() < image.max():
        np.testing.assert_array_equal(histogram.counts, counts)
        np.testing.assert_array_equal(histogram.edges, edges)


def test_large_integers_do_not_overflow():
    image = data.camera()[::4, ::4].astype(np.int64)
    assert lb.apply("threshold_otsu", image + 2**61).threshold == float(reference(image) + 2**61)


def test_passes_merge_in_any_order():
    rng = np.random.default_rng(5)
    small, wide = rng.integers(-9, 9, (40, 30)), rng.integers(0, 2**40, (40, 30))
    for image in (rng.normal(size=(40, 30)), small, wide, small.astype(np.uint8)):
        parts = [image[:7], image[7:30], image[30:]]
        state = None
        for stage in histogram_passes(64):
            a, b, c = [stage.block(p, None, state, {}) for p in parts]
            state = stage.combine(stage.combine(c, a), b)
        np.testing.assert_array_equal(state.counts, whole_histogram(image, 64).counts)
        assert state.total == image.size
