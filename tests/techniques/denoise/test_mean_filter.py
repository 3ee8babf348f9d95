import numpy as np
import pytest
from scipy import ndimage

from napari_lightbox.techniques.denoise.mean_filter import mean_filter

RNG = np.random.default_rng(1)
INTEGERS = ("uint8", "int8", "uint16", "int16", "uint32", "int32")


@pytest.mark.parametrize("shape", [(40, 50), (7, 20, 30), (1, 9, 11)])
@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("size", [3, 5, 13])
def test_integers_are_the_exact_mean_rounded_once(shape, dtype, size):
    limits = np.iinfo(dtype)
    image = RNG.integers(limits.min // 2, limits.max, shape, dtype=dtype)
    half = size // 2
    padded = np.pad(image.astype(object), half, mode="symmetric").cumsum(0)
    for axis in range(1, len(shape)):
        padded = padded.cumsum(axis)
    sums = np.pad(padded, [(1, 0)] * len(shape))
    for axis in range(len(shape)):
        sums = np.take(sums, range(size, sums.shape[axis]), axis) - np.take(sums, range(sums.shape[axis] - size), axis)
    count = size ** len(shape)
    assert (mean_filter(image, size=size) == (2 * sums + count) // (2 * count)).all()


@pytest.mark.parametrize("border", ["reflect", "mirror", "nearest"])
@pytest.mark.parametrize(("shape", "size"), [((40, 50), 5), ((7, 20, 30), (1, 5, 3)), ((12, 20, 30), 7)])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float32", 1e-6)])
def test_floats_equal_scipy(shape, size, border, dtype, tolerance):
    image = RNG.normal(size=shape).astype(dtype)
    expected = ndimage.uniform_filter(image.astype(float), size, mode=border)
    np.testing.assert_allclose(mean_filter(image, size=size, border=border), expected, atol=tolerance)


def test_large_windows_of_large_values_do_not_overflow():
    image = np.full((300, 300), 65535, np.uint16)
    assert (mean_filter(image, size=181) == 65535).all()


def test_noise_falls_by_three():
    noise = RNG.normal(size=(400, 400))
    assert mean_filter(noise, size=3).std() == pytest.approx(noise.std() / 3, rel=0.02)


@pytest.mark.parametrize("shape", [(30, 31), (9, 30, 31)])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_nan_and_infinity_reach_their_window_only(shape, value):
    image = RNG.random(shape).astype(np.float32)
    place = tuple(n // 2 for n in shape)
    image[place] = value
    expected = np.zeros(shape, bool)
    expected[tuple(slice(p - 2, p + 3) for p in place)] = True
    assert (~np.isfinite(mean_filter(image, size=5)) == expected).all()


def test_true_false_is_the_majority():
    image = RNG.random((20, 20)) > 0.5
    expected = ndimage.uniform_filter(image.astype(float), 3) > 0.5
    assert (mean_filter(image) == expected).all()
