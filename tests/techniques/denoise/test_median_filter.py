import numpy as np
import pytest
from scipy import ndimage

from napari_lightbox.errors import ParameterError
from napari_lightbox.kernels.windows import window_mask
from napari_lightbox.techniques.denoise.median_filter import median_filter

RNG = np.random.default_rng(2)
UNIT = (1.0, 1.0, 1.0)
DTYPES = ("bool", "uint8", "uint16", "int16", "int32", "uint64", "float32", "float64")


def picture(shape, dtype):
    if dtype == "bool":
        return RNG.random(shape) > 0.5
    return (RNG.random(shape) * 200).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("border", ["reflect", "mirror", "nearest"])
@pytest.mark.parametrize(
    ("shape", "radius", "footprint"),
    [
        ((31, 40), 1, "box"),
        ((31, 40), 2, "box"),
        ((31, 40), (1, 3), "box"),
        ((31, 40), 6, "box"),
        ((31, 40), 3, "ball"),
        ((6, 12, 20), 1, "box"),
        ((6, 12, 20), 2, "ball"),
        ((12, 12, 20), 3, "box"),
        ((6, 12, 20), (0, 1, 1), "box"),
        ((1, 9, 9), 1, "box"),
    ],
)
def test_equals_scipy(shape, radius, footprint, border, dtype):
    image = picture(shape, dtype)
    radii = radius if isinstance(radius, tuple) else (radius,) * len(shape)
    expected = ndimage.median_filter(
        image.view(np.uint8) if dtype == "bool" else image, footprint=window_mask(radii, footprint), mode=border
    )
    result = median_filter(image, radius=radius, footprint=footprint, border=border, spacing=UNIT)
    assert result.dtype == image.dtype
    assert (result == expected).all()


def test_large_8_bit_windows_equal_scipy():
    image = picture((70, 80), "uint8")
    assert (median_filter(image, size=31) == ndimage.median_filter(image, 31)).all()


@pytest.mark.parametrize("backend", ["scipy", "simpleitk", "opencv"])
@pytest.mark.parametrize("border", ["reflect", "mirror", "nearest"])
def test_backends_agree(backend, border):
    image = picture((31, 40), "uint8")
    assert (median_filter(image, radius=2, backend=backend, border=border) == median_filter(image, radius=2, border=border)).all()
    if backend != "opencv":
        volume = picture((6, 12, 20), "float32")
        chosen = median_filter(volume, size=(3, 5, 3), backend=backend, border=border, spacing=UNIT)
        assert (chosen == median_filter(volume, radius=(1, 2, 1), border=border, spacing=UNIT)).all()


def test_commutes_with_monotone_maps():
    image = RNG.random((30, 30))
    assert (median_filter(np.exp(image)) == np.exp(median_filter(image))).all()


def test_sparse_impulses_vanish():
    image = np.full((40, 40), 9, np.uint16)
    image[::4, ::4] = 65535
    assert (median_filter(image) == 9).all()


def test_physical_radius_follows_the_spacing():
    volume = picture((9, 16, 16), "float32")
    result = median_filter(volume, radius=1.2, unit="physical", footprint="ball", spacing=(1.2, 0.4, 0.6))
    z, y, x = np.meshgrid(range(-1, 2), range(-3, 4), range(-2, 3), indexing="ij")
    ellipsoid = (z * 1.2) ** 2 + (y * 0.4) ** 2 + (x * 0.6) ** 2 <= 1.2**2 + 1e-5
    assert (result == ndimage.median_filter(volume, footprint=ellipsoid)).all()


@pytest.mark.parametrize("footprint", ["box", "ball"])
def test_nan_reaches_its_window_only(footprint):
    image = RNG.random((20, 21)).astype(np.float32)
    image[10, 10] = np.nan
    expected = np.zeros(image.shape, bool)
    expected[8:13, 8:13] = window_mask((2, 2), footprint)
    assert (np.isnan(median_filter(image, radius=2, footprint=footprint)) == expected).all()


def test_backends_say_what_they_lack():
    with pytest.raises(ParameterError, match="ball"):
        median_filter(np.zeros((9, 9)), footprint="ball", backend="opencv")
    with pytest.raises(ParameterError, match="planes"):
        median_filter(np.zeros((9, 9, 9)), backend="opencv", spacing=UNIT)
    with pytest.raises(ParameterError, match="size"):
        median_filter(np.zeros((9, 9)), radius=3, backend="opencv")
