"""Negative of an image or mask."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from napari_lightbox.contract import Advanced, IsLabels, Pointwise, technique
from napari_lightbox.contract.roles import ImageOrLabels


@technique(
    "invert_intensity",
    title="Invert (negative)",
    locality=Pointwise(),
    synonyms=("negative", "complement", "NOT"),
)
def invert_intensity(
    image: ImageOrLabels,
    *,
    signed_float: Annotated[bool, Advanced()] = False,
    is_labels: IsLabels = False,
) -> ImageOrLabels:
    """Turn bright into dark.

    Use it to make dark structures bright for steps that look for bright ones, to read a negative, or to swap the foreground
    and background of a mask.

    Parameters
    ----------
    image
        Image or labels of any dimension.
    signed_float
        Negate floats (-v) in place of 1 - v; for floats that lie around zero.

    Returns
    -------
    image
        Same type. Unsigned integers: largest value - v; signed integers: -1 - v; bool: not v; floats: 1 - v. Labels: 1 on the
        background, 0 on every object.

    Notes
    -----
    Twice is the identity, bit for bit, on integers and bool. Floats are taken to lie in 0 to 1 and are not rescaled.

    References
    ----------
    scikit-image ``util.invert``, equal on images.
    """
    if is_labels:
        return np.asarray(image == 0).astype(image.dtype)
    if image.dtype.kind == "f":
        return np.asarray(-image if signed_float else image.dtype.type(1) - image)
    return np.invert(image)
