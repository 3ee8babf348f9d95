import numpy as np
import pytest

from napari_lightbox.errors import InputError, ParameterError
from napari_lightbox.techniques.denoise.non_local_means import non_local_means

RNG = np.random.default_rng(4)


def brute_force(image, size, reach, h, sigma, fast):
    """The defining sum, pixel pair by pixel pair."""
    half, ndim = size // 2, image.ndim
    offsets = range(1 - half, half + 1) if fast else range(-half, half + 1)
    taps = np.ones(2 * half) if fast else np.exp(-(np.arange(-half, half + 1) ** 2) / (2 * (half / 2) ** 2))
    weight = taps
    for _ in range(ndim - 1):
        weight = np.multiply.outer(weight, taps)
    weight = weight / (size**ndim if fast else weight.sum()) / h**2
    padded = np.pad(image, half + reach, mode="reflect")
    result = np.empty(image.shape)

    def patch(place):
        return padded[np.ix_(*[[half + reach + p + o for o in offsets] for p in place])]

    for place in np.ndindex(*image.shape):
        total = weights = 0.0
        for step in np.ndindex(*(2 * reach + 1,) * ndim):
            other = tuple(p + s - reach for p, s in zip(place, step, strict=True))
            if not fast and not all(0 <= o < n for o, n in zip(other, image.shape, strict=True)):
                continue
            distance = max(0.0, (weight * ((patch(place) - patch(other)) ** 2 - 2 * sigma**2)).sum())
            if distance <= 5:
                weights += np.exp(-distance)
                total += np.exp(-distance) * padded[tuple(half + reach + o for o in other)]
        result[place] = total / weights
    return result


@pytest.mark.parametrize("method", ["fast", "classic"])
@pytest.mark.parametrize("sigma", [0.0, 0.1])
@pytest.mark.parametrize(("shape", "size", "reach"), [((16, 16), 5, 3), ((5, 6, 7), 3, 2)])
def test_equals_the_defining_sum(method, sigma, shape, size, reach):
    image = RNG.random(shape)
    result = non_local_means(image, h=0.3, sigma=sigma, patch_size=size, patch_distance=reach, method=method)
    np.testing.assert_allclose(result, brute_force(image, size, reach, 0.3, sigma, method == "fast"), atol=1e-7)


@pytest.mark.parametrize("method", ["fast", "classic"])
@pytest.mark.parametrize("shape", [(40, 44), (9, 10, 11)])
def test_agrees_with_scikit_image(method, shape):
    restoration = pytest.importorskip("skimage.restoration")
    image = RNG.random(shape)
    result = non_local_means(image, h=0.3, patch_size=5, patch_distance=3, method=method)
    # its exponential is off by up to 4 %, and in 3D it counts the neighbours straight above and below twice
    np.testing.assert_allclose(result, restoration.denoise_nl_means(image, 5, 3, 0.3, fast_mode=method == "fast"), atol=0.01)


def test_equals_opencv_and_rounds_an_even_patch_up():
    cv2 = pytest.importorskip("cv2")
    image = RNG.integers(0, 256, (40, 44), dtype=np.uint8)
    for h, size, search in ((7.0, 7, 15), (10.0, 12, 21), (15.0, 7, 21)):
        result = non_local_means(image, h=h, patch_size=size, patch_distance=search // 2, method="opencv")
        assert (result == cv2.fastNlMeansDenoising(image, None, h, size, search)).all()


def test_opencv_searches_through_time():
    cv2 = pytest.importorskip("cv2")
    video = RNG.integers(0, 256, (5, 20, 24), dtype=np.uint8)
    result = non_local_means(video, h=40.0, patch_size=3, patch_distance=4, method="opencv", temporal_window=3)
    assert (result[2] == cv2.fastNlMeansDenoisingMulti(list(video), 2, 3, None, 40, 3, 9)).all()
    edge = [video[1], video[0], video[1]]
    assert (result[0] == cv2.fastNlMeansDenoisingMulti(edge, 1, 3, None, 40, 3, 9)).all()


@pytest.mark.parametrize("method", ["fast", "classic"])
def test_denoises_and_keeps_integers(method):
    clean = np.kron(RNG.integers(0, 2, (6, 6)), np.ones((8, 8))) * 120 + 60
    noisy = np.clip(clean + RNG.normal(0, 12, clean.shape), 0, 255).round().astype(np.uint8)
    result = non_local_means(noisy, h=0.8 * 12, sigma=12.0, patch_size=5, patch_distance=6, method=method)
    assert result.dtype == np.uint8
    assert ((result - clean) ** 2).mean() < 0.25 * ((noisy - clean) ** 2).mean()
    assert (non_local_means(np.full((20, 20), 9, np.uint8), method=method) == 9).all()


def test_nan_reaches_what_looks_at_it():
    image = RNG.random((30, 30)).astype(np.float32)
    image[15, 15] = np.nan
    expected = np.zeros(image.shape, bool)
    expected[11:20, 11:20] = True
    assert (np.isnan(non_local_means(image, patch_size=5, patch_distance=2)) == expected).all()


def test_opencv_says_what_it_lacks():
    with pytest.raises(InputError, match="float64"):
        non_local_means(np.zeros((9, 9)), method="opencv")
    with pytest.raises(ParameterError, match="sigma"):
        non_local_means(np.zeros((9, 9), np.uint8), method="opencv", sigma=1.0)
