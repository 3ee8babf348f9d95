import numpy as np
import pytest
from scipy import ndimage

from napari_lightbox.techniques.edges.difference_of_gaussians import difference_of_gaussians

RNG = np.random.default_rng(3)
UNIT = (1.0, 1.0, 1.0)


@pytest.mark.parametrize("shape", [(40, 50), (9, 20, 30)])
@pytest.mark.parametrize("border", ["reflect", "mirror", "nearest"])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float32", 1e-6), ("uint8", 1e-4), ("uint16", 5e-2)])
def test_equals_scipy(shape, border, dtype, tolerance):
    # the answer is in float32 up to 16 bits: seven digits of the largest value
    top = 1 if dtype.startswith("f") else np.iinfo(dtype).max
    image = (RNG.random(shape) * top).astype(dtype)
    exact = image.astype(float)
    for sigma, k, gamma in ((0.5, 1.6, 1.0), (1.5, 3.0, 0.98)):
        expected = ndimage.gaussian_filter(exact, sigma, mode=border) - gamma * ndimage.gaussian_filter(
            exact, k * sigma, mode=border
        )
        result = difference_of_gaussians(image, sigma=sigma, k=k, gamma=gamma, border=border, spacing=UNIT)
        assert result.sign is None
        np.testing.assert_allclose(result.image, expected, atol=tolerance)


def test_equals_scikit_image():
    filters = pytest.importorskip("skimage.filters")
    image = RNG.random((40, 50))
    expected = filters.difference_of_gaussians(image, 1, 1.6)
    np.testing.assert_allclose(difference_of_gaussians(image, sigma=1.0, border="nearest").image, expected, atol=1e-12)


def test_constant_keeps_a_share_of_its_tone_and_sign_follows():
    flat = difference_of_gaussians(np.full((20, 20), 100.0), gamma=0.98, sign_mask=True)
    np.testing.assert_allclose(flat.image, 2.0)
    assert flat.sign.dtype == np.int32
    assert (flat.sign == 1).all()
    image = RNG.random((20, 20))
    result = difference_of_gaussians(image, sign_mask=True)
    assert (result.sign == (result.image > 0)).all()


def test_approximates_the_scaled_laplacian():
    image = ndimage.gaussian_filter(RNG.random((80, 80)), 1)
    laplacian = -ndimage.gaussian_laplace(image, 2 * np.sqrt(1.6))
    result = difference_of_gaussians(image, sigma=2.0).image
    assert np.corrcoef(result.ravel(), laplacian.ravel())[0, 1] > 0.99


def test_physical_width_follows_the_spacing():
    image = RNG.random((9, 20, 30))
    result = difference_of_gaussians(image, sigma=2.0, k=2.0, unit="physical", spacing=(2.0, 1.0, 4.0)).image
    expected = ndimage.gaussian_filter(image, (1, 2, 0.5)) - ndimage.gaussian_filter(image, (2, 4, 1))
    np.testing.assert_allclose(result, expected, atol=1e-12)
