"""What scanners do to an ideal image: bias field, Rician noise, partial volume."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_lightbox.samples.bodies import Field


def bias_field(points: Sequence[Field], strength: float) -> Field:
    """Return a smooth multiplicative field around one, as receive coils make it.

    Parameters
    ----------
    points
        Broadcastable coordinates per axis.
    strength
        Largest relative deviation, such as 0.3.
    """
    scaled = [p / max(float(np.abs(p).max()), 1.0) for p in points]
    first, second, third = scaled[-1], scaled[-2], scaled[0]
    field = 0.6 * first - 0.5 * second**2 + 0.4 * first * second + 0.5 * np.cos(2 * third + 0.5)
    field = field - field.mean()
    return np.asarray(1 + strength * field / max(float(np.abs(field).max()), 1e-12), np.float32)


def add_rician_noise(rng: np.random.Generator, image: Field, sigma: float) -> Field:
    """Return the magnitude of `image` after Gaussian noise on its real and imaginary part.

    References
    ----------
    Gudbjartsson and Patz (1995), doi:10.1002/mrm.1910340618.
    """
    real = image + sigma * rng.standard_normal(image.shape, dtype=np.float32)
    imaginary = sigma * rng.standard_normal(image.shape, dtype=np.float32)
    magnitude: Field = np.hypot(real, imaginary)
    return magnitude
