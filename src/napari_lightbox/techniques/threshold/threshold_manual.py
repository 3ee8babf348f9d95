"""Manual threshold."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from napari_lightbox.contract import Extent, Halo, Range, Unit, technique
from napari_lightbox.contract.locality import Parameters
from napari_lightbox.contract.roles import Image, Labels
from napari_lightbox.kernels.comparison import above
from napari_lightbox.kernels.label import label


def _radius(p: Parameters, extent: Extent) -> int:
    # an object of at least n pixels has n of them within n - 1 steps of each of its pixels: no further look is needed
    return max(int(p["minimum_size"]) - 1, 0)


@technique(
    "threshold_manual",
    title="Manual threshold",
    locality=Halo(_radius),
    synonyms=("global threshold", "binarise", "probability to mask", "binary"),
)
def threshold_manual(
    image: Image,
    *,
    threshold: Annotated[float, Unit("intensity")] = 0.5,
    invert: bool = False,
    minimum_size: Annotated[int, Range(0, 1000), Unit("px")] = 0,
) -> Labels:
    """Mark the pixels above a level you choose.

    Use it when the level means something, such as a calibrated intensity, or to turn a probability map into a mask: the
    default of 0.5 does that.

    Parameters
    ----------
    image
        Image of any dimension, any real type.
    threshold
        Level in the image's own units. A pixel exactly at the level is not foreground.
    invert
        Mark the pixels at or below the level instead: the exact complement.
    minimum_size
        Objects of fewer pixels are dropped; pixels that touch along an axis belong to one object. 0 and 1 keep all.
        The larger the size, the wider the neighbourhood that a part of the image needs.

    Returns
    -------
    labels
        1 in the foreground, else 0.

    Notes
    -----
    Floats are compared at the image's own precision, as NumPy does. NaN is foreground in neither direction.

    References
    ----------
    NumPy ``image > threshold``; at 0.5 equal to ``torch.round`` on probabilities.
    """
    mask = above(image, threshold, invert)
    if minimum_size <= 1:
        return mask
    objects, count = label(mask != 0)
    large = np.bincount(objects.reshape(-1), minlength=count + 1) >= minimum_size
    large[0] = False
    return large[objects].astype(mask.dtype)
