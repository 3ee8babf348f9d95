"""Fluorescence nuclei in 2D, 3D and time with known instance labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.samples.bodies import Field, Phantom, blurred, smooth_noise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_BACKGROUND = 120.0
_SIGNAL = 1400.0
_PHOTONS_PER_COUNT = 0.25


def cells(
    shape: Sequence[int] = (256, 256),
    *,
    count: int = 60,
    radius: float = 9.0,
    spacing: Sequence[float] | None = None,
    touching: float = 0.1,
    frames: int | None = None,
    seed: int = 0,
) -> Phantom:
    """Return nuclei with texture, uneven illumination, optical blur and photon noise (uint16).

    Parameters
    ----------
    shape
        Grid (y, x) or (z, y, x).
    count
        Number of nuclei tried; crowded grids hold fewer.
    radius
        Mean radius in units of the spacing of x.
    spacing
        Sampling step per axis in micrometres; 0.5 (2D) or (1, 0.5, 0.5) when not given.
    touching
        How far neighbours may overlap, as a share of the sum of their radii; the nearer nucleus gets the pixel.
    frames
        Number of time points; nuclei drift and keep their label. None for a single image.
    seed
        Seed of everything random.
    """
    rng = np.random.default_rng(seed)
    steps = tuple(spacing) if spacing is not None else (1.0, 0.5, 0.5)[3 - len(shape) :]
    centres, radii = _place(rng, shape, steps, count, radius * steps[-1], touching)
    paths = _paths(rng, centres, frames or 1, np.array(shape) * steps, radius * steps[-1])
    brightness = rng.uniform(0.6, 1.4, len(centres)).astype(np.float32)
    glow = 1 + 0.25 * smooth_noise(rng, shape, [n / 3 for n in shape])
    drawn = [_draw(shape, steps, positions, radii) for positions in paths]
    images = [_expose(rng, label, inside, brightness, glow, steps) for label, inside in drawn]
    labels = [label for label, _ in drawn]
    axes = "zyx"[3 - len(shape) :]
    geometry = Geometry.of(axes, shape, steps, None, ("um",) * len(shape))
    if frames is not None:
        geometry = geometry.insert(0, "t", frames, 60.0, "s")
    image, truth = (np.stack(images), np.stack(labels)) if frames is not None else (images[0], labels[0])
    return Phantom(
        Volume(image, geometry, {"channel": "nuclei"}, name="cells"),
        Volume(truth, geometry, {"count": len(centres)}, role="labels", name="cell labels"),
    )


def _place(
    rng: np.random.Generator, shape: Sequence[int], steps: Sequence[float], count: int, radius: float, touching: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return centres and radii per axis of nuclei that keep their distance."""
    size = np.array(shape) * steps
    centres = np.empty((0, len(shape)))
    radii = np.empty((0, len(shape)))
    for _ in range(count * 20):
        if len(centres) == count:
            break
        radius_here = radius * rng.uniform(0.8, 1.2) * rng.uniform(0.85, 1.15, len(shape))
        centre = rng.uniform(0, 1, len(shape)) * size
        gap = np.linalg.norm((centres - centre) / (radii + radius_here), axis=1)
        if gap.size == 0 or gap.min() > 1 - touching:
            centres, radii = np.vstack([centres, centre]), np.vstack([radii, radius_here])
    return centres, radii


def _paths(
    rng: np.random.Generator, centres: NDArray[np.float64], frames: int, size: NDArray[np.float64], radius: float
) -> NDArray[np.float64]:
    """Return positions (frame, cell, axis): a steady drift that is reflected at the border."""
    drift = rng.normal(0, 0.12 * radius, centres.shape)
    times = np.arange(frames)[:, None, None]
    folded = np.mod(centres + drift * times, 2 * size)
    return np.where(folded > size, 2 * size - folded, folded)


def _draw(
    shape: Sequence[int], steps: Sequence[float], centres: NDArray[np.float64], radii: NDArray[np.float64]
) -> tuple[NDArray[np.int32], Field]:
    """Return labels and the normalised distance from each pixel's own centre."""
    labels = np.zeros(shape, np.int32)
    nearest = np.ones(shape, np.float32)
    for label, (centre, radius) in enumerate(zip(centres, radii, strict=True), start=1):
        box = tuple(
            slice(max(0, int((c - r) / s)), max(0, min(n, int((c + r) / s) + 2)))
            for c, r, s, n in zip(centre, radius, steps, shape, strict=True)
        )
        points = np.ogrid[box]
        squares = [((p * s - c) / r) ** 2 for p, s, c, r in zip(points, steps, centre, radius, strict=True)]
        away = np.sqrt(sum(squares[1:], squares[0])).astype(np.float32)
        closer = away < nearest[box]
        nearest[box][closer] = away[closer]
        labels[box][closer] = label
    return labels, nearest


def _expose(
    rng: np.random.Generator, labels: NDArray[np.int32], away: Field, brightness: Field, glow: Field, steps: Sequence[float]
) -> NDArray[np.uint16]:
    """Return the camera image of labelled nuclei."""
    texture = 1 + 0.12 * smooth_noise(rng, labels.shape, [1.0 / s for s in steps])
    lit = np.concatenate([[0], brightness])[labels] * (1 - 0.3 * away**2) * texture
    counts = (_BACKGROUND + _SIGNAL * blurred(lit.astype(np.float32), [0.5 / s for s in steps])) * np.clip(glow, 0.3, None)
    photons = rng.poisson(np.clip(counts, 0, None) * _PHOTONS_PER_COUNT)
    image: NDArray[np.uint16] = np.clip(np.rint(photons / _PHOTONS_PER_COUNT), 0, 65535).astype(np.uint16)
    return image
