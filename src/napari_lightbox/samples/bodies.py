"""Simple bodies on a grid: the building blocks of all phantoms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_lightbox.axes import Volume

Field = NDArray[np.float32]


class Phantom(NamedTuple):
    """An image with its ground truth on the same grid.

    `labels.metadata["names"]` maps each label to a name; `labels.metadata["volume_ml"]` to its volume where that makes sense.
    """

    image: Volume
    labels: Volume


def shape_for(extent: Sequence[float], spacing: Sequence[float]) -> tuple[int, ...]:
    """Return the number of samples per axis that cover `extent`, at least one."""
    return tuple(max(1, round(e / s)) for e, s in zip(extent, spacing, strict=True))


def coordinates(shape: Sequence[int], spacing: Sequence[float]) -> tuple[Field, ...]:
    """Return broadcastable coordinates per axis, in world units from the centre of the grid."""
    ndim = len(shape)
    return tuple(
        ((np.arange(n, dtype=np.float32) - (n - 1) / 2) * np.float32(s)).reshape([-1 if i == axis else 1 for i in range(ndim)])
        for axis, (n, s) in enumerate(zip(shape, spacing, strict=True))
    )


def distance(points: Sequence[Field], centre: Sequence[float], radii: Sequence[float]) -> Field:
    """Return the distance from `centre` in units of the radii: below one is inside the ellipsoid."""
    squares = [((p - np.float32(c)) / np.float32(r)) ** 2 for p, c, r in zip(points, centre, radii, strict=True)]
    result: Field = np.sqrt(sum(squares[1:], squares[0]))
    return result


def ellipsoid(points: Sequence[Field], centre: Sequence[float], radii: Sequence[float]) -> NDArray[np.bool_]:
    """Return the inside of an axis-aligned ellipsoid."""
    return distance(points, centre, radii) < 1


def smooth_noise(rng: np.random.Generator, shape: Sequence[int], sigma: Sequence[float]) -> Field:
    """Return Gaussian-correlated noise with mean zero and standard deviation one."""
    from scipy import ndimage

    field: Field = ndimage.gaussian_filter(rng.standard_normal(shape, dtype=np.float32), sigma, mode="wrap")
    field -= field.mean()
    field /= max(float(field.std()), 1e-12)
    return field


def blurred(image: Field, sigma: Sequence[float]) -> Field:
    """Return `image` smoothed by a Gaussian; stands for partial volume or the optics."""
    from scipy import ndimage

    result: Field = ndimage.gaussian_filter(image, sigma, mode="nearest", truncate=3.0)
    return result


def volumes_ml(labels: NDArray[Any], names: dict[int, str], voxel_mm3: float) -> dict[str, float]:
    """Return the volume of each named label in millilitres."""
    counts = np.bincount(labels.ravel(), minlength=max(names) + 1)
    return {name: float(counts[label] * voxel_mm3 / 1000) for label, name in names.items()}
