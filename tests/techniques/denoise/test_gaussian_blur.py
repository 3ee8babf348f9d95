import numpy as np
import pytest
from scipy import ndimage

from napari_lightbox.errors import ParameterError
from napari_lightbox.techniques.denoise.gaussian_blur import gaussian_blur

RNG = np.random.default_rng(0)
UNIT = (1.0, 1.0, 1.0)


@pytest.mark.parametrize("shape", [(40, 50), (9, 20, 30)])
@pytest.mark.parametrize("border", ["reflect", "mirror", "nearest"])
@pytest.mark.parametrize(
    ("dtype", "tolerance"), [("float64", 1e-9), ("float32", 1e-4), ("uint8", 2.0), ("uint16", 2.0), ("int32", 0.501)]
)
def test_equals_scipy(shape, border, dtype, tolerance):
    # OpenCV's fixed-point planes are documented to lie less than two grey levels off
    image = (RNG.random(shape) * 250).astype(dtype)
    expected = ndimage.gaussian_filter(image.astype(float), 1.7, mode=border)
    result = gaussian_blur(image, sigma=1.7, border=border, spacing=UNIT)
    assert result.dtype == image.dtype
    assert np.abs(result - expected).max() <= tolerance


def test_two_blurs_equal_one_of_the_joint_width():
    image = RNG.random((80, 90))
    twice = gaussian_blur(gaussian_blur(image, sigma=1.5), sigma=2.0)
    # sampling the kernel and cutting its tails is what remains
    np.testing.assert_allclose(twice, gaussian_blur(image, sigma=2.5), atol=1e-3)


def test_kernel_size_derives_sigma_as_opencv():
    cv2 = pytest.importorskip("cv2")
    image = RNG.random((40, 50)).astype(np.float32)
    result = gaussian_blur(image, sigma=0.0, kernel_size=11)
    np.testing.assert_allclose(result, cv2.GaussianBlur(image, (11, 11), 0, borderType=cv2.BORDER_REFLECT), atol=1e-6)


def test_physical_width_follows_the_spacing():
    image = RNG.random((9, 20, 30))
    result = gaussian_blur(image, sigma=3.0, unit="physical", spacing=(3.0, 1.5, 1.0))
    np.testing.assert_allclose(result, ndimage.gaussian_filter(image, (1, 2, 3)), atol=1e-12)


def test_constant_stays_and_even_kernel_is_refused():
    assert (gaussian_blur(np.full((20, 20), 77, np.uint8), sigma=3.0) == 77).all()
    with pytest.raises(ParameterError, match="even"):
        gaussian_blur(np.zeros((8, 8)), kernel_size=4)


def test_nan_reaches_its_window_only():
    image = RNG.random((30, 30)).astype(np.float32)
    image[15, 15] = np.nan
    missing = np.isnan(gaussian_blur(image, sigma=1.0))
    expected = np.zeros((30, 30), bool)
    expected[11:20, 11:20] = True
    assert (missing == expected).all()
