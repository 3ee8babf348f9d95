"""Erosion and dilation: scipy, scikit-image, ITK, set definition, closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from skimage import morphology

from napari_lightbox.contract import Extent
from napari_lightbox.errors import InputError, ParameterError
from napari_lightbox.kernels.footprint import make_footprint
from napari_lightbox.techniques.morphology.morphological_dilation import morphological_dilation as dilation
from napari_lightbox.techniques.morphology.morphological_erosion import morphological_erosion as erosion

DTYPES = ["bool", "uint8", "int8", "uint16", "int16", "int32", "uint32", "float16", "float32", "float64"]
SHAPES = ("box", "cross", "disk", "ball", "diamond")


def noise(shape, dtype, seed=0):
    rng = np.random.default_rng(seed)
    if dtype == "bool":
        return rng.random(shape) < 0.6
    low = 0 if np.dtype(dtype).kind == "u" else -100
    return rng.uniform(low, 120, shape).astype(dtype)


def limits(dtype):
    if np.dtype(dtype).kind == "f":
        return -np.inf, np.inf
    return (0, 1) if dtype == "bool" else (np.iinfo(dtype).min, np.iinfo(dtype).max)


def scipy_filter(function, image, cells, outside):
    """Run scipy over an image padded with the neutral value."""
    reach = [n // 2 for n in cells.shape]
    plain = image.astype(np.uint8) if image.dtype == bool else image.astype(np.float32) if image.dtype == np.float16 else image
    padded = np.pad(plain, [(r, r) for r in reach], constant_values=outside)
    whole = function(padded, footprint=cells)
    return whole[tuple(slice(r, r + n) for r, n in zip(reach, image.shape, strict=True))].astype(image.dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("extent", [(23, 31), (7, 12, 15), (1, 20), (2, 1, 9)])
def test_equal_to_scipy_with_a_neutral_border(dtype, extent):
    image = noise(extent, dtype)
    image.flags.writeable = False
    low, high = limits(dtype)
    for shape in SHAPES:
        for radius in ((1, 1, 1), (0, 2, 3), (2.5, 1, 4), (6, 6, 6)):
            radius = radius[-image.ndim :]
            cells = make_footprint(shape, radius).cells
            eroded, dilated = erosion(image, shape=shape, radius=radius), dilation(image, shape=shape, radius=radius)
            assert eroded.dtype == image.dtype
            np.testing.assert_array_equal(eroded, scipy_filter(ndimage.grey_erosion, image, cells, high), err_msg=shape)
            np.testing.assert_array_equal(dilated, scipy_filter(ndimage.grey_dilation, image, cells, low), err_msg=shape)


@pytest.mark.parametrize("dtype", [np.int64, np.uint64])
def test_the_largest_integers_keep_every_digit(dtype):
    top = np.iinfo(dtype).max
    image = np.full((5, 6), top - 1, dtype)
    image[2, 3] = top - 2
    assert (erosion(image)[1:4, 2:5] == top - 2).all()
    assert (dilation(image) == top - 1).all()


@pytest.mark.parametrize("size", [(3, 3), (4, 3), (5, 6), (3, 2, 4)])
def test_custom_footprints_have_scipys_origin_and_reflection(size):
    rng = np.random.default_rng(4)
    cells = rng.random(size) < 0.5
    cells[(0,) * cells.ndim] = True
    image = noise((12,) * cells.ndim, "uint8")
    inner = (slice(4, -4),) * cells.ndim
    found = erosion(image, cells, shape="custom", radius=4)
    np.testing.assert_array_equal(found[inner], ndimage.grey_erosion(image, footprint=cells)[inner])
    found = dilation(image, cells, shape="custom", radius=4)
    np.testing.assert_array_equal(found[inner], ndimage.grey_dilation(image, footprint=cells)[inner])


@pytest.mark.parametrize("ndim", [2, 3])
@pytest.mark.parametrize("kind", ["sitkBall", "sitkBox", "sitkCross"])
def test_bitwise_equal_to_itk(ndim, kind):
    sitk = pytest.importorskip("SimpleITK")
    image = noise((14,) * ndim, "uint8")
    point = np.zeros((9,) * ndim, np.uint8)
    point[(4,) * ndim] = 1
    cells = sitk.GetArrayFromImage(sitk.GrayscaleDilate(sitk.GetImageFromArray(point), [2] * ndim, getattr(sitk, kind)))
    for ours, itk in ((erosion, sitk.GrayscaleErode), (dilation, sitk.GrayscaleDilate)):
        expected = sitk.GetArrayFromImage(itk(sitk.GetImageFromArray(image), [2] * ndim, getattr(sitk, kind)))
        np.testing.assert_array_equal(ours(image, cells, shape="custom", radius=4), expected)


def test_shapes_are_scikit_images():
    np.testing.assert_array_equal(make_footprint("disk", (4, 4)).cells, morphology.disk(4))
    np.testing.assert_array_equal(make_footprint("ball", (3, 3, 3)).cells, morphology.ball(3))
    np.testing.assert_array_equal(make_footprint("diamond", (3, 3)).cells, morphology.diamond(3))
    np.testing.assert_array_equal(make_footprint("diamond", (2, 2, 2)).cells, morphology.octahedron(2))
    assert make_footprint("disk", (4, 4, 4)).cells.shape == (1, 9, 9)
    assert make_footprint("cross", (2, 2, 2)).cells.sum() == 13


@pytest.mark.parametrize("ndim", [2, 3])
def test_binary_erosion_is_the_set_of_shifts_that_fit(ndim):
    mask = noise((8,) * ndim, "bool")
    offsets = np.argwhere(make_footprint("ball", (2,) * ndim).cells) - 2
    inside = lambda p: all(0 <= i < 8 for i in p)  # noqa: E731
    for p in np.ndindex(mask.shape):
        shifted = [tuple(p + o) for o in offsets if inside(p + o)]
        assert erosion(mask, shape="ball", radius=2)[p] == all(mask[q] for q in shifted)
        if sum(p) > 12:
            break


@pytest.mark.parametrize("shape", SHAPES)
def test_a_single_voxel_becomes_the_footprint(shape):
    image = np.zeros((11, 11, 11), np.uint16)
    image[5, 5, 5] = 900
    grown = dilation(image, shape=shape, radius=(1, 3, 4))
    cells = make_footprint(shape, (1, 3, 4)).cells
    z, y, x = cells.shape
    window = grown[5 - z // 2 : 6 + z // 2, 5 - y // 2 : 6 + y // 2, 5 - x // 2 : 6 + x // 2]
    np.testing.assert_array_equal(window, cells * 900)
    assert np.count_nonzero(grown) == cells.sum()


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_repeated_boxes_are_one_larger_box(dtype):
    image = noise((30, 33), dtype)
    np.testing.assert_array_equal(dilation(image, radius=1, iterations=3), dilation(image, radius=3))
    once = image
    for _ in range(3):
        once = erosion(once, shape="ball", radius=2)
    np.testing.assert_array_equal(once, erosion(image, shape="ball", radius=2, iterations=3))


def test_a_square_shrinks_and_grows_by_twice_the_radius():
    image = np.zeros((60, 60), np.uint8)
    image[15:45, 15:45] = 200
    assert np.count_nonzero(erosion(image, radius=4)) == (30 - 8) ** 2
    assert np.count_nonzero(dilation(image, radius=4)) == (30 + 8) ** 2


@pytest.mark.parametrize("shape", SHAPES)
def test_order_and_duality(shape):
    image = noise((9, 20, 21), "uint8")
    eroded, dilated = erosion(image, shape=shape, radius=2), dilation(image, shape=shape, radius=2)
    assert (eroded <= image).all()
    assert (image <= dilated).all()
    np.testing.assert_array_equal(erosion(255 - image, shape=shape, radius=2), 255 - dilated)


def test_the_border_does_not_eat_a_full_image():
    assert (erosion(np.full((9, 9), 7, np.uint8), shape="ball", radius=3) == 7).all()
    assert (erosion(np.full((9, 9), np.inf, np.float32)) == np.inf).all()
    assert (dilation(np.full((5, 9, 9), -np.inf, np.float32), shape="cross", radius=2) == -np.inf).all()


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_missing_pixels_stay_missing_and_never_win(dtype):
    image = np.arange(49, dtype=dtype).reshape(7, 7)
    image[3, 3] = np.nan
    for found, neighbour in ((erosion(image), 16), (dilation(image), 32)):
        assert np.isnan(found[3, 3])
        assert np.isnan(found).sum() == 1
        assert np.isfinite(found[2, 2])
        assert found[2, 2] == (8 if neighbour == 16 else 23)


@pytest.mark.parametrize("shape", ["box", "ball", "cross", "diamond"])
def test_huge_radii_reach_the_whole_image(shape):
    image = noise((40, 30), "uint16")
    assert (dilation(image, shape=shape, radius=140) == image.max()).all() or shape == "cross"
    assert dilation(image, shape=shape, radius=140).shape == image.shape


def test_a_physical_radius_follows_the_voxel_sides():
    image = np.zeros((7, 15, 15), np.uint8)
    image[3, 7, 7] = 1
    grown = dilation(image, shape="ball", radius=6.0, unit="physical", spacing=(3.0, 1.0, 2.0))
    z, y, x = np.nonzero(grown)
    assert (np.ptp(z), np.ptp(y), np.ptp(x)) == (4, 12, 6)
    parameters = {"shape": "ball", "radius": 6.0, "unit": "physical", "iterations": 2}
    halo = erosion.technique.locality.radius(parameters, Extent(3, (3.0, 1.0, 2.0), np.uint8))
    assert halo == (4, 12, 6)


def test_a_disk_stays_in_its_plane():
    volume = noise((4, 12, 13), "uint8")
    expected = np.stack([erosion(plane, shape="disk", radius=2) for plane in volume])
    np.testing.assert_array_equal(erosion(volume, shape="disk", radius=2), expected)


def test_what_contradicts_itself_is_refused():
    image, cells = np.zeros((5, 5), np.uint8), np.ones((5, 5))
    with pytest.raises(ParameterError, match="needs a footprint"):
        erosion(image, shape="custom")
    with pytest.raises(ParameterError, match="unused"):
        erosion(image, cells)
    with pytest.raises(ParameterError, match="at least 2 px"):
        erosion(image, cells, shape="custom", radius=1)
    with pytest.raises(InputError, match="3D"):
        erosion(np.zeros((3, 5, 5)), cells, shape="custom", radius=9)
    with pytest.raises(InputError, match="no cell"):
        erosion(image, np.zeros((3, 3)), shape="custom")
