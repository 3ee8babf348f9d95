import numpy as np
import pytest

from napari_lightbox.errors import InputError, ParameterError
from napari_lightbox.techniques.edges.canny_edges import canny_edges

RNG = np.random.default_rng(4)
data = pytest.importorskip("skimage.data")
feature = pytest.importorskip("skimage.feature")


def pictures():
    camera = data.camera()[100:300, 150:400]
    return {
        "uint8": camera,
        "uint16": camera.astype(np.uint16) * 257,
        "int16": camera.astype(np.int16) * 100 - 9000,
        "float32": (camera / 255).astype(np.float32),
        "float64": camera / 255,
        "bool": data.horse()[:150, :150],
        "noise": RNG.random((61, 70)),
        "rectangle": np.pad(np.ones((20, 20)), 9),
        "constant": np.ones((12, 12)),
        "thin": RNG.random((1, 50)),
        "tiny": RNG.random((3, 5)),
    }


@pytest.mark.parametrize("name", pictures())
@pytest.mark.parametrize(
    "options",
    [{}, {"sigma": 1.8}, {"sigma": 0}, {"mode": "reflect"}, {"mode": "nearest"}, {"mask": True},
     {"low_threshold": 0.7, "high_threshold": 0.9, "use_quantiles": True}],
    ids=str,
)  # fmt: skip
def test_equals_scikit_image_pixel_for_pixel(name, options):
    image, theirs = pictures()[name], dict(options)
    mask = RNG.random(image.shape) > 0.003 if theirs.pop("mask", False) else None
    ours = {"border" if key == "mode" else key: value for key, value in theirs.items()}
    edges = canny_edges(image, mask, **ours).edges
    assert edges.dtype == np.int32
    assert (edges == feature.canny(image, mask=mask, **theirs)).all()


def test_thresholds_are_in_the_units_of_the_image():
    image = data.coins()[:120, :140]
    edges = canny_edges(image, low_threshold=20.0, high_threshold=70.0).edges
    assert (edges == feature.canny(image, low_threshold=20, high_threshold=70)).all()


def test_coffee_has_the_known_counts_and_the_comparison_stacks_them():
    from skimage.color import rgb2gray

    result = canny_edges(rgb2gray(data.coffee()), compare=True)
    assert result.comparison.sum(axis=(1, 2)).tolist() == [28956, 12539, 9070]
    assert (result.comparison[0] == result.edges).all()


def test_circle_is_traced_and_a_lower_threshold_only_adds():
    y, x = np.indices((100, 100)) - 49.5
    disc = (np.hypot(y, x) < 30).astype(float) + RNG.normal(0, 0.01, (100, 100))
    edges = canny_edges(disc, sigma=1.5).edges
    assert edges.any()
    assert np.abs(np.hypot(y, x)[edges > 0] - 30).max() < 1.5
    noise = RNG.random((80, 80))
    high = canny_edges(noise, low_threshold=0.6, high_threshold=0.8).edges
    low = canny_edges(noise, low_threshold=0.3, high_threshold=0.8).edges
    assert (low >= high).all()
    assert low.sum() > high.sum()


def test_opencv_backend():
    cv2 = pytest.importorskip("cv2")
    image = data.coins()[:120, :140]
    result = canny_edges(image, sigma=0, low_threshold=100.0, high_threshold=200.0, backend="opencv").edges
    assert (result == (cv2.Canny(image, 100, 200, L2gradient=True) > 0)).all()
    with pytest.raises(InputError, match="8-bit"):
        canny_edges(image.astype(float), backend="opencv")


def test_simpleitk_finds_a_surface_in_world_units():
    sitk = pytest.importorskip("SimpleITK")
    spacing = (2.0, 1.0, 1.0)
    z, y, x = np.indices((20, 40, 40))
    distance = np.sqrt(((z - 9.5) * 2) ** 2 + (y - 19.5) ** 2 + (x - 19.5) ** 2)
    ball = (distance < 12).astype(np.float32)
    result = canny_edges(
        ball, sigma=1.5, unit="physical", low_threshold=0.02, high_threshold=0.06, backend="simpleitk", spacing=spacing
    )
    picture = sitk.GetImageFromArray(ball)
    picture.SetSpacing(spacing[::-1])
    expected = sitk.GetArrayFromImage(sitk.CannyEdgeDetection(picture, 0.02, 0.06, [2.25] * 3))
    assert (result.edges == (expected > 0)).all()
    assert np.abs(distance[result.edges > 0] - 12).max() < 2.5


def test_volume_goes_plane_by_plane_and_nan_has_no_edges():
    volume = RNG.random((3, 30, 31))
    edges = canny_edges(volume, spacing=(1.0, 1.0, 1.0)).edges
    for plane, found in zip(volume, edges, strict=True):
        assert (found == feature.canny(plane)).all()
    image = RNG.random((40, 40))
    whole = canny_edges(image).edges
    image[20, 20] = np.nan
    edges = canny_edges(image).edges
    assert not edges[15:26, 15:26].any()
    assert whole[15:26, 15:26].any()


def test_contradictions_are_refused():
    with pytest.raises(ParameterError, match="above the high"):
        canny_edges(np.zeros((9, 9)), low_threshold=2.0, high_threshold=1.0)
    with pytest.raises(ParameterError, match="0 to 1"):
        canny_edges(np.zeros((9, 9)), low_threshold=2.0, high_threshold=3.0, use_quantiles=True)
