"""Resample onto the grid of a reference."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.axes.geometry import Geometry
from napari_lightbox.contract import Extent, Halo, Unit, Where, technique, values
from napari_lightbox.contract.grid import Box, Grid, Others
from napari_lightbox.contract.locality import Parameters
from napari_lightbox.contract.roles import ImageOrLabels, ReferenceGrid, Transform
from napari_lightbox.contract.where import IsLabels
from napari_lightbox.errors import InputError
from napari_lightbox.kernels.affine_sampling import Method, needed_box, reach_of, sample, sampled_field

_METHODS: dict[str, Method] = {"auto": "linear", "nearest": "nearest", "linear": "linear", "bspline": "cubic"}


def _geometry(source: Geometry, p: Parameters, others: Others) -> Geometry:
    reference = others["reference"]
    if reference.axes != source.axes:
        raise InputError(
            "reference",
            f"has spatial axes {reference.axes!r}, the moving image {source.axes!r}",
            "Give a reference with the same spatial axes",
        )
    return reference


def _pull(source: Geometry, target: Geometry, transform: values.Transform | None) -> NDArray[np.float64]:
    """Return the linear map from output indices to input indices."""
    world = np.eye(source.ndim + 1) if transform is None else np.asarray(transform.matrix, np.float64)
    if world.shape != (source.ndim + 1, source.ndim + 1):
        raise InputError(
            "transform",
            f"has a matrix of shape {world.shape} for {source.ndim} axes",
            "Give a transform of the same dimension as the image",
        )
    return np.asarray(np.linalg.solve(source.affine, world @ target.affine))


def _moves(source: Geometry, transform: values.Transform | None) -> NDArray[np.float64] | None:
    """Return the displacement field in input pixels."""
    if transform is None or transform.field is None:
        return None
    if not isinstance(transform.grid, Geometry) or transform.field.shape != (source.ndim, *transform.grid.shape):
        raise InputError(
            "transform", "has a displacement field without a grid of its shape", "Give the Geometry of the field as its grid"
        )
    linear = np.linalg.inv(source.affine[:-1, :-1])
    return np.asarray(np.tensordot(linear, transform.field.astype(np.float64), axes=1))


def _source(box: Box, source: Geometry, target: Geometry, p: Parameters) -> Box:
    moves = _moves(source, p["transform"])
    reach = None if moves is None else np.abs(moves).reshape(source.ndim, -1).max(axis=1)
    return needed_box(box, _pull(source, target, p["transform"]), source.shape, _METHODS[p["interpolation"]], "cut", reach)


def _radius(p: Parameters, extent: Extent) -> int:
    return reach_of(_METHODS[p["interpolation"]])


@technique(
    "resample_to_reference",
    title="Resample onto a reference grid",
    locality=Halo(_radius),
    grid=Grid(_geometry, _source),
    synonyms=("reslice", "regrid", "apply transform", "match grids", "warp"),
)
def resample_to_reference(
    moving: ImageOrLabels,
    reference: ReferenceGrid,
    transform: Transform | None = None,
    *,
    interpolation: Literal["auto", "nearest", "linear", "bspline"] = "auto",
    default_value: Annotated[float, Unit("intensity")] = 0.0,
    where: Where,
    is_labels: IsLabels = False,
) -> ImageOrLabels:
    """Show an image on the grid of another one: same shape, spacing, origin and directions.

    Puts CT and MRI of one patient, or two rounds of staining, voxel on voxel, so that they can be
    compared, subtracted or segmented together. A registration gives the transform; without one the world positions decide.

    Parameters
    ----------
    moving
        Image or Labels (y, x) or (z, y, x), any real type.
    reference
        Image whose grid is taken; its values are not looked at.
    transform
        Takes world positions of the reference to those of the moving image: a matrix, with an optional displacement field that
        is added to its result. Rigid, affine, B-spline and field transforms all come in this form. None is the identity.
    interpolation
        auto (linear for images, nearest for Labels), nearest, linear, bspline (cubic, through the samples).
    default_value
        Value where the moving image has nothing to show.

    Returns
    -------
    image
        The moving image on the grid of the reference, in its own type; integers are rounded. Labels gain no new ids
        (except the default).

    Raises
    ------
    InputError
        Reference or transform have other axes than the image.

    Notes
    -----
    A position counts as inside up to half a voxel beyond the outermost samples. Whole-voxel shifts are exact. A block
    of output reads the bounding box of the input it maps to. Displacements are interpolated linearly and are zero outside
    their grid.

    References
    ----------
    SimpleITK ``Resample``, equal within 1e-4 of the value range.
    """
    source, target = where.geometry, where.others["reference"]
    pull = _pull(source, target, transform)
    moves = _moves(source, transform)
    shifts = None
    if moves is not None and transform is not None:
        on_grid = np.linalg.solve(transform.grid.affine, target.affine)
        shifts = sampled_field(moves, on_grid, where.out_start, where.out_shape)
    method = "nearest" if interpolation == "auto" and (is_labels or moving.dtype == bool) else _METHODS[interpolation]
    return sample(moving, pull, where, method, "cut", default_value, shifts)
