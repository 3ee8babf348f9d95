"""Geometries and transforms between ITK (x, y, z) and this package (z, y, x)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.axes.affine import directions_of
from napari_lightbox.axes.geometry import Geometry


def to_itk(array: NDArray[Any], geometry: Geometry) -> Any:
    """Return a SimpleITK image of `array` at its place in the world."""
    import SimpleITK as sitk

    image = sitk.GetImageFromArray(np.ascontiguousarray(array))
    image.SetSpacing(geometry.spacing[::-1])
    image.SetOrigin(geometry.origin[::-1])
    image.SetDirection(directions_of(geometry.affine)[::-1, ::-1].ravel().tolist())
    return image


def matrix_from_itk(transform: Any) -> NDArray[np.float64]:
    """Return the homogeneous matrix (z, y, x) of a linear SimpleITK transform."""
    ndim = transform.GetDimension()
    offset = np.array(transform.TransformPoint([0.0] * ndim))
    columns = [np.array(transform.TransformPoint(unit.tolist())) - offset for unit in np.eye(ndim)]
    matrix = np.eye(ndim + 1)
    matrix[:-1, :-1] = np.column_stack(columns)[::-1, ::-1]
    matrix[:-1, -1] = offset[::-1]
    return matrix


def matrix_to_itk(matrix: NDArray[Any]) -> Any:
    """Return the SimpleITK affine transform of a homogeneous matrix (z, y, x)."""
    import SimpleITK as sitk

    transform = sitk.AffineTransform(matrix.shape[0] - 1)
    transform.SetMatrix(matrix[:-1, :-1][::-1, ::-1].ravel().tolist())
    transform.SetTranslation(matrix[:-1, -1][::-1].tolist())
    return transform


def field_from_itk(transform: Any, grid: Geometry) -> NDArray[np.float32]:
    """Return the displacement (ndim, *shape) that any SimpleITK transform gives to the points of `grid`, in world units."""
    import SimpleITK as sitk

    displacement = sitk.TransformToDisplacementField(
        transform,
        sitk.sitkVectorFloat64,
        grid.shape[::-1],
        grid.origin[::-1],
        grid.spacing[::-1],
        directions_of(grid.affine)[::-1, ::-1].ravel().tolist(),
    )
    return np.ascontiguousarray(np.moveaxis(sitk.GetArrayFromImage(displacement), -1, 0)[::-1].astype(np.float32))
