"""Flip along an axis."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.axes.geometry import Geometry
from napari_lightbox.contract import Pointwise, Where, technique
from napari_lightbox.contract.grid import Box, Grid, Others
from napari_lightbox.contract.locality import Parameters
from napari_lightbox.contract.roles import ImageOrLabels, Points
from napari_lightbox.errors import ParameterError
from napari_lightbox.kernels.point_mapping import map_points

_AXES = {"vertical": (-2,), "horizontal": (-1,), "both": (-2, -1), "depth": (-3,)}
_PLANE_CODES = {(-2,): 0, (-1,): 1, (-2, -1): -1}
_PLANE_TYPES = ("uint8", "int8", "uint16", "int16", "int32", "float32", "float64")


class Flipped(NamedTuple):
    """The flipped layer and the points that were on it."""

    image: ImageOrLabels
    points: Points | None


def _axes(axis: str, ndim: int) -> tuple[int, ...]:
    if ndim < -min(_AXES[axis]):
        raise ParameterError("axis", "'depth' needs three axes", "Give a volume, or flip vertically or horizontally")
    return _AXES[axis]


def _geometry(source: Geometry, p: Parameters, others: Others) -> Geometry:
    _axes(p["axis"], source.ndim)
    return source


def _source(box: Box, source: Geometry, target: Geometry, p: Parameters) -> Box:
    flipped = list(box)
    for axis in _axes(p["axis"], source.ndim):
        length = source.shape[axis]
        flipped[axis] = slice(length - box[axis].stop, length - box[axis].start)
    return tuple(flipped)


@technique(
    "flip",
    title="Flip",
    locality=Pointwise(),
    grid=Grid(_geometry, _source),
    synonyms=("mirror", "flipud", "fliplr", "reverse"),
)
def flip(
    image: ImageOrLabels,
    points: Points | None = None,
    *,
    axis: Literal["vertical", "horizontal", "both", "depth"] = "vertical",
    where: Where,
) -> Flipped:
    """Mirror the picture top to bottom, left to right, or front to back.

    Undoes mirrored optics and makes augmented training data. The grid stays where it is in the world and the
    content is mirrored on it, so flip the Labels and Points of an image along with it.

    Parameters
    ----------
    image
        Image or Labels (y, x) or (z, y, x), any real type.
    points
        Points on the image, carried along.
    axis
        vertical reverses the rows (y), horizontal the columns (x), both turns by 180 degrees, depth reverses the first of
        three axes (z; another one when the technique is told to work over it, as in ``over="tyx"``).

    Returns
    -------
    image
        Same shape and type. Colour and stacks keep their order.
    points
        The points in index coordinates of the result; None without points.

    Raises
    ------
    ParameterError
        Depth for an image with two axes.

    References
    ----------
    NumPy ``flip``, equal bit for bit.
    """
    axes = _axes(axis, image.ndim)
    matrix = np.eye(image.ndim + 1)
    for one in axes:
        matrix[one - 1, one - 1] = -1
        matrix[one - 1, -1] = where.whole[one] - 1
    return Flipped(_flipped(image, axes), map_points(points, matrix))


def _flipped(image: NDArray[Any], axes: tuple[int, ...]) -> NDArray[Any]:
    if image.dtype.name in _PLANE_TYPES and (image.ndim == 2 or axes == (-1,)):
        import cv2

        # reversing rows, a volume is one tall plane
        rows = np.ascontiguousarray(image).reshape(-1, image.shape[-1])
        return np.asarray(cv2.flip(rows, _PLANE_CODES[axes])).reshape(image.shape)
    return np.ascontiguousarray(np.flip(image, axes))
