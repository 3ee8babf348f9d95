import numpy as np
import pytest
from scipy import ndimage

from napari_lightbox.errors import ParameterError
from napari_lightbox.techniques.denoise.perona_malik import perona_malik

RNG = np.random.default_rng(5)
CONDUCTANCES = {
    "exponential": lambda t: np.exp(-t),
    "rational": lambda t: 1 / (1 + t),
    "tukey": lambda t: np.where(t <= 2, 0.5 * (1 - t / 2) ** 2, 0),
}


def reference(image, kappa, iterations, gamma, conductance, spacing):
    """Divergence of the flows, on whole arrays."""
    steps = np.array(spacing) / min(spacing)
    image = image.astype(float)
    for _ in range(iterations):
        change = np.zeros_like(image)
        for axis, h in enumerate(steps):
            slope = np.diff(image, axis=axis) / h
            flow = CONDUCTANCES[conductance]((slope / kappa) ** 2) * slope / h
            around = [(1, 1) if a == axis else (0, 0) for a in range(image.ndim)]
            change += np.diff(np.pad(flow, around), axis=axis)
        image = image + gamma * change
    return image


@pytest.mark.parametrize("conductance", CONDUCTANCES)
@pytest.mark.parametrize(
    ("shape", "spacing"),
    [
        ((30, 41), (1.0, 1.0)),
        ((30, 41), (2.0, 0.5)),
        ((6, 15, 20), (3.0, 1.0, 1.5)),
        ((1, 9, 12), (1.0, 1.0, 1.0)),
        ((90, 7), (1.0, 1.0)),
    ],
)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-5), ("float32", 2e-4)])
def test_equals_the_scheme(conductance, shape, spacing, dtype, tolerance):
    # the exponential is single precision also for float64
    image = (RNG.random(shape) * 255).astype(dtype)
    result = perona_malik(image, kappa=60.0, iterations=5, conductance=conductance, spacing=spacing)
    np.testing.assert_allclose(result, reference(image, 60, 5, 0.15, conductance, spacing), atol=tolerance)


@pytest.mark.parametrize("conductance", CONDUCTANCES)
def test_mean_is_kept_and_range_not_exceeded(conductance):
    image = RNG.random((9, 20, 21)) * 255
    result = perona_malik(image, kappa=30.0, iterations=20, conductance=conductance, spacing=(1.0, 1.0, 1.0))
    assert result.mean() == pytest.approx(image.mean(), rel=1e-14)
    assert image.min() <= result.min() <= result.max() <= image.max()


def test_huge_kappa_is_a_gaussian():
    image = ndimage.gaussian_filter(RNG.random((60, 60)), 2)
    result = perona_malik(image, kappa=1e4, iterations=20, gamma=0.2)
    np.testing.assert_allclose(result, ndimage.gaussian_filter(image, np.sqrt(2 * 0.2 * 20)), atol=1e-3)


def test_tukey_stops_at_an_edge():
    step = np.zeros((10, 10))
    step[:, 5:] = 50
    assert (perona_malik(step, kappa=30.0, conductance="tukey") == step).all()


def test_denoises_better_than_a_gaussian():
    data = pytest.importorskip("skimage.data")
    clean = data.camera()[::2, ::2].astype(float)
    noisy = clean + RNG.normal(0, 15, clean.shape)

    def error(image):
        return ((image - clean) ** 2).mean()

    result = perona_malik(noisy, kappa=20.0, iterations=10, gamma=0.2)
    assert error(result) < error(noisy) / 1.5
    assert error(result) < error(ndimage.gaussian_filter(noisy, 1))


def test_colour_each_and_joint():
    image = RNG.random((20, 22, 3))
    each = perona_malik(image, kappa=0.2)
    for c in range(3):
        assert (each[..., c] == perona_malik(np.ascontiguousarray(image[..., c]), kappa=0.2)).all()
    gray = np.repeat(image[..., :1], 3, axis=2)
    joint = perona_malik(gray, kappa=0.2, colour="joint")
    # three equal channels differ by sqrt(3) as much as one
    np.testing.assert_allclose(joint[..., 0], perona_malik(image[..., 0], kappa=0.2 / np.sqrt(3)), atol=1e-6)


def test_nan_is_a_wall():
    image = RNG.random((12, 12))
    image[:, 6] = np.nan
    result = perona_malik(image, kappa=1.0)
    assert (np.isnan(result) == np.isnan(image)).all()
    np.testing.assert_allclose(result[:, :6], perona_malik(np.ascontiguousarray(image[:, :6]), kappa=1.0), rtol=1e-12)


def test_unstable_step_is_refused():
    with pytest.raises(ParameterError, match="unstable"):
        perona_malik(np.zeros((5, 5, 5)), gamma=0.2, spacing=(1.0, 1.0, 1.0))
