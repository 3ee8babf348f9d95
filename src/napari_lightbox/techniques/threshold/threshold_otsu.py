"""Otsu threshold."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from napari_lightbox.contract import Advanced, GlobalThenPointwise, Range, Statistic, technique
from napari_lightbox.contract.locality import Parameters
from napari_lightbox.contract.roles import Image, Labels, Mask, Value
from napari_lightbox.kernels.comparison import split_at
from napari_lightbox.kernels.global_levels import otsu_level
from napari_lightbox.kernels.histogram import Histogram, histogram_passes


class OtsuResult(NamedTuple):
    """Foreground and the level that made it."""

    labels: Labels
    threshold: Value


def _finish(histogram: Histogram, parameters: Parameters) -> float:
    return otsu_level(histogram)


@technique(
    "threshold_otsu",
    title="Otsu threshold",
    locality=GlobalThenPointwise(histogram_passes("bins"), _finish),
    synonyms=("automatic threshold", "binarise"),
)
def threshold_otsu(
    image: Image,
    mask: Mask | None = None,
    *,
    statistic: Statistic,
    invert: bool = False,
    ignore_zeros: bool = False,
    scope: Literal["element", "layer", "plane"] = "element",
    bins: Annotated[int, Range(2, 65536), Advanced()] = 256,
) -> OtsuResult:
    """Split an image in two at the level that separates dark from bright best.

    Takes the level that maximises the variance between the two classes (and so minimises the variance within them).
    Use it when the histogram has two peaks of similar weight; use Li's threshold when the foreground is small, a local
    threshold when the illumination is uneven.

    Parameters
    ----------
    image
        Image (y, x) or (z, y, x), any real type.
    mask
        Pixels that count; labels outside are 0.
    invert
        Take the dark side: 1 where the image is at or below the threshold.
    ignore_zeros
        Leave pixels that are exactly 0 out of the histogram, such as the padding of a scan.
    scope
        What shares one threshold: each volume or frame of each channel (element), all of a channel (layer), or each
        plane (plane).
    bins
        Number of bins for floats and for integers that span more than 65536 levels; others are counted level by level.

    Returns
    -------
    labels
        1 where the image is above the threshold, else 0.
    threshold
        The level, in the image's own units.

    Notes
    -----
    Integers give the level that scikit-image, OpenCV and ITK (256 bins on 8-bit images) agree on; for floats it is the centre
    of the winning bin as in scikit-image, half a bin below ITK's. NaN and infinities are not counted and NaN is never
    foreground. A constant image gives its own value and no foreground; without any pixel to count the threshold is NaN and
    there is no foreground.

    References
    ----------
    Otsu (1979), IEEE Trans. Syst. Man Cybern. 9(1): 62-66, doi:10.1109/TSMC.1979.4310076; scikit-image ``threshold_otsu``.
    """
    return OtsuResult(split_at(image, mask, statistic, invert), statistic)
