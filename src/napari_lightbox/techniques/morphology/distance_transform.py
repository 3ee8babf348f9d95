"""Distance transform."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.contract import Advanced, Dtype, ExtraAxis, OnlyIf, Spacing, VisibleIf, Volume, technique
from napari_lightbox.contract.locality import Parameters
from napari_lightbox.contract.roles import Image, Labels
from napari_lightbox.errors import ParameterError
from napari_lightbox.kernels.distance import distance_to_background


class Distances(NamedTuple):
    """Distance and, when asked for, the index of the pixel it leads to."""

    distance: Annotated[Image, Dtype("float32")]
    nearest: Annotated[Image | None, OnlyIf("nearest"), ExtraAxis("i"), Dtype("int32")]


def _check(p: Parameters, ndim: int) -> None:
    if not p["metric"].startswith("opencv"):
        return
    if ndim != 2:
        raise ParameterError("metric", f"{p['metric']!r} knows planes only", "Choose 'euclidean', or run plane by plane")
    if p["per_label"] or p["nearest"]:
        raise ParameterError("metric", f"{p['metric']!r} knows neither label borders nor indices", "Choose 'euclidean'")


@technique(
    "distance_transform",
    title="Distance transform",
    locality=Volume(),
    synonyms=("distance map", "EDT", "local thickness", "signed distance"),
    check=_check,
)
def distance_transform(
    mask: Labels,
    *,
    metric: Literal["euclidean", "chessboard", "cityblock", "opencv_3", "opencv_5"] = "euclidean",
    unit: Annotated[Literal["px", "physical"], VisibleIf("metric", "euclidean", "chessboard", "cityblock")] = "physical",
    signed: bool = False,
    per_label: bool = False,
    nearest: Annotated[bool, Advanced()] = False,
    spacing: Spacing = (1.0, 1.0, 1.0),
) -> Distances:
    """Measure how far every foreground pixel is from the nearest background pixel.

    The ridges of the result are the centre lines of objects and their values half the thickness; its peaks are the
    usual seeds to part touching objects with a watershed.

    Parameters
    ----------
    mask
        Mask or label image (y, x) or (z, y, x); every label above or below 0 is foreground.
    metric
        euclidean, chessboard (longest step) and cityblock (sum of the steps) are exact; opencv_3 and opencv_5 are
        OpenCV's approximations from 3 x 3 and 5 x 5 neighbourhoods, the latter within 2 % of euclidean (planes and pixel
        units only).
    unit
        Whether distances are in the layer's physical units, with unequal voxel sides, or in pixels.
    signed
        Give background pixels minus their distance to the nearest foreground pixel instead of 0.
    per_label
        Count pixels of other labels as background too, so that every touching object gets its own distances.
    nearest
        Also return where the nearest background pixel is.

    Returns
    -------
    distance
        float32; infinite where there is no background at all (with signed, minus infinite without foreground).
    nearest
        Index (z, y, x) of the nearest background pixel as int32 along a leading axis; -1 without any. With signed, that
        of the nearest foreground pixel on the background.

    Raises
    ------
    ParameterError
        An OpenCV approximation asked for a volume, for label borders or for indices.

    Notes
    -----
    Distances run between pixel centres: the outermost foreground pixels are at distance 1. Pixels outside the image are
    no background. Of several nearest background pixels any one may be returned.

    References
    ----------
    P. Felzenszwalb, D. Huttenlocher, "Distance transforms of sampled functions", https://doi.org/10.4086/toc.2012.v008a019;
    A. Meijster, J. Roerdink, W. Hesselink, "A general algorithm for computing distance transforms in linear time",
    https://doi.org/10.1007/0-306-47025-X_36; scipy.ndimage ``distance_transform_edt`` and ``distance_transform_cdt``;
    OpenCV ``distanceTransform``.
    """
    _check({"metric": metric, "per_label": per_label, "nearest": nearest}, mask.ndim)
    step = (1.0,) * mask.ndim if unit == "px" else tuple(spacing)[-mask.ndim :]
    foreground = mask if mask.dtype == bool else mask != 0
    inside, index = _distance(mask if per_label else foreground, step, metric, nearest)
    if signed:
        outside, outer_index = _distance(~foreground, step, metric, nearest)
        inside = np.where(foreground, inside, -outside)
        if index is not None:
            index = np.where(foreground, index, outer_index)
    return Distances(inside, index)


def _distance(values: NDArray[Any], step: tuple[float, ...], metric: Any, places: bool) -> tuple[NDArray[Any], Any]:
    if not metric.startswith("opencv"):
        return distance_to_background(values, step, metric, places=places)
    import cv2

    if values.all():
        return np.full(values.shape, np.inf, np.float32), None
    size = cv2.DIST_MASK_3 if metric == "opencv_3" else cv2.DIST_MASK_5
    return np.asarray(cv2.distanceTransform(np.ascontiguousarray(values).view(np.uint8), cv2.DIST_L2, size)), None
