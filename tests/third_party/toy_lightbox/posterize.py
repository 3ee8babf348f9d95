"""Posterise."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from napari_lightbox.contract import Pointwise, Range, technique
from napari_lightbox.contract.roles import Image


@technique("toy_posterize", title="Posterise", locality=Pointwise(), family="artistic")
def toy_posterize(image: Image, *, levels: Annotated[int, Range(2, 64)] = 4) -> Image:
    """Reduce an image to a few grey levels.

    Makes flat areas out of gradual shades, for posters and for seeing isophotes.

    Parameters
    ----------
    image
        Image of any real type.
    levels
        Number of steps a span of 256 grey values is cut into.
    """
    step = 256 / levels
    return (np.floor(image.astype(np.float64) / step) * step).astype(image.dtype)
