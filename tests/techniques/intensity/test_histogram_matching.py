"""Histogram matching against scikit-image and SimpleITK."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
import SimpleITK as sitk
from scipy import stats
from skimage import color, data
from skimage.exposure import match_histograms as reference

import napari_lightbox as lb
from napari_lightbox.errors import InputError


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16"])
def test_integers_equal_scikit_image_before_rounding(dtype):
    image = data.astronaut()[::3, ::3, 1].astype(dtype)
    template = data.coffee()[..., 1].astype(dtype)
    result = lb.apply("histogram_matching", image, template)
    assert result.dtype == dtype
    np.testing.assert_array_equal(result, np.rint(reference(image, template)))


def test_colour_channel_by_channel():
    image, template = data.astronaut()[::3, ::3], data.coffee()
    expected = np.stack([reference(image[..., c], template[..., c]) for c in range(3)], axis=-1)
    np.testing.assert_array_equal(lb.apply("histogram_matching", image, template), np.rint(expected))
    lazy = lb.apply("histogram_matching", da.from_array(image, chunks=(50, 61, 3)), template)
    np.testing.assert_array_equal(lazy, np.rint(expected))


def test_colour_in_lab():
    image, template = data.astronaut()[::3, ::3] / 255, data.coffee() / 255
    result = lb.apply("histogram_matching", image, template, colour_space="lab")
    lab, wanted = color.rgb2lab(image), color.rgb2lab(template)
    expected = color.lab2rgb(np.stack([reference(lab[..., c], wanted[..., c]) for c in range(3)], axis=-1)).clip(0, 1)
    # OpenCV's CIELAB goes through tables: a mean difference of about 1e-3
    assert np.abs(result - expected).mean() < 2e-3
    with pytest.raises(InputError, match="template"):
        lb.apply("histogram_matching", image, template[..., 0], colour_space="lab")


def test_continuous_data_take_the_template_distribution():
    rng = np.random.default_rng(0)
    image = rng.normal(2, 0.9, (256, 256)).astype(np.float32)
    template = rng.gamma(2, 1, (200, 310)).astype(np.float32)
    assert stats.ks_2samp(image.ravel(), template.ravel()).statistic > 0.15
    result = lb.apply("histogram_matching", image, template)
    assert stats.ks_2samp(result.ravel(), template.ravel()).statistic < 1e-3
    assert (np.diff(result.ravel()[np.argsort(image, axis=None)]) >= 0).all()
    # bins of 1/65536 of the range move a value by a few places among the sorted values of the template at most
    places = [np.searchsorted(np.sort(template, axis=None), r) for r in (result, reference(image, template))]
    assert np.abs(places[0] - places[1]).max() <= 12
    assert np.abs(places[0] - places[1]).mean() < 2


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32"])
def test_self_match_is_the_identity(dtype):
    image = data.camera()[::3, ::3].astype(dtype)
    if dtype == "float32":
        image += np.random.default_rng(0).random(image.shape, dtype=np.float32)
    # floats: within half a bin, and the rounding of float32
    tolerance = 1.01 * np.ptp(image) / 131072 if dtype == "float32" else 0
    np.testing.assert_allclose(lb.apply("histogram_matching", image, image), image, rtol=0, atol=tolerance)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32"])
@pytest.mark.parametrize("threshold_at_mean", [True, False])
@pytest.mark.parametrize(("levels", "points"), [(1024, 7), (64, 15)])
def test_quantiles_equal_simpleitk(dtype, threshold_at_mean, levels, points):
    template = data.camera()[::2, ::2].astype(dtype)
    image = np.rint(0.5 * template + 30).astype(dtype)
    options = {"levels": levels, "points": points, "threshold_at_mean": threshold_at_mean}
    result = lb.apply("histogram_matching", image, template, method="quantiles", **options)
    pair = [sitk.GetImageFromArray(a.astype(np.float64)) for a in (image, template)]
    expected = sitk.GetArrayFromImage(sitk.HistogramMatching(*pair, levels, points, threshold_at_mean))
    # integers are rounded; the mean of floats comes from 65536 bins
    np.testing.assert_allclose(result, expected, atol=0.5 if dtype != "float32" else 0.01)
    assert np.abs(result.astype(float) - template).mean() < 4.8


def test_masks_restrict_both_histograms():
    image, template = data.camera()[::4, ::4], data.coins()[::3, ::3]
    mask, template_mask = image > 60, template < 150
    result = lb.apply("histogram_matching", image, template, mask, template_mask)
    expected = reference(image[mask], template[template_mask])
    np.testing.assert_array_equal(result[mask], np.rint(expected))
    with pytest.raises(InputError, match="no finite pixel"):
        lb.apply("histogram_matching", image, template, np.zeros_like(mask))


def test_volume_frames_and_lazy():
    rng = np.random.default_rng(0)
    stack, template = rng.integers(0, 90, (3, 20, 30)).astype(np.uint16), rng.gamma(2, 40, (5, 12, 9)).astype(np.uint16)
    stack[1] *= 2
    volume = lb.apply("histogram_matching", stack, template, axes="zyx")
    np.testing.assert_array_equal(volume, np.rint(reference(stack, template)))
    frames = lb.apply("histogram_matching", stack, template, axes="tyx")
    np.testing.assert_array_equal(frames, [np.rint(reference(f[None], template))[0] for f in stack])
    lazy = lb.apply("histogram_matching", da.from_array(stack, chunks=(2, 9, 11)), template, axes="zyx")
    np.testing.assert_array_equal(lazy, volume)


def test_missing_values_stay():
    image = np.array([[np.nan, 1.0, 2.0, 3.0]], np.float32)
    result = lb.apply("histogram_matching", image, np.array([[10.0, 20.0, 30.0]], np.float32))
    np.testing.assert_allclose(result, [[np.nan, 10, 20, 30]], rtol=1e-3)


def test_gray_image_refuses_a_colour_template():
    with pytest.raises(InputError, match="colour"):
        lb.apply("histogram_matching", data.camera()[::8, ::8], data.coffee()[::8, ::8])
