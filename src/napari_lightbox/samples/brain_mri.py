"""Brain phantom as a T1-weighted MRI: known tissues, bias field, Rician noise, anisotropic voxels."""

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
from napari_lightbox.samples.scanner import add_rician_noise, bias_field

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

EXTENT_MM = (150.0, 210.0, 180.0)
TISSUES = {
    0: "background",
    1: "scalp",
    2: "skull",
    3: "cerebrospinal fluid",
    4: "gray matter",
    5: "white matter",
    6: "ventricles",
    7: "tumour",
}
SIGNAL = np.array([4, 750, 60, 140, 430, 640, 120, 330], np.float32)
TUMOUR_CENTRE_MM = (14.0, 28.0, -32.0)
TUMOUR_RADII_MM = (13.0, 16.0, 12.0)


def brain_mri(
    spacing: Sequence[float] = (3.0, 1.5, 1.5), *, bias: float = 0.25, noise: float = 14.0, tumour: bool = True, seed: int = 0
) -> Phantom:
    """Return a T1-weighted head of 150 x 210 x 180 mm with its tissue labels.

    The anatomy is fixed in millimetres: another spacing samples the same head.

    Parameters
    ----------
    spacing
        Voxel size (z, y, x) in millimetres.
    bias
        Strength of the coil's bias field, 0 for none.
    noise
        Standard deviation of the Rician noise; white matter has signal 640.
    tumour
        Whether the right hemisphere holds a tumour: an ellipsoid of known centre and radii.
    seed
        Seed of noise and texture.
    """
    rng = np.random.default_rng(seed)
    shape = shape_for(EXTENT_MM, spacing)
    points = coordinates(shape, spacing)
    labels = _tissues(points, shape, tumour=tumour)
    sigma = [0.5 / s for s in spacing]
    texture = smooth_noise(rng, shape, [2.0 / s for s in spacing])
    ideal = blurred(SIGNAL[labels] * (1 + 0.02 * texture), sigma)
    image = add_rician_noise(rng, ideal * bias_field(points, bias), noise)
    geometry = Geometry.of("zyx", shape, spacing, [float(p.min()) for p in points], ("mm",) * 3)
    names = TISSUES if tumour else {k: v for k, v in TISSUES.items() if k != 7}
    truth = {"names": names, "volume_ml": volumes_ml(labels, names, float(np.prod(spacing)))}
    return Phantom(
        Volume(np.clip(np.rint(image), 0, 4095).astype(np.uint16), geometry, {"modality": "MR"}, name="brain MRI"),
        Volume(labels.astype(np.int32), geometry, truth, role="labels", name="brain tissues"),
    )


def _tissues(points: Sequence[Field], shape: tuple[int, ...], *, tumour: bool) -> NDArray[np.uint8]:
    labels = np.zeros(shape, np.uint8)
    head = distance(points, (0, 0, 0), (71, 98, 80))
    labels[head < 1] = 1
    labels[head < 0.93] = 2
    labels[head < 0.87] = 3
    brain, white = _cortex(points)
    labels[brain] = 4
    labels[white] = 5
    labels[_deep_nuclei(points)] = 4
    labels[_ventricles(points)] = 6
    if tumour:
        labels[ellipsoid(points, TUMOUR_CENTRE_MM, TUMOUR_RADII_MM)] = 7
    return labels


def _cortex(points: Sequence[Field]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the brain and its white matter; waves over the surface stand for gyri, a gap for the midline."""
    z, y, x = points
    folds = np.sin(y / 5.5 + np.sin(z / 9)) * np.cos(z / 6.0) + np.sin(np.abs(x) / 5.0 + y / 14) * np.cos(y / 8)
    depth = distance(points, (0, 0, 0), (59, 83, 67))
    midline = (np.abs(x) < 1.5) & (z > 0)
    brain = (depth < 1 + 0.015 * folds) & ~midline
    return brain, (depth < 0.86 + 0.06 * folds) & (np.abs(x) > 4)


def _deep_nuclei(points: Sequence[Field]) -> NDArray[np.bool_]:
    sides = [ellipsoid(points, (-2, -4, side * 20), (13, 20, 8)) for side in (-1, 1)]
    return np.logical_or(*sides)


def _ventricles(points: Sequence[Field]) -> NDArray[np.bool_]:
    sides = [ellipsoid(points, (12, 4, side * 8), (9, 28, 5)) for side in (-1, 1)]
    return np.logical_or(*sides) | ellipsoid(points, (-8, 2, 0), (12, 8, 2.5))
