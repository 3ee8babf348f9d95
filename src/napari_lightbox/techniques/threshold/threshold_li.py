"""Li's minimum cross-entropy threshold."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from napari_lightbox.contract import Advanced, GlobalThenPointwise, Range, Statistic, Unit, technique
from napari_lightbox.contract.locality import Parameters
from napari_lightbox.contract.roles import Image, Labels, Mask, Value
from napari_lightbox.kernels.comparison import split_at
from napari_lightbox.kernels.global_levels import li_level
from napari_lightbox.kernels.histogram import LEVELS, Histogram, histogram_passes


class LiResult(NamedTuple):
    """Foreground and the level that made it."""

    labels: Labels
    threshold: Value


def _finish(histogram: Histogram, parameters: Parameters) -> float:
    return li_level(histogram, parameters["initial_guess"], parameters["tolerance"])


@technique(
    "threshold_li",
    title="Li threshold (minimum cross-entropy)",
    locality=GlobalThenPointwise(histogram_passes(LEVELS), _finish),
    synonyms=("minimum cross-entropy", "automatic threshold"),
)
def threshold_li(
    image: Image,
    mask: Mask | None = None,
    *,
    statistic: Statistic,
    invert: bool = False,
    ignore_zeros: bool = False,
    scope: Literal["element", "layer", "plane"] = "element",
    initial_guess: Annotated[float | None, Unit("intensity"), Advanced()] = None,
    tolerance: Annotated[float | None, Range(0), Unit("intensity"), Advanced()] = None,
) -> LiResult:
    """Split an image in two at the level of minimum cross-entropy.

    Iterates t = (b - f) / (ln b - ln f), with b and f the mean below and above t, until t rests; this minimises the
    cross-entropy between the image and its two-mean version. Use it for small or faint foreground, such as fluorescent
    cells, where Otsu's threshold comes out too high.

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
    initial_guess
        Level to start from; the mean of the image when empty. Matters when the histogram has more than two peaks.
    tolerance
        Step below which the iteration stops; half a level for integers and half a bin for floats when empty.

    Returns
    -------
    labels
        1 where the image is above the threshold, else 0.
    threshold
        The level, in the image's own units.

    Raises
    ------
    ParameterError
        The initial guess lies outside the image's range.

    Notes
    -----
    Intensities are shifted so that the smallest is 0, as in scikit-image, so the result moves with the image. Integers that
    span at most 65536 levels are counted exactly and give scikit-image's value; floats are counted in 65536 bins, which moves
    the threshold by less than 1/1000 of the range for images with continuous values. NaN and infinities are not counted and
    NaN is never foreground. A constant image gives its own value and no foreground; without any pixel to count the threshold
    is NaN and there is no foreground.

    References
    ----------
    Li and Tam (1998), Pattern Recognition Letters 19(8): 771-776, doi:10.1016/S0167-8655(98)00057-9;
    scikit-image ``threshold_li``.
    """
    return LiResult(split_at(image, mask, statistic, invert), statistic)
