import numpy as np
import pytest

from napari_lightbox.errors import ParameterError
from napari_lightbox.techniques.denoise.bilateral_filter import bilateral_filter

RNG = np.random.default_rng(3)


def brute_force(image, sigma, half, sigma_color):
    """The defining sum over the ellipsoid, mirrored border."""
    padded = np.pad(image.astype(float), [(h, h) for h in half], mode="reflect")
    total, weights = np.zeros(image.shape), np.zeros(image.shape)
    for offset in np.ndindex(*[2 * h + 1 for h in half]):
        step = np.array(offset) - half
        if ((step / np.array(half)) ** 2).sum() > 1 + 1e-6:
            continue
        other = padded[tuple(slice(o, o + n) for o, n in zip(offset, image.shape, strict=True))]
        weight = np.exp(-0.5 * ((step / np.array(sigma)) ** 2).sum() - (other - image) ** 2 / (2 * sigma_color**2))
        total += weight * other
        weights += weight
    return total / weights


@pytest.mark.parametrize(
    ("shape", "spacing", "sigma", "half"),
    [
        ((24, 30), (1.0, 1.0), (2.0, 2.0), (3, 3)),
        ((24, 30), (2.0, 1.0), (1.0, 2.0), (2, 3)),
        ((7, 12, 14), (2.0, 1.0, 1.0), (1.0, 2.0, 2.0), (2, 3, 3)),
    ],
)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-6), ("float32", 1e-6)])
def test_equals_the_defining_sum(shape, spacing, sigma, half, dtype, tolerance):
    # weights are single precision in both cases
    image = RNG.random(shape).astype(dtype)
    result = bilateral_filter(image, sigma_color=0.3, sigma_spatial=2.0, unit="physical", spacing=spacing)
    np.testing.assert_allclose(result, brute_force(image, sigma, half, 0.3), atol=tolerance)


@pytest.mark.parametrize("shape", [(60, 70), (60, 70, 3)])
@pytest.mark.parametrize(("d", "sigma"), [(9, 75.0), (15, 180.0)])
def test_equals_opencv(shape, d, sigma):
    cv2 = pytest.importorskip("cv2")
    image = RNG.integers(0, 256, shape, dtype=np.uint8)
    expected = cv2.bilateralFilter(image, d, sigma, sigma)
    for backend in ("auto", "opencv"):
        result = bilateral_filter(image, window=d, sigma_color=sigma, sigma_spatial=sigma, backend=backend)
        # a sum that falls on a half may round either way
        assert np.abs(result.astype(int) - expected).max() <= 1
        assert (result != expected).mean() < 1e-3


def test_equals_scikit_image():
    restoration = pytest.importorskip("skimage.restoration")
    image, colour = RNG.random((24, 30)), RNG.random((24, 30, 3))
    options = {"sigma_color": 0.2, "sigma_spatial": 1.0, "backend": "skimage", "border": "constant"}
    np.testing.assert_array_equal(bilateral_filter(image, **options), restoration.denoise_bilateral(image, sigma_color=0.2))
    expected = restoration.denoise_bilateral(colour, sigma_color=0.2, channel_axis=-1, bins=500, win_size=7)
    np.testing.assert_array_equal(bilateral_filter(colour, **options, bins=500, window=7), expected)


@pytest.mark.parametrize(("shape", "spacing"), [((20, 22), (0.5, 0.5)), ((7, 12, 14), (2.0, 1.0, 1.0))])
def test_equals_simpleitk_in_world_units(shape, spacing):
    sitk = pytest.importorskip("SimpleITK")
    image = (RNG.random(shape) * 100).astype(np.float32)
    picture = sitk.GetImageFromArray(image)
    picture.SetSpacing(spacing[::-1])
    expected = sitk.GetArrayFromImage(sitk.Bilateral(picture, 1.2, 50.0))
    result = bilateral_filter(image, sigma_color=50.0, sigma_spatial=1.2, unit="physical", backend="simpleitk", spacing=spacing)
    np.testing.assert_allclose(result, expected, rtol=1e-5)


def test_infinite_range_is_a_gaussian_on_the_disc_and_a_step_stays():
    image = RNG.random((20, 24))
    np.testing.assert_allclose(bilateral_filter(image, sigma_color=1e6), brute_force(image, (2, 2), (3, 3), 1e6), atol=1e-6)
    step = np.zeros((20, 20), np.uint8)
    step[:, 10:] = 200
    assert (bilateral_filter(step, sigma_color=20.0, sigma_spatial=3.0) == step).all()


def test_colour_each_alpha_and_16_bit():
    image = RNG.integers(0, 65536, (12, 14, 4), dtype=np.uint16)
    joint = bilateral_filter(image, sigma_color=9000.0)
    assert joint.dtype == np.uint16
    assert (joint[..., 3] == image[..., 3]).all()
    each = bilateral_filter(image, sigma_color=9000.0, colour="each")
    for c in range(4):
        assert (each[..., c] == bilateral_filter(np.ascontiguousarray(image[..., c]), sigma_color=9000.0)).all()


def test_nan_reaches_its_window_only():
    image = RNG.random((20, 20))
    image[10, 10] = np.nan
    expected = np.zeros(image.shape, bool)
    expected[7:14, 7:14] = True
    assert (np.isnan(bilateral_filter(image)) == expected).all()


def test_plane_backends_refuse_volumes():
    with pytest.raises(ParameterError, match="planes"):
        bilateral_filter(np.zeros((5, 5, 5)), backend="opencv", spacing=(1.0, 1.0, 1.0))
