import numpy as np
import pytest
from scipy import ndimage

from napari_lightbox.errors import ParameterError
from napari_lightbox.techniques.edges.sobel_edges import sobel_edges

RNG = np.random.default_rng(0)
UNIT = (1.0, 1.0, 1.0)
SHAPES = [(30, 41), (6, 15, 20), (1, 9, 12), (5, 1)]


def ramp(ndim):
    return np.broadcast_to(np.arange(12.0), (9,) * (ndim - 1) + (12,)).copy()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("border", ["reflect", "mirror", "nearest"])
@pytest.mark.parametrize("dtype", ["bool", "uint8", "int16", "int64", "float16", "float32", "float64"])
def test_equals_scipy(shape, border, dtype):
    image = (RNG.random(shape) * 100).astype(dtype)
    exact = image.astype(float)
    result = sobel_edges(image, border=border, spacing=UNIT)
    assert result.dtype == ("float64" if dtype in ("int64", "float64") else "float32")
    np.testing.assert_allclose(
        result, ndimage.generic_gradient_magnitude(exact, ndimage.sobel, mode=border), rtol=2e-6, atol=1e-3
    )
    for axis in range(len(shape)):
        one = sobel_edges(image, border=border, direction="zyx"[-len(shape) :][axis], spacing=UNIT)
        np.testing.assert_allclose(one, ndimage.sobel(exact, axis, mode=border), atol=2e-3)


@pytest.mark.parametrize("shape", SHAPES)
def test_equals_scikit_image(shape):
    filters = pytest.importorskip("skimage.filters")
    image, mask = RNG.random(shape), RNG.random(shape) > 0.02
    np.testing.assert_allclose(sobel_edges(image, normalisation="skimage", spacing=UNIT), filters.sobel(image), atol=1e-12)
    masked = sobel_edges(image, mask, normalisation="skimage", spacing=UNIT)
    np.testing.assert_allclose(masked, filters.sobel(image, mask), atol=1e-12)


def test_equals_opencv():
    cv2 = pytest.importorskip("cv2")
    image = RNG.integers(0, 256, (30, 41), dtype=np.uint8)
    across, down = cv2.Sobel(image, cv2.CV_32F, 1, 0), cv2.Sobel(image, cv2.CV_32F, 0, 1)
    np.testing.assert_allclose(sobel_edges(image, normalisation="opencv", border="mirror"), np.hypot(across, down), rtol=1e-6)
    assert (sobel_edges(image, direction="x", border="mirror") == across).all()


@pytest.mark.parametrize(("ndim", "scipy_value", "skimage_value"), [(2, 8.0, 2**0.5), (3, 32.0, 2 / 3**0.5)])
def test_unit_ramp(ndim, scipy_value, skimage_value):
    inside = (slice(1, -1),) * ndim
    np.testing.assert_allclose(sobel_edges(ramp(ndim), spacing=UNIT)[inside], scipy_value)
    np.testing.assert_allclose(sobel_edges(ramp(ndim), normalisation="skimage", spacing=UNIT)[inside], skimage_value)
    assert (sobel_edges(np.full((7,) * ndim, 5, np.uint8), spacing=UNIT) == 0).all()


def test_unit_step_answers_on_its_two_pixels():
    step = np.zeros((9, 10))
    step[:, 5:] = 1
    result = sobel_edges(step, normalisation="skimage")
    np.testing.assert_allclose(result[:, 4:6], 0.5**0.5)
    assert (np.delete(result, [4, 5], axis=1) == 0).all()


def test_spacing_weighs_the_axes():
    tilted = np.add.outer(np.arange(9.0) * 3, np.arange(9.0) * 4)
    result = sobel_edges(tilted, use_spacing=True, spacing=(3.0, 4.0))
    np.testing.assert_allclose(result[1:-1, 1:-1], 8 * 2**0.5)


def test_no_z_in_a_plane():
    with pytest.raises(ParameterError, match="plane"):
        sobel_edges(np.zeros((5, 5)), direction="z")
