"""Manual threshold."""

from __future__ import annotations

from typing import Annotated

from napari_lightbox.contract import Pointwise, Unit, technique
from napari_lightbox.contract.roles import Image, Labels
from napari_lightbox.kernels.comparison import above


@technique(
    "threshold_manual",
    title="Manual threshold",
    locality=Pointwise(),
    synonyms=("global threshold", "binarise", "probability to mask", "binary"),
)
def threshold_manual(
    image: Image,
    *,
    threshold: Annotated[float, Unit("intensity")] = 0.5,
    invert: bool = False,
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

    Returns
    -------
    labels
        1 in the foreground, else 0.

    Notes
    -----
    Floats are compared at the image's own precision, as NumPy does. NaN is foreground in neither direction. To drop small
    objects, run ``remove_small_objects`` on the result: it must see whole objects, while this step stays lazy pixel by pixel.

    References
    ----------
    NumPy ``image > threshold``; at 0.5 equal to ``torch.round`` on probabilities.
    """
    return above(image, threshold, invert)
