import numpy as np
import pytest

from napari_lightbox.techniques.edges.gradient_magnitude import gradient_magnitude

RNG = np.random.default_rng(1)
CASES = [((30, 41), (2.0, 0.5)), ((6, 15, 20), (3.0, 1.0, 0.7)), ((1, 9, 12), (3.0, 1.0, 1.0))]


@pytest.mark.parametrize(("shape", "spacing"), CASES)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int32", "float32", "float64"])
def test_equals_simpleitk(shape, spacing, dtype):
    sitk = pytest.importorskip("SimpleITK")
    image = (RNG.random(shape) * 200).astype(dtype)
    picture = sitk.GetImageFromArray(image.astype(float))
    picture.SetSpacing(spacing[::-1])
    expected = sitk.GetArrayFromImage(sitk.GradientMagnitude(picture))
    np.testing.assert_allclose(gradient_magnitude(image, spacing=spacing), expected, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize(("shape", "spacing"), CASES[:2])
@pytest.mark.parametrize("use_spacing", [True, False])
def test_equals_numpy_inside(shape, spacing, use_spacing):
    image = RNG.random(shape)
    slopes = np.gradient(image, *(spacing if use_spacing else (1.0,) * len(shape)))
    inside = (slice(1, -1),) * len(shape)
    expected = np.sqrt(sum(s**2 for s in slopes))
    np.testing.assert_allclose(
        gradient_magnitude(image, use_spacing=use_spacing, spacing=spacing)[inside], expected[inside], rtol=1e-12
    )


def test_tilted_ramp_gives_its_slope_and_a_constant_zero():
    z, y, x = np.indices((7, 8, 9))
    ramp = 2.0 * z + 3.0 * y + 6.0 * x
    result = gradient_magnitude(ramp, spacing=(1.0, 1.0, 1.0))
    np.testing.assert_allclose(result[1:-1, 1:-1, 1:-1], 7.0)
    assert (gradient_magnitude(np.full((5, 6), 3, np.int16)) == 0).all()


def test_mirrored_border_has_no_slope():
    ramp = np.broadcast_to(np.arange(9.0), (5, 9)).copy()
    assert (gradient_magnitude(ramp, border="mirror")[:, [0, -1]] == 0).all()
    assert (gradient_magnitude(ramp)[:, [0, -1]] == 0.5).all()
