import numpy as np
import pytest
from scipy import ndimage

from napari_lightbox.techniques.edges.laplacian_of_gaussian import laplacian_of_gaussian

RNG = np.random.default_rng(2)
UNIT = (1.0, 1.0, 1.0)


@pytest.mark.parametrize("shape", [(40, 50), (9, 20, 30), (1, 20, 30)])
@pytest.mark.parametrize("sigma", [1.0, 2.5])
@pytest.mark.parametrize("border", ["reflect", "mirror", "nearest"])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float32", 1e-6), ("uint8", 1e-4), ("uint16", 2e-2)])
def test_equals_scipy(shape, sigma, border, dtype, tolerance):
    # the answer is in float32 up to 16 bits: seven digits of the largest value
    top = 1 if dtype.startswith("f") else np.iinfo(dtype).max
    image = (RNG.random(shape) * top).astype(dtype)
    expected = ndimage.gaussian_laplace(image.astype(float), sigma, mode=border)
    np.testing.assert_allclose(laplacian_of_gaussian(image, sigma=sigma, border=border, spacing=UNIT), expected, atol=tolerance)


@pytest.mark.parametrize("shape", [(40, 50), (17, 20, 30)])
def test_constants_and_ramps_give_zero(shape):
    ramp = np.broadcast_to(np.arange(float(shape[-1])), shape).copy()
    inside = (slice(8, -8),) * len(shape)
    for image in (np.full(shape, 3.0), ramp):
        # cutting the kernel at four sigmas leaves 1.5e-4 of the value per axis, unless the sum is corrected
        assert np.abs(laplacian_of_gaussian(image, spacing=UNIT)[inside]).max() < 2e-4 * len(shape) * image.max()
        assert np.abs(laplacian_of_gaussian(image, zero_sum=True, spacing=UNIT)[inside]).max() < 1e-12 * image.max()


@pytest.mark.parametrize("ndim", [2, 3])
def test_blob_centre_meets_theory(ndim):
    width, sigma = 3.0, 2.0
    grid = np.indices((41,) * ndim) - 20
    blob = np.exp(-(grid**2).sum(axis=0) / (2 * width**2))
    variance = width**2 + sigma**2
    expected = -ndim * width**ndim / variance ** (ndim / 2 + 1)
    centre = (20,) * ndim
    assert laplacian_of_gaussian(blob, sigma=sigma, spacing=UNIT)[centre] == pytest.approx(expected, rel=0.01)
    scaled = laplacian_of_gaussian(blob, sigma=sigma, scale_normalise=True, spacing=UNIT)[centre]
    assert scaled == pytest.approx(sigma**2 * expected, rel=0.01)


def test_physical_units_make_anisotropic_voxels_agree():
    width, sigma, spacing = 6.0, 4.0, (2.0, 1.0, 0.5)
    axes = [(np.arange(n) - n // 2) * s for n, s in zip((31, 61, 121), spacing, strict=True)]
    z, y, x = np.meshgrid(*axes, indexing="ij")
    blob = np.exp(-(z**2 + y**2 + x**2) / (2 * width**2))
    expected = -3 * width**3 / (width**2 + sigma**2) ** 2.5
    result = laplacian_of_gaussian(blob, sigma=sigma, unit="physical", spacing=spacing)
    assert result[15, 30, 60] == pytest.approx(expected, rel=0.01)
