"""Thorax phantom as a CT in Hounsfield units: lungs, bones, fat, organs and a lung tumour of known volume."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.samples.bodies import (
    Field,
    Phantom,
    blurred,
    coordinates,
    distance,
    ellipsoid,
    shape_for,
    smooth_noise,
    volumes_ml,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

EXTENT_MM = (240.0, 280.0, 380.0)
ORGANS = {
    0: "air",
    1: "fat",
    2: "muscle",
    3: "lungs",
    4: "bone",
    5: "heart",
    6: "aorta",
    7: "liver",
    8: "vessels",
    9: "tumour",
}
HOUNSFIELD = np.array([-1000, -95, 55, -830, 620, 45, 180, 95, 110, 25], np.float32)
TUMOUR_CENTRE_MM = (20.0, 5.0, -92.0)
TUMOUR_RADII_MM = (18.0, 16.0, 17.0)
_LUNGS = (((18.0, 0.0, -85.0), (105.0, 88.0, 56.0)), ((18.0, 0.0, 85.0), (105.0, 88.0, 56.0)))


def thorax_ct(spacing: Sequence[float] = (5.0, 2.5, 2.5), *, noise: float = 18.0, seed: int = 0) -> Phantom:
    """Return a chest of 240 x 280 x 380 mm in Hounsfield units (int16) with its organ labels.

    The anatomy is fixed in millimetres: another spacing samples the same body.

    Parameters
    ----------
    spacing
        Voxel size (z, y, x) in millimetres.
    noise
        Standard deviation of the noise in HU; it is correlated within a slice, as reconstruction leaves it.
    seed
        Seed of noise and texture.
    """
    rng = np.random.default_rng(seed)
    shape = shape_for(EXTENT_MM, spacing)
    points = coordinates(shape, spacing)
    labels = _organs(points, shape)
    texture = smooth_noise(rng, shape, [4.0 / s for s in spacing])
    ideal = HOUNSFIELD[labels] + texture * np.array([0, 6, 5, 22, 90, 4, 4, 6, 4, 9], np.float32)[labels]
    ideal = blurred(ideal, [0.6 / s for s in spacing]) + noise * smooth_noise(rng, shape, (0, 0.6, 0.6))
    geometry = Geometry.of("zyx", shape, spacing, [float(p.min()) for p in points], ("mm",) * 3)
    truth = {
        "names": ORGANS,
        "volume_ml": volumes_ml(labels, ORGANS, float(np.prod(spacing))),
        "tumour_ml": float(4 / 3 * np.pi * np.prod(TUMOUR_RADII_MM) / 1000),
    }
    return Phantom(
        Volume(np.clip(np.rint(ideal), -1024, 3071).astype(np.int16), geometry, {"modality": "CT"}, name="thorax CT"),
        Volume(labels.astype(np.int32), geometry, truth, role="labels", name="thorax organs"),
    )


def _organs(points: Sequence[Field], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    labels = np.zeros(shape, np.uint8)
    body = _cylinder(points, (0, 0), (132, 182))
    labels[body < 1] = 1
    wall = _cylinder(points, (0, 0), (116, 164))
    labels[wall < 1] = 2
    lungs = np.logical_or(*(ellipsoid(points, centre, radii) for centre, radii in _LUNGS))
    labels[lungs] = 3
    labels[_vessels(points) & lungs] = 8
    labels[ellipsoid(points, (-100, -10, -60), (52, 85, 95))] = 7
    labels[ellipsoid(points, (-25, -35, 22), (52, 45, 50))] = 5
    labels[_cylinder(points, (38, 22), (13, 13)) * np.ones_like(points[0]) < 1] = 6
    labels[_bones(points, wall)] = 4
    labels[ellipsoid(points, TUMOUR_CENTRE_MM, TUMOUR_RADII_MM)] = 9
    return labels


def _cylinder(points: Sequence[Field], centre: Sequence[float], radii: Sequence[float]) -> Field:
    """Return the normalised distance from an axis along z."""
    return np.broadcast_to(distance(points[1:], centre, radii), np.broadcast_shapes(*(p.shape for p in points)))


def _bones(points: Sequence[Field], wall: Field) -> NDArray[np.bool_]:
    """Return spine, breastbone and ribs; the ribs are slanting bands in the chest wall."""
    z, y, x = points
    disc = np.mod(z, 26) < 4
    spine = (_cylinder(points, (72, 0), (19, 22)) < 1) & ~disc
    sternum = (np.abs(y + 104) < 5) & (np.abs(x) < 18) & (z > -60)
    band = np.mod(z + 0.35 * y, 28) < 9
    ribs = (wall > 0.90) & (wall < 0.97) & band & (np.abs(x) > 25)
    return spine | sternum | ribs


def _vessels(points: Sequence[Field]) -> NDArray[np.bool_]:
    """Return thin branches that fan out from each hilum into the lung."""
    z, y, x = points
    found = np.zeros(np.broadcast_shapes(z.shape, y.shape, x.shape), bool)
    angles = np.linspace(0, 2 * np.pi, 7, endpoint=False)
    for side in (-1, 1):
        for angle in angles:
            reach = np.abs(x - side * 35)
            off_y = y - np.sin(angle) * reach * 0.9
            off_z = z - 15 - np.cos(angle) * reach * 0.9
            found |= (off_y**2 + off_z**2 < np.clip(5.5 - reach / 22, 1.5, None) ** 2) & (side * x > 35)
    return found
