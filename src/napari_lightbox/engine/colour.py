"""Work on the brightness of a colour picture and put the colour back."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def value_channel(colour: NDArray[Any]) -> NDArray[Any]:
    """Return the HSV value: the largest of red, green and blue (alpha is ignored)."""
    value: NDArray[Any] = colour[..., :3].max(axis=-1)
    return value


def recoloured(colour: NDArray[Any], value: NDArray[Any]) -> NDArray[Any]:
    """Return `colour` with its HSV value replaced; hue and saturation stay, alpha is kept.

    The result has the type of `value`; black pixels become gray of the new value.
    """
    old = value_channel(colour).astype(np.float64)
    factor = np.divide(value, old, out=np.ones_like(old), where=old > 0)[..., None]
    rgb = np.where(old[..., None] > 0, colour[..., :3] * factor, np.asarray(value)[..., None])
    if value.dtype.kind in "iu":
        rgb = np.rint(rgb)
    rgb = rgb.astype(value.dtype)
    return np.concatenate([rgb, colour[..., 3:].astype(value.dtype)], axis=-1) if colour.shape[-1] > 3 else rgb
