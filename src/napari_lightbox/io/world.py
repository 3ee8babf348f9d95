"""Between the axes of files (x first, RAS or LPS) and ours (z first, patient LPS)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.errors import AxesError

Matrix = NDArray[np.float64]
_TO_LPS = {"R": ("x", -1.0), "L": ("x", 1.0), "A": ("y", -1.0), "P": ("y", 1.0), "S": ("z", 1.0), "I": ("z", -1.0)}


def flipped_order(matrix: Matrix) -> Matrix:
    """Return a homogeneous matrix with index and world axes listed in the opposite order."""
    order = [*range(matrix.shape[0] - 2, -1, -1), matrix.shape[0] - 1]
    return matrix[np.ix_(order, order)].copy()


def to_lps(matrix: Matrix, space: str) -> Matrix:
    """Return a matrix over x, y, z, ... with its world turned from `space` (such as ``"RAS"``) to LPS."""
    turned = matrix.copy()
    for row, letter in enumerate(space):
        axis, sign = _TO_LPS[letter]
        turned["xyz".index(axis)] = sign * matrix[row]
    return turned


def affine_from_parts(spacing: Any, origin: Any, directions: Any) -> Matrix:
    """Return the matrix from spacing, origin and a matrix whose columns are the axis directions."""
    count = len(spacing)
    matrix = np.eye(count + 1)
    matrix[:-1, :-1] = np.asarray(directions, float).reshape(count, count) * np.asarray(spacing, float)
    matrix[:-1, -1] = origin
    return matrix


def arranged(volume: Volume, order: str) -> Volume:
    """Return the volume with its axes in the order of `order`; letters it lacks are skipped.

    Raises nothing for letters that `order` does not name: they come first, in their own order.
    """
    rest = "".join(a for a in volume.axes if a not in order)
    axes = rest + "".join(a for a in order if a in volume.axes)
    return with_axes(volume, axes)


def with_axes(volume: Volume, axes: str) -> Volume:
    """Return the volume transposed to `axes`; axes of length one may be left out or added."""
    gone = [a for a in volume.axes if a not in axes]
    data, geometry = volume.data, volume.geometry
    if any(geometry.length(a) != 1 for a in gone):
        raise AxesError(
            "axes", f"{geometry.axes!r} cannot become {axes!r}: an axis is longer than one", "Select one index of it first"
        )
    if gone:
        data = data[tuple(0 if a in gone else slice(None) for a in volume.axes)]
        geometry = geometry.without(gone)
    for axis in axes:
        if axis not in geometry.axes:
            data = data[None]
            geometry = geometry.insert(0, axis, 1)
    if geometry.axes != axes:
        data = data.transpose([geometry.axes.index(a) for a in axes])
        geometry = geometry.select(axes)
    return replace(volume, data=data, geometry=geometry)


def is_aligned(geometry: Geometry) -> bool:
    """Tell whether the axes run straight along the world axes, in positive direction."""
    linear = geometry.affine[:-1, :-1]
    spacing = np.asarray(geometry.spacing)
    return bool(np.allclose(linear, np.diag(spacing), rtol=0, atol=1e-9 * spacing.max()))


def patient_matrix(geometry: Geometry) -> Matrix:
    """Return the 4 x 4 matrix over x, y, z (LPS); axes that are missing get one step of one unit."""
    full = geometry.select(geometry.spatial)
    for position, axis in enumerate("zyx"):
        if axis not in full.axes:
            full = full.insert(position, axis, 1)
    return flipped_order(full.affine)


def placed(
    axes: str,
    shape: tuple[int, ...],
    patient: Matrix,
    others: Mapping[str, tuple[float, float]] | None = None,
    units: Mapping[str, str] | None = None,
) -> Geometry:
    """Return the geometry whose spatial axes lie where `patient` (4 x 4 over x, y, z in LPS) says.

    `others` gives spacing and origin of further axes, `units` the unit per axis (``"mm"`` for space otherwise).
    """
    spatial = flipped_order(patient)
    matrix = np.eye(len(axes) + 1)
    inside = [i for i, a in enumerate(axes) if a in "zyx"]
    rows = ["zyx".index(axes[i]) for i in inside]
    matrix[np.ix_(inside, inside)] = spatial[np.ix_(rows, rows)]
    matrix[inside, -1] = spatial[rows, -1]
    for axis, (spacing, origin) in (others or {}).items():
        if axis in axes:
            matrix[axes.index(axis), axes.index(axis)] = spacing if spacing > 0 else 1.0
            matrix[axes.index(axis), -1] = origin
    named = {"z": "mm", "y": "mm", "x": "mm"} | dict(units or {})
    return Geometry(axes, shape, matrix, tuple(named.get(a, "pixel") for a in axes))
