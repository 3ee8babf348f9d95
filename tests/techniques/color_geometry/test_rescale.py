"""Rescale against scikit-image, tile by tile."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
from skimage import data
from skimage.transform import rescale as oracle

import napari_lightbox as lb
from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.contract.values import Points

ORDERS = {"nearest": 0, "linear": 1, "cubic": 3}
BORDERS = {"mirror": "reflect", "reflect": "symmetric", "nearest": "edge"}


def picture(rng, dtype, shape):
    return (rng.uniform(0, 1, shape) * (1 if dtype == "float32" else 200)).astype(dtype)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int32", "float16", "float32", "float64"])
@pytest.mark.parametrize("shape", [(41, 53), (11, 13, 19)])
@pytest.mark.parametrize("scale", [0.25, 0.37, 1.7, 3.0])
@pytest.mark.parametrize("order", ["nearest", "linear", "cubic"])
def test_equals_scikit_image(rng, dtype, shape, scale, order):
    image = picture(rng, dtype, shape)
    for border, anti_aliasing in (("mirror", True), ("reflect", False)):
        result = lb.apply("rescale", image, scale=scale, order=order, anti_aliasing=anti_aliasing, border=border).image
        wanted = oracle(
            image.astype(float),
            scale,
            order=ORDERS[order],
            mode=BORDERS[border],
            preserve_range=True,
            clip=False,
            anti_aliasing=anti_aliasing and order != "nearest",
        )
        assert result.shape == wanted.shape
        assert result.dtype == image.dtype
        difference = np.abs(result.astype(float) - wanted)
        if image.dtype.kind in "iu":
            wanted = np.clip(wanted, np.iinfo(image.dtype).min, np.iinfo(image.dtype).max)
            # half a level from rounding, and float32 sums that round the other way next to a half
            assert np.abs(result.astype(float) - wanted).max() < 0.5 + 1e-3
        else:
            assert difference.max() <= {"float16": 0.13, "float32": 2e-6, "float64": 1e-10}[dtype] * max(
                1, wanted.max() if dtype != "float16" else 1
            )


@pytest.mark.parametrize(
    "parameters", [{"scale": 0.4}, {"scale": 1.7, "order": "cubic"}, {"scale": (0.5, 2.0, 1.0), "border": "nearest"}]
)
@pytest.mark.parametrize("dtype", ["uint8", "float64"])
def test_tiles_agree_bit_for_bit(rng, dtype, parameters):
    volume = picture(rng, dtype, (12, 40, 37))
    whole = lb.apply("rescale", volume, axes="zyx", **parameters).image
    lazy = lb.apply("rescale", da.from_array(volume, chunks=(5, 13, 11)), axes="zyx", **parameters).image
    np.testing.assert_array_equal(lazy.compute(), whole)


def test_zone_plate_shows_no_false_rings_with_anti_aliasing():
    y, x = np.mgrid[-256:256, -256:256]
    plate = 0.5 + 0.5 * np.cos(np.pi * (x**2 + y**2) / 512)
    outside = np.hypot(*np.mgrid[-64:64, -64:64]) > 48
    smooth = lb.apply("rescale", plate, scale=0.25).image
    jagged = lb.apply("rescale", plate, scale=0.25, anti_aliasing=False).image
    assert smooth[outside].std() < 0.02
    assert jagged[outside].std() > 5 * smooth[outside].std()


def test_enlarging_keeps_colour_and_constants():
    rocket = data.rocket()[:100, :120]
    assert lb.apply("rescale", rocket, scale=3, axes="yxc").image.shape == (300, 360, 3)
    for order in ORDERS:
        assert (lb.apply("rescale", np.full((9, 11), 7, np.uint8), scale=2.3, order=order).image == 7).all()
    back = lb.apply("rescale", lb.apply("rescale", rocket, scale=3, axes="yxc").image, scale=1 / 3, axes="yxc").image
    assert np.abs(back.astype(float) - rocket).mean() < 2


def test_labels_gain_no_ids_and_points_stay_on_their_objects(rng):
    labels = np.zeros((30, 40), np.int32)
    labels[3:9, 5:12], labels[15:25, 20:35] = 7, 1000
    geometry = Geometry.of("yx", (30, 40), (2.0, 0.5), (10.0, -3.0))
    points = Points(np.array([[5.0, 8.0], [20.0, 27.0]]))
    result, moved = lb.apply("rescale", Volume(labels, geometry, role="labels"), points, scale=(1.5, 0.6))
    assert set(np.unique(result.data)) == {0, 7, 1000}
    assert result.role == "labels"
    world = lambda g, p: g.affine[:2, :2] @ p + g.affine[:2, 2]  # noqa: E731
    for before, after in zip(points.data, moved.data, strict=True):
        np.testing.assert_allclose(world(result.geometry, after), world(geometry, before))
        assert result.data[tuple(np.rint(after).astype(int))] == labels[tuple(before.astype(int))]


def test_one_pixel_thin_images(rng):
    for shape in ((1, 9), (9, 1), (1, 1)):
        image = rng.uniform(size=shape)
        for scale in (0.3, 2.0):
            for order in ORDERS:
                assert np.isfinite(lb.apply("rescale", image, scale=scale, order=order).image).all()
