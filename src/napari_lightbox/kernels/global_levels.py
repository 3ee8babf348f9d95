"""One level that splits a histogram in two."""

from __future__ import annotations

from math import log, nan

import numpy as np

from napari_lightbox.errors import ParameterError
from napari_lightbox.kernels.histogram import Histogram


def otsu_level(histogram: Histogram) -> float:
    """Return the level or bin centre that maximises the variance between the two classes.

    The only level there is for a constant image, NaN when nothing was counted.
    """
    histogram = histogram.trimmed()
    values, counts = histogram.values, histogram.counts
    if len(values) < 2:
        return float(values[0]) if len(values) else nan
    if histogram.edges is None:
        from napari_lightbox.kernels.otsu_compiled import best_split

        # counted from the first, so that sums of large integers stay exact
        offsets = values - values[0]
        return float(values[best_split(offsets.astype(np.float64 if offsets.dtype.kind == "f" else np.int64), counts)])
    moments = counts * values
    weight, moment = np.cumsum(counts), np.cumsum(moments)
    # added from both ends, as scikit-image does
    apart = moment[:-1] / weight[:-1] - np.cumsum(moments[::-1])[-2::-1] / (weight[-1] - weight[:-1])
    between = weight[:-1] * (weight[-1] - weight[:-1]).astype(np.float64) * apart**2
    return float(values[np.argmax(between)])


def li_level(histogram: Histogram, guess: float | None = None, tolerance: float | None = None) -> float:
    """Return the level of least cross-entropy between the image and its two-mean version.

    Parameters
    ----------
    histogram
        Exact levels, or bins that are narrow against the contrast sought.
    guess
        Level the iteration starts at; the mean when None.
    tolerance
        Step below which the iteration stops; half a level or bin when None.

    Raises
    ------
    ParameterError
        The guess lies outside the range of the values.
    """
    histogram = histogram.trimmed()
    if len(histogram.values) < 2:
        return float(histogram.values[0]) if len(histogram.values) else nan
    low = float(histogram.values[0] if histogram.edges is None else histogram.edges[0])
    values, counts = histogram.values.astype(np.float64) - low, histogram.counts
    step = tolerance or 0.5 * float(values[1] - values[0])
    level = float(np.average(values, weights=counts)) if guess is None else guess - low
    if not 0 < level < values[-1]:
        raise ParameterError(
            "initial_guess", f"{guess} is outside the image", f"Give a value between {low} and {low + values[-1]}"
        )
    cumulated = np.cumsum(counts)
    moments = np.cumsum(counts * values)
    previous = -2 * step
    while abs(level - previous) > step:
        previous = level
        k = int(np.searchsorted(values, level, side="right"))
        if moments[k - 1] == 0 or cumulated[k - 1] == cumulated[-1]:
            break
        back = moments[k - 1] / cumulated[k - 1]
        fore = (moments[-1] - moments[k - 1]) / (cumulated[-1] - cumulated[k - 1])
        level = (back - fore) / (log(back) - log(fore))
    return low + float(level)
