"""Cut an object out of an image by its label."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np

from napari_lightbox.contract import Pointwise, Unit, technique
from napari_lightbox.contract.roles import Image, Labels
from napari_lightbox.errors import ParameterError
from napari_lightbox.kernels.cutout import cut_out
from napari_lightbox.kernels.rounding import to_dtype


@technique(
    "mask_cutout",
    title="Cut out object with mask",
    locality=Pointwise(),
    channels="rgb",
    synonyms=("apply mask", "crop to label", "multiply by mask"),
)
def mask_cutout(
    image: Image,
    labels: Labels,
    *,
    ids: tuple[int, ...] = (),
    invert: bool = False,
    fill: Annotated[float, Unit("intensity")] = 0.0,
) -> Image:
    """Keep the image where a label lies and fill the rest.

    Isolates one or several segmented objects for display, measurement or training crops. The grey values kept are
    untouched.

    Parameters
    ----------
    image
        Image (y, x) or (z, y, x), any real type; every channel is cut in the same way.
    labels
        Labels or a mask on the same grid.
    ids
        Label ids to keep; none listed means every id other than 0.
    invert
        Keep everything but these ids.
    fill
        Grey value of what is cut away, in every channel. nan makes it transparent in a float image.

    Returns
    -------
    image
        Same shape and type.

    Raises
    ------
    ParameterError
        The fill value does not fit the image's type.

    References
    ----------
    ``numpy.where(labels > 0, image, fill)``; with fill 0 this is the product of image and mask.
    """
    value = _fitting(fill, image.dtype)
    if len(ids) == 1:
        return cut_out(image, labels, ids[0], not invert, value)
    if ids:
        return cut_out(image, np.isin(labels, ids).view(np.uint8), 1, not invert, value)
    return cut_out(image, labels.view(np.uint8) if labels.dtype == bool else labels, 0, invert, value)


def _fitting(fill: float, dtype: np.dtype[Any]) -> Any:
    """Return the fill value in the image's type."""
    if dtype.kind == "f":
        return dtype.type(fill)
    if not np.isfinite(fill) or to_dtype(np.array(fill, np.float64), dtype) != fill:
        raise ParameterError("fill", f"{fill} does not fit {dtype}", "Give a value that the image's type holds")
    return dtype.type(fill)
