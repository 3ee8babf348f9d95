"""Geometry: spacing, crop, resize, select; world positions are what counts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_lightbox.axes import Geometry, Volume, guess_axes
from napari_lightbox.errors import AxesError

spacings = st.floats(0.01, 100)


def world(geometry: Geometry, index) -> np.ndarray:
    return geometry.affine[:-1, :-1] @ np.asarray(index, float) + geometry.affine[:-1, -1]


@st.composite
def geometries(draw) -> Geometry:
    """Rotated, anisotropic geometries over z, y, x."""
    matrix = np.eye(4)
    rotation, _ = np.linalg.qr(np.random.default_rng(draw(st.integers(0, 999))).normal(size=(3, 3)))
    matrix[:3, :3] = rotation * [draw(spacings) for _ in range(3)]
    matrix[:3, 3] = [draw(st.floats(-500, 500)) for _ in range(3)]
    return Geometry("zyx", tuple(draw(st.integers(1, 40)) for _ in range(3)), matrix, ("mm",) * 3)


@given(geometries(), st.tuples(*[st.integers(0, 10)] * 3))
def test_crop_keeps_world_positions(geometry: Geometry, start: tuple[int, ...]) -> None:
    cropped = geometry.crop(start, (2, 2, 2))
    np.testing.assert_allclose(world(cropped, (0, 1, 1)), world(geometry, np.add(start, (0, 1, 1))), atol=1e-6)
    np.testing.assert_allclose(cropped.spacing, geometry.spacing)


@given(geometries(), st.tuples(*[st.integers(1, 60)] * 3))
def test_resized_covers_the_same_extent(geometry: Geometry, shape: tuple[int, ...]) -> None:
    resized = geometry.resized(shape)
    for corner in (np.full(3, -0.5), np.array(geometry.shape) - 0.5):
        own = np.where(corner < 0, -0.5, np.array(shape) - 0.5)
        np.testing.assert_allclose(world(resized, own), world(geometry, corner), rtol=1e-6, atol=1e-4)


@given(geometries())
def test_json_and_equality(geometry: Geometry) -> None:
    assert Geometry.from_json(geometry.to_json()) == geometry
    assert geometry.with_spacing(geometry.spacing) == geometry
    assert geometry.crop((1, 0, 0), geometry.shape) != geometry


def test_insert_select_without() -> None:
    geometry = Geometry.of("zyx", (3, 4, 5), (3, 1, 2), origin=(7, 8, 9), units=("mm",) * 3)
    video = geometry.insert(0, "t", 10, 0.5, "s")
    assert (video.axes, video.shape, video.spacing) == ("tzyx", (10, 3, 4, 5), (0.5, 3, 1, 2))
    assert video.without("t") == geometry
    flat = geometry.select("xy")
    assert (flat.spacing, flat.origin, flat.shape) == ((2, 1), (9, 8), (5, 4))


@pytest.mark.parametrize(
    ("axes", "spacing", "expected"),
    [
        ("tzyx", None, (1, 1, 1, 1)),
        ("tzyx", 2, (1, 2, 2, 2)),
        ("tzyx", (3, 1, 1), (1, 3, 1, 1)),
        ("tzyx", (0.5, 3, 1, 1), (0.5, 3, 1, 1)),
        ("tzyx", {"z": 4}, (1, 4, 1, 1)),
        ("tyxc", (0.1, 2, 2), (0.1, 2, 2, 1)),
    ],
)
def test_ways_to_give_spacing(axes: str, spacing, expected) -> None:
    assert Geometry.of(axes, (5,) * len(axes), spacing).spacing == pytest.approx(expected)


@pytest.mark.parametrize("spacing", [0, -1, float("nan"), float("inf"), (1, 2), {"y": -3}])
def test_impossible_spacing(spacing) -> None:
    with pytest.raises(AxesError, match="spacing"):
        Geometry.of("zyx", (2, 3, 4), spacing)


@pytest.mark.parametrize(
    "affine",
    [
        np.eye(3),
        np.diag([1.0, 0, 1, 1]),
        np.full((4, 4), np.nan),
        np.array([[1, 2, 0, 0], [2, 4, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]]),
    ],
)
def test_impossible_affines(affine) -> None:
    with pytest.raises(AxesError, match="affine"):
        Geometry("zyx", (2, 3, 4), affine)


@pytest.mark.parametrize(
    ("shape", "axes"),
    [
        ((9,), "x"),
        ((9, 9), "yx"),
        ((9, 9, 9), "zyx"),
        ((9, 9, 3), "yxc"),
        ((9, 9, 4), "yxc"),
        ((2, 9, 9, 3), "zyxc"),
        ((2, 9, 9, 9), "tzyx"),
        ((2, 3, 9, 9, 9), "tczyx"),
        ((3, 3, 3), "zyx"),
    ],
)
def test_guesses(shape: tuple[int, ...], axes: str) -> None:
    assert guess_axes(shape) == axes


def test_a_volume_must_fit_its_geometry() -> None:
    with pytest.raises(AxesError, match="geometry says"):
        Volume(np.zeros((3, 4)), Geometry.of("yx", (3, 5)))
