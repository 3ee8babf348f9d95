import numpy as np
import pytest

from napari_lightbox.errors import InputError
from napari_lightbox.techniques.denoise.tv_chambolle import tv_chambolle

RNG = np.random.default_rng(6)


def variation(image):
    slopes = np.zeros((image.ndim, *image.shape))
    for axis in range(image.ndim):
        slopes[(axis, *[slice(0, -1) if a == axis else slice(None) for a in range(image.ndim)])] = np.diff(image, axis=axis)
    return np.sqrt((slopes**2).sum(axis=0)).sum()


@pytest.mark.parametrize("shape", [(30, 41), (8, 15, 20), (1, 9, 12), (200, 7)])
@pytest.mark.parametrize("weight", [0.05, 0.5])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float32", 1e-5)])
def test_equals_scikit_image(shape, weight, dtype, tolerance):
    restoration = pytest.importorskip("skimage.restoration")
    image = RNG.random(shape).astype(dtype)
    result = tv_chambolle(image, weight=weight)
    assert result.dtype == dtype
    np.testing.assert_allclose(result, restoration.denoise_tv_chambolle(image, weight), atol=tolerance)


def test_default_weight_is_a_tenth_of_the_range():
    restoration = pytest.importorskip("skimage.restoration")
    image = RNG.integers(0, 256, (30, 30), dtype=np.uint8)
    np.testing.assert_allclose(tv_chambolle(image), 255 * restoration.denoise_tv_chambolle(image / 255), atol=1e-3)


def test_weight_and_intensity_scale_together():
    image = RNG.random((30, 30))
    np.testing.assert_allclose(tv_chambolle(255 * image, weight=25.5), 255 * tv_chambolle(image, weight=0.1), rtol=1e-9)


def test_variation_falls_with_the_weight_and_the_mean_stays():
    image = RNG.random((40, 40))
    results = [tv_chambolle(image, weight=w) for w in (0.02, 0.1, 0.3, 1.0)]
    totals = [variation(image), *map(variation, results)]
    assert totals == sorted(totals, reverse=True)
    assert [r.mean() for r in results] == pytest.approx([image.mean()] * 4, rel=1e-12)


def test_piecewise_constant_image_gains_five_decibels():
    clean = np.kron(RNG.random((5, 5)), np.ones((12, 12)))
    noisy = clean + RNG.normal(0, 0.1, clean.shape)
    result = tv_chambolle(noisy, weight=0.12)
    assert 10 * np.log10(((noisy - clean) ** 2).mean() / ((result - clean) ** 2).mean()) > 5


def test_runs_are_equal_bit_for_bit_and_nan_is_refused():
    image = RNG.random((300, 40)).astype(np.float32)
    assert (tv_chambolle(image) == tv_chambolle(image)).all()
    image[3, 3] = np.nan
    with pytest.raises(InputError, match="NaN"):
        tv_chambolle(image)
