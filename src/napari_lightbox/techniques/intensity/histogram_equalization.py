"""Histogram equalisation."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.contract import Advanced, GlobalThenPointwise, Range, Statistic, floating, technique
from napari_lightbox.contract.locality import Parameters
from napari_lightbox.contract.roles import Image, Mask
from napari_lightbox.kernels.histogram import Histogram, histogram_passes
from napari_lightbox.kernels.tone_curve import apply_curve

Curve = tuple[NDArray[np.float64], NDArray[np.float64]]


def _finish(histogram: Histogram, parameters: Parameters) -> Curve:
    histogram = histogram.trimmed()
    if histogram.total == 0:
        return np.zeros(1), np.zeros(1)
    return histogram.values.astype(np.float64), np.cumsum(histogram.counts) / histogram.total


@technique(
    "histogram_equalization",
    title="Histogram equalisation",
    locality=GlobalThenPointwise(histogram_passes("bins"), _finish),
    channels="luminance",
    dtype="float",
    synonyms=("equalize histogram", "global contrast"),
)
def histogram_equalization(
    image: Image,
    mask: Mask | None = None,
    *,
    statistic: Statistic,
    bins: Annotated[int, Range(2, 65536)] = 256,
    scope: Annotated[Literal["element", "layer", "plane"], Advanced()] = "element",
) -> Image:
    """Spread intensities so that all of them occur equally often.

    Each intensity becomes the share of pixels that are as dark or darker. Brings out detail in large areas of similar
    brightness, such as an X-ray, and changes the proportions between intensities: not for measuring. CLAHE does the same region
    by region with a limit on the noise it lifts.

    Parameters
    ----------
    image
        Image (y, x) or (z, y, x), any real type. Colour pictures are equalised in their HSV value.
    mask
        Pixels whose histogram counts; the whole image is mapped.
    bins
        Number of bins for floats and for integers that span more than 65536 levels; others are counted level by level.
    scope
        What shares one histogram: each volume or frame (element), all of a channel (layer), or each plane (plane).

    Returns
    -------
    image
        Float image from above 0 to 1; float32, or float64 for types of 32 bits and more.

    Notes
    -----
    The map rises with the intensity. NaN and infinities are not counted; NaN stays NaN. A constant image becomes 1; without any
    pixel to count all pixels become 0. Images with few levels stay stepped: equal intensities stay equal.

    References
    ----------
    scikit-image ``equalize_hist``.
    """
    values, shares = statistic
    return apply_curve(image, values, shares, floating(image.dtype))
