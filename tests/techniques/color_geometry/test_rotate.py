"""Rotate against scikit-image and SciPy, tile by tile."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
from scipy import ndimage
from skimage.transform import rotate as oracle

import napari_lightbox as lb
from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.contract.values import Points
from napari_lightbox.errors import ParameterError

MODES = {"constant": "constant", "nearest": "edge", "mirror": "reflect", "reflect": "symmetric"}


def picture(rng, dtype, shape=(41, 53)):
    return (rng.uniform(0, 1, shape) * (1 if dtype == "float32" else 200)).astype(dtype)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int64", "float16", "float32", "float64"])
@pytest.mark.parametrize("resize", [False, True])
@pytest.mark.parametrize("border", list(MODES))
def test_equals_scikit_image(rng, dtype, resize, border):
    image = picture(rng, dtype)
    for angle in (20.0, -37.5, 90.0, 180.0, 133.3):
        for name, order in (("nearest", 0), ("linear", 1)):
            result = lb.apply("rotate", image, angle=angle, resize=resize, border=border, cval=7.0, order=name).image
            wanted = oracle(
                image.astype(float),
                angle,
                resize=resize,
                order=order,
                mode=MODES[border],
                cval=7,
                preserve_range=True,
                clip=False,
            )
            assert result.shape == wanted.shape
            assert result.dtype == image.dtype
            difference = np.abs(result.astype(float) - wanted)
            if name == "nearest":
                assert (difference > 0.1).mean() < 0.003  # positions half-way between two samples
            else:
                assert difference.max() <= {"f": {2: 0.13, 4: 2e-6, 8: 1e-10}}.get(image.dtype.kind, {}).get(
                    image.dtype.itemsize, 0.5 + 1e-9
                )


@pytest.mark.parametrize("border", ["nearest", "mirror", "reflect"])
def test_cubic_equals_scipy(rng, border):
    image = picture(rng, "float64")
    result = lb.apply("rotate", image, angle=25.0, border=border, order="cubic").image
    turn = np.deg2rad(25.0)
    matrix = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    centre = (np.array(image.shape) - 1) / 2
    wanted = ndimage.affine_transform(image, matrix, centre - matrix @ centre, order=3, mode=border)
    # scipy continues "nearest" by twelve samples only
    np.testing.assert_allclose(result, wanted, atol=1e-3 if border == "nearest" else 1e-9)


def test_quarter_turns_are_exact(rng):
    square = rng.uniform(size=(33, 33))
    np.testing.assert_array_equal(lb.apply("rotate", square, angle=-90.0).image, np.rot90(square, -1))
    for quarters in range(-3, 5):
        page = rng.integers(0, 256, (20, 31), dtype=np.uint8)
        np.testing.assert_array_equal(
            lb.apply("rotate", page, angle=90.0 * quarters, resize=True).image, np.rot90(page, quarters)
        )


def test_there_and_back_restores_the_middle():
    y, x = np.mgrid[:101, :101]
    smooth = np.sin(y / 9) * np.cos(x / 11)
    back = lb.apply("rotate", lb.apply("rotate", smooth, angle=33.0, order="cubic").image, angle=-33.0, order="cubic").image
    disc = np.hypot(y - 50, x - 50) < 40
    assert np.abs(back - smooth)[disc].max() < 1e-4


@pytest.mark.parametrize("plane", ["yx", "zx", "zy"])
@pytest.mark.parametrize("order", ["linear", "cubic"])
def test_planes_of_a_volume(rng, plane, order):
    volume = rng.uniform(size=(7, 15, 16))
    rest = next(i for i, a in enumerate("zyx") if a not in plane)
    result = lb.apply("rotate", volume, axes="zyx", angle=33.0, plane=plane, order=order, resize=True).image
    slices = [lb.apply("rotate", part, angle=33.0, order=order, resize=True).image for part in np.moveaxis(volume, rest, 0)]
    np.testing.assert_allclose(np.moveaxis(result, rest, 0), slices, atol=1e-12)


@pytest.mark.parametrize("dtype", ["uint8", "float64"])
@pytest.mark.parametrize(
    "parameters",
    [{"order": "linear"}, {"order": "cubic", "border": "nearest", "resize": True}, {"border": "reflect"}, {"plane": "zx"}],
)
def test_tiles_agree_bit_for_bit(rng, dtype, parameters):
    volume = picture(rng, dtype, (5, 40, 43))
    whole = lb.apply("rotate", volume, axes="zyx", angle=31.0, **parameters).image
    lazy = lb.apply("rotate", da.from_array(volume, chunks=(3, 16, 17)), axes="zyx", angle=31.0, **parameters).image
    np.testing.assert_array_equal(lazy.compute(), whole)


def test_labels_points_and_unequal_spacing():
    labels = np.zeros((40, 80), np.int32)
    labels[10:14, 20:30], labels[25:35, 50:60] = 5, 900
    geometry = Geometry.of("yx", labels.shape, (2.0, 1.0))
    points = Points(np.array([[12.0, 25.0], [30.0, 55.0]]))
    result, moved = lb.apply("rotate", Volume(labels, geometry, role="labels"), points, angle=90.0)
    assert set(np.unique(result.data)) <= {0, 5, 900}
    assert [result.data[tuple(np.rint(p).astype(int))] for p in moved.data] == [5, 900]
    centre = (np.array(labels.shape) - 1) / 2
    for before, after in zip(points.data, moved.data, strict=True):
        (y0, x0), (y1, x1) = (before - centre) * (2, 1), (after - centre) * (2, 1)
        np.testing.assert_allclose((y1, x1), (-x0, y0), atol=1e-9)  # up is where right was


def test_plane_needs_its_axes():
    with pytest.raises(ParameterError, match="plane"):
        lb.apply("rotate", np.zeros((5, 5)), plane="zx")
