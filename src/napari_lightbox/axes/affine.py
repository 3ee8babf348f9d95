"""Homogeneous matrices that take array indices to world coordinates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.errors import AxesError

Matrix = NDArray[np.float64]


def scaling(spacing: Sequence[float], origin: Sequence[float] | None = None) -> Matrix:
    """Return the matrix with `spacing` on its diagonal and `origin` as translation."""
    matrix = np.eye(len(spacing) + 1)
    matrix[range(len(spacing)), range(len(spacing))] = spacing
    if origin is not None:
        matrix[:-1, -1] = origin
    return matrix


def check_affine(matrix: Any, ndim: int) -> Matrix:
    """Return `matrix` as a read-only float64 array of shape (ndim + 1, ndim + 1).

    Raises
    ------
    AxesError
        Wrong shape, not finite, not invertible, or the last row is not (0, ..., 0, 1).
    """
    array = np.array(matrix, dtype=np.float64)
    if array.shape != (ndim + 1, ndim + 1):
        raise AxesError(
            "affine", f"has shape {array.shape}, {ndim} axes need {(ndim + 1, ndim + 1)}", "Give a homogeneous matrix"
        )
    if not np.isfinite(array).all() or not _ends_homogeneous(array):
        raise AxesError("affine", "is not a finite homogeneous matrix", "Its last row must be (0, ..., 0, 1)")
    if _collapses(array[:-1, :-1]):
        raise AxesError("affine", "collapses an axis", "Every axis needs a spacing above zero and its own direction")
    array.flags.writeable = False
    return array


def _ends_homogeneous(matrix: Matrix) -> bool:
    last = matrix[-1].tolist()
    return abs(last[-1] - 1) < 1e-5 and max(map(abs, last[:-1]), default=0.0) < 1e-8


def _collapses(linear: Matrix) -> bool:
    """Tell whether two axes share a direction or one has no length."""
    lengths = np.sqrt((linear * linear).sum(axis=0))
    if not lengths.all():
        return True
    if np.count_nonzero(linear) == len(linear) and linear.diagonal().all():
        return False  # along the axes, as nearly all are: no determinant needed
    return bool(abs(np.linalg.det(linear / lengths)) < 1e-9)


def _unit_columns(linear: Matrix) -> Matrix:
    return np.asarray(linear / np.linalg.norm(linear, axis=0))


def spacing_of(matrix: Matrix) -> tuple[float, ...]:
    """Return the world length of one index step along each axis."""
    return tuple(float(s) for s in np.linalg.norm(matrix[:-1, :-1], axis=0))


def directions_of(matrix: Matrix) -> Matrix:
    """Return the unit direction of each axis as columns."""
    return _unit_columns(matrix[:-1, :-1])


def shifted(matrix: Matrix, start: Sequence[float]) -> Matrix:
    """Return the matrix of the sub-array that begins at index `start`."""
    moved = matrix.copy()
    moved[:-1, -1] = matrix[:-1, :-1] @ np.asarray(start, float) + matrix[:-1, -1]
    return moved


def selected(matrix: Matrix, keep: Sequence[int]) -> Matrix:
    """Return the matrix over the axes `keep`, in that order; others are dropped at index 0."""
    rows = [*keep, matrix.shape[0] - 1]
    return matrix[np.ix_(rows, rows)].copy()


def inserted(matrix: Matrix, position: int, spacing: float = 1.0) -> Matrix:
    """Return the matrix with one more axis before `position`, independent of the others."""
    grown = np.insert(np.insert(matrix, position, 0.0, axis=0), position, 0.0, axis=1)
    grown[position, position] = spacing
    return grown
