"""Threshold between two limits."""

from __future__ import annotations

from typing import Annotated

from napari_lightbox.contract import Pointwise, Range, Unit, technique
from napari_lightbox.contract.roles import Image, Labels
from napari_lightbox.errors import ParameterError
from napari_lightbox.kernels.comparison import within


@technique(
    "threshold_band",
    title="Threshold between limits",
    locality=Pointwise(),
    synonyms=("binary threshold", "intensity window", "double threshold"),
)
def threshold_band(
    image: Image,
    *,
    lower: Annotated[float, Unit("intensity")] = 0.0,
    upper: Annotated[float, Unit("intensity")] = 255.0,
    inside: Annotated[int, Range(-(2**31), 2**31 - 1)] = 1,
    outside: Annotated[int, Range(-(2**31), 2**31 - 1)] = 0,
) -> Labels:
    """Mark the pixels whose intensity lies between two limits.

    Use it for structures that are neither the darkest nor the brightest, such as one tissue in a CT.

    Parameters
    ----------
    image
        Image of any dimension, any real type.
    lower, upper
        Smallest and largest intensity of the band, both inclusive.
    inside
        Label of pixels in the band.
    outside
        Label of all others.

    Returns
    -------
    labels
        `inside` where lower <= image <= upper, else `outside`.

    Raises
    ------
    ParameterError
        The lower limit is above the upper one.

    Notes
    -----
    Floats are compared at the image's own precision, as NumPy does. NaN lies outside.

    References
    ----------
    SimpleITK ``BinaryThreshold``.
    """
    if lower > upper:
        raise ParameterError("lower", f"{lower} is above the upper limit {upper}", "Exchange the limits")
    return within(image, lower, upper, inside, outside)
