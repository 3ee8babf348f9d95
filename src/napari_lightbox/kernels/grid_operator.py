"""Difference operators on a pixel grid as sparse matrices, built only where they are needed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Entries(NamedTuple):
    """Entries of a sparse matrix: number of the row, flat index of the pixel it multiplies, weight."""

    rows: NDArray[np.int64]
    pixels: NDArray[np.int64]
    weights: NDArray[np.float64]


def biharmonic_entries(pixels: NDArray[np.int64], shape: Sequence[int]) -> Entries:
    """Return the rows of the squared Laplacian for some pixels, given as flat indices; the border mirrors the values."""
    places = np.unravel_index(pixels, tuple(shape))
    margins = [np.minimum(p, n - 1 - p) for p, n in zip(places, shape, strict=True)]
    inside = np.minimum.reduce(margins) >= 2
    inner, rim = np.flatnonzero(inside), np.flatnonzero(~inside)
    steps, weights = _stencil(len(shape))
    strides = np.cumprod([1, *shape[:0:-1]])[::-1]
    neighbours = pixels[inner][:, None] + steps @ strides
    edge = _squared_laplacian(pixels[rim], shape)
    return Entries(
        np.concatenate([np.repeat(inner, len(weights)), rim[edge.rows]]),
        np.concatenate([neighbours.ravel(), edge.pixels]),
        np.concatenate([np.tile(weights, len(inner)), edge.weights]),
    )


def _stencil(ndim: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return offsets and weights of the squared Laplacian away from any border."""
    shape = (5,) * ndim
    _, pixels, weights = _squared_laplacian(np.array([5**ndim // 2]), shape)
    return np.stack(np.unravel_index(pixels, shape), axis=-1) - 2, weights


def _squared_laplacian(pixels: NDArray[np.int64], shape: Sequence[int]) -> Entries:
    """Apply the Laplacian to its own rows."""
    inner, near = _laplacian(pixels, shape)
    outer, reached = _laplacian(near, shape)
    product = (inner @ outer).tocoo()
    return Entries(product.coords[0].astype(np.int64), reached[product.coords[1]], product.data)


def _laplacian(pixels: NDArray[np.int64], shape: Sequence[int]) -> tuple[Any, NDArray[np.int64]]:
    """Return the rows of the Laplacian as a matrix over the pixels reached, and those pixels."""
    from scipy import sparse

    places = np.unravel_index(pixels, tuple(shape))
    numbers = np.arange(len(pixels))
    degree = np.zeros(len(pixels))
    rows, columns = [numbers], [pixels]
    stride = 1
    for axis in reversed(range(len(shape))):
        for step in (-1, 1):
            inside = (places[axis] + step >= 0) & (places[axis] + step < shape[axis])
            degree += inside
            rows.append(numbers[inside])
            columns.append(pixels[inside] + step * stride)
        stride *= shape[axis]
    row, column = np.concatenate(rows), np.concatenate(columns)
    reached, position = np.unique(column, return_inverse=True)
    weights = np.concatenate([-degree, np.ones(len(row) - len(pixels))])
    return sparse.csr_array((weights, (row, position)), shape=(len(pixels), len(reached))), reached
