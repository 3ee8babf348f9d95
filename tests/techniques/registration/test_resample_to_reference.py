"""Resampling against SimpleITK, whole and tile by tile."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
import SimpleITK as sitk

import napari_lightbox as lb
from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.contract.values import Transform
from napari_lightbox.contract.where import Block
from napari_lightbox.errors import InputError
from napari_lightbox.kernels.itk_geometry import field_from_itk, matrix_from_itk, matrix_to_itk, to_itk
from napari_lightbox.techniques.registration.resample_to_reference import resample_to_reference

ITK = {"nearest": sitk.sitkNearestNeighbor, "linear": sitk.sitkLinear, "bspline": sitk.sitkBSpline}


def turned(axes, shape, spacing, origin, angle):
    """Return a geometry whose last two axes are rotated."""
    geometry = Geometry.of(axes, shape, spacing, origin)
    a = np.deg2rad(angle)
    rotation = np.eye(len(shape) + 1)
    rotation[-3:-1, -3:-1] = [[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]
    return Geometry(axes, shape, rotation @ geometry.affine)


def scene(ndim):
    if ndim == 2:
        return turned("yx", (40, 50), (1.5, 0.8), (3, -4), 10), turned("yx", (45, 38), (1.0, 1.1), (5, 2), -15)
    return turned("zyx", (12, 30, 28), (2.5, 1, 1.2), (1, 2, 3), 12), turned("zyx", (14, 25, 33), (2, 1.1, 1), (2, 4, 5), -8)


def affine_transform(ndim):
    matrix = np.eye(ndim + 1)
    matrix[:ndim, :ndim] += np.random.default_rng(3).normal(0, 0.05, (ndim, ndim))
    matrix[:ndim, ndim] = 1.3, *([-2.1, 0.7][: ndim - 1])
    return matrix


@pytest.mark.parametrize("ndim", [2, 3])
@pytest.mark.parametrize("interpolation", list(ITK))
@pytest.mark.parametrize("moved", [False, True])
def test_affine_equals_simpleitk(rng, ndim, interpolation, moved):
    source, target = scene(ndim)
    moving = rng.uniform(0, 1, source.shape)
    matrix = affine_transform(ndim) if moved else np.eye(ndim + 1)
    transform = Transform(matrix) if moved else None
    result = lb.apply(
        "resample_to_reference",
        Volume(moving, source),
        Volume(np.zeros(target.shape), target),
        transform,
        interpolation=interpolation,
        default_value=-5.0,
    )
    wanted = sitk.GetArrayFromImage(
        sitk.Resample(
            to_itk(moving, source), to_itk(np.zeros(target.shape), target), matrix_to_itk(matrix), ITK[interpolation], -5.0
        )
    )
    assert (wanted == -5).any()
    assert (wanted != -5).any()
    assert result.geometry == target
    np.testing.assert_array_equal(result.data == -5, wanted == -5)
    np.testing.assert_allclose(result.data, wanted, atol=1e-4 if interpolation != "nearest" else 0)


@pytest.mark.parametrize("ndim", [2, 3])
def test_bspline_and_field_transforms_equal_simpleitk(rng, ndim):
    source, target = scene(ndim)
    moving = rng.uniform(0, 1, source.shape)
    grid = to_itk(np.zeros(target.shape), target)
    bend = sitk.BSplineTransformInitializer(grid, [3] * ndim)
    bend.SetParameters(rng.normal(0, 1.5, len(bend.GetParameters())).tolist())
    transform = Transform(np.eye(ndim + 1), field_from_itk(bend, target), target)
    result = lb.apply(
        "resample_to_reference", Volume(moving, source), Volume(np.zeros(target.shape), target), transform, default_value=-5.0
    ).data
    wanted = sitk.GetArrayFromImage(sitk.Resample(to_itk(moving, source), grid, bend, sitk.sitkLinear, -5.0))
    same = (result == -5) == (wanted == -5)
    assert same.mean() > 0.999  # positions on the very edge of the image
    np.testing.assert_allclose(result[same], wanted[same], atol=1e-4)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "float32", "float64", "bool"])
def test_identity_and_whole_shifts_are_exact(rng, dtype):
    image = (rng.uniform(0, 1, (20, 30)) * 90).astype(dtype)
    grid = Geometry.of("yx", image.shape, (0.3, 1.7), (11.0, -5.0))
    for interpolation in ("nearest", "linear"):
        same = lb.apply("resample_to_reference", Volume(image, grid), Volume(image, grid), interpolation=interpolation)
        np.testing.assert_array_equal(same.data, image)
    shift = np.eye(3)
    shift[:2, 2] = 3 * 0.3, -4 * 1.7
    moved = lb.apply("resample_to_reference", Volume(image, grid), Volume(image, grid), Transform(shift)).data
    np.testing.assert_array_equal(moved[:-3, 4:], image[3:, :-4])
    assert not moved[-3:].any()
    assert not moved[:, :4].any()


def test_spline_goes_through_the_samples(rng):
    image = rng.uniform(size=(20, 30))
    grid = Geometry.of("yx", image.shape, (0.3, 1.7), (11.0, -5.0))
    same = lb.apply("resample_to_reference", Volume(image, grid), Volume(image, grid), interpolation="bspline").data
    np.testing.assert_allclose(same, image, atol=1e-12)


def test_labels_gain_no_ids(rng):
    source, target = scene(3)
    labels = rng.choice([0, 3, 700, 70_000], source.shape).astype(np.int32)
    result = lb.apply("resample_to_reference", Volume(labels, source, role="labels"), Volume(np.zeros(target.shape), target))
    assert set(np.unique(result.data)) == {0, 3, 700, 70_000}
    assert result.role == "labels"


@pytest.mark.parametrize("interpolation", list(ITK))
@pytest.mark.parametrize("bent", [False, True])
def test_a_block_needs_only_its_bounding_box(rng, interpolation, bent):
    source, target = scene(3)
    moving = rng.integers(0, 4000, source.shape).astype(np.uint16)
    field = rng.normal(0, 1, (3, *target.shape)).astype(np.float32) if bent else None
    transform = Transform(affine_transform(3), field, target)
    parameters = {"interpolation": interpolation, "default_value": 100.0}
    zero = (0, 0, 0)
    whole = resample_to_reference(
        moving, None, transform, **parameters, where=Block(zero, moving.shape, zero, target.shape, source, {"reference": target})
    )
    grid, tile, read = resample_to_reference.technique.grid, (7, 9, 11), 0
    for corner in np.ndindex(2, 3, 3):
        box = tuple(slice(c * t, min((c + 1) * t, n)) for c, t, n in zip(corner, tile, target.shape, strict=True))
        taken = grid.source(box, source, target, parameters | {"transform": transform})
        place = Block(
            tuple(s.start for s in taken),
            moving.shape,
            tuple(s.start for s in box),
            tuple(s.stop - s.start for s in box),
            source,
            {"reference": target},
        )
        np.testing.assert_array_equal(
            resample_to_reference(moving[taken], None, transform, **parameters, where=place), whole[box]
        )
        read += moving[taken].size
    if interpolation == "linear" and not bent:
        assert read < 9 * moving.size


def test_lazy_series_equals_whole(rng):
    source, target = scene(2)
    series = rng.uniform(size=(3, *source.shape))
    geometry = source.insert(0, "t", 3)
    reference = Volume(np.zeros(target.shape), target)
    whole = lb.apply("resample_to_reference", Volume(series, geometry), reference)
    lazy = lb.apply("resample_to_reference", Volume(da.from_array(series, chunks=(1, 16, 17)), geometry), reference)
    np.testing.assert_array_equal(lazy.data.compute(), whole.data)
    assert whole.geometry.select("yx") == target


def test_conversions_to_itk_and_back():
    matrix = affine_transform(3)
    np.testing.assert_allclose(matrix_from_itk(matrix_to_itk(matrix)), matrix, atol=1e-12)
    source, _ = scene(3)
    image = to_itk(np.zeros(source.shape), source)
    np.testing.assert_allclose(
        image.TransformIndexToPhysicalPoint((5, 4, 3))[::-1], (source.affine @ (3, 4, 5, 1))[:3], atol=1e-9
    )


def test_mismatches_are_refused(rng):
    source, _ = scene(2)
    plane = Volume(rng.uniform(size=source.shape), source)
    with pytest.raises(InputError, match="spatial axes"):
        lb.apply("resample_to_reference", plane, Volume(np.zeros((3, 4, 5)), Geometry.of("zyx", (3, 4, 5))))
    with pytest.raises(InputError, match="matrix"):
        lb.apply("resample_to_reference", plane, plane, Transform(np.eye(4)))
    with pytest.raises(InputError, match="grid"):
        lb.apply("resample_to_reference", plane, plane, Transform(np.eye(3), np.zeros((2, 5, 5), np.float32)))
