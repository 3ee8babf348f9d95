"""The demo's case: the part of the chest around the tumour, with a few painted seeds and the truth."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from napari_lightbox.axes import Volume
from napari_lightbox.samples.thorax_ct import TUMOUR_CENTRE_MM, TUMOUR_RADII_MM

TUMOUR, LUNG, WALL = 1, 2, 3
_HALF_BOX_MM = (45.0, 45.0, 48.0)


@dataclass(frozen=True)
class Case:
    """Image, seeds (1 tumour, 2 lung, 3 chest wall) and the true tumour on one grid, and the chest they were cut from."""

    chest: Volume
    image: Volume
    seeds: Volume
    truth: Volume
    analytic_ml: float


def around_tumour(ct: Volume, organs: Volume) -> Case:
    """Return the box around the tumour with seeds as a person would paint them."""
    matrix = ct.geometry.affine
    to_index = np.linalg.inv(matrix)
    centre = np.rint((to_index @ [*TUMOUR_CENTRE_MM, 1.0])[:3]).astype(int)
    half = np.rint(np.array(_HALF_BOX_MM) / ct.geometry.spacing).astype(int)
    start, stop = np.maximum(centre - half, 0), np.minimum(centre + half + 1, ct.shape)
    box = tuple(slice(a, b) for a, b in zip(start, stop, strict=True))
    geometry = ct.geometry.crop(start, stop - start)
    image = replace(ct, data=np.asarray(ct.data[box]), geometry=geometry, name="CT around the tumour")
    truth = (np.asarray(organs.data[box]) == 9).astype(np.int32)
    seeds = _paint(image, centre - start)
    return Case(
        replace(ct, name="chest CT"),
        image,
        Volume(seeds, geometry, role="labels", name="seeds"),
        Volume(truth, geometry, role="labels", name="truth"),
        float(4 / 3 * np.pi * np.prod(TUMOUR_RADII_MM) / 1000),
    )


def in_chest(case: Case, labels: Volume) -> Volume:
    """Return labels of the box on the grid of the whole chest, 0 outside."""
    to_index = np.linalg.inv(case.chest.geometry.affine)
    start = np.rint((to_index @ [*labels.geometry.origin, 1.0])[:3]).astype(int)
    box = tuple(slice(a, a + n) for a, n in zip(start, labels.shape, strict=True))
    data = np.zeros(case.chest.shape, labels.dtype)
    data[box] = labels.data
    return replace(labels, data=data, geometry=case.chest.geometry)


def _paint(image: Volume, centre: np.ndarray) -> np.ndarray:
    """Return three short strokes in the slice through the tumour's centre, and one through each neighbour organ.

    The tumour gets a cross of +-6 mm; a ring of dots at 30 mm is lung where the image is dark and wall where it is bright.
    """
    seeds = np.zeros(image.shape, np.int32)
    z, y, x = centre
    reach = [max(1, round(6 / s)) for s in image.geometry.spacing]
    seeds[z - reach[0] : z + reach[0] + 1, y, x] = TUMOUR
    seeds[z, y - reach[1] : y + reach[1] + 1, x] = TUMOUR
    seeds[z, y, x - reach[2] : x + reach[2] + 1] = TUMOUR
    grids = np.ogrid[tuple(slice(n) for n in image.shape)]
    away = np.sqrt(sum(((g - c) * s) ** 2 for g, c, s in zip(grids, centre, image.geometry.spacing, strict=True)))
    ring = (np.abs(away - 32) < 2.0) & (np.abs(grids[0] - z) % 3 == 0)
    seeds[ring & (image.data < -600)] = LUNG
    seeds[ring & (image.data > -200)] = WALL
    return seeds


def volume_ml(labels: Volume, label: int = TUMOUR) -> float:
    """Return the volume of one label in millilitres, from the geometry in millimetres."""
    voxel = abs(float(np.linalg.det(labels.geometry.affine[:-1, :-1])))
    return float((labels.data == label).sum() * voxel / 1000)


def dice(labels: Volume, truth: Volume, label: int = TUMOUR) -> float:
    """Return the overlap with the truth: 1 is equal, 0 is disjoint."""
    found, wanted = labels.data == label, truth.data > 0
    return float(2 * (found & wanted).sum() / max(int(found.sum() + wanted.sum()), 1))
