"""Inpainting by fast marching."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.contract import Plane, Range, Unit, technique
from napari_lightbox.contract.roles import Image, Mask
from napari_lightbox.errors import InputError
from napari_lightbox.kernels.rounding import to_dtype

# distance of a signed type's lowest value from 0: added, the type reads as the unsigned one of its width
_SHIFTED = {"int8": (128, "uint8"), "int16": (32768, "uint16")}


@technique(
    "inpaint_telea",
    title="Inpaint (Telea)",
    locality=Plane(),
    spatial=(2,),
    channels="rgb",
    synonyms=("fill scratches", "remove object", "fast marching inpainting", "retouch"),
)
def inpaint_telea(
    image: Image,
    mask: Mask,
    *,
    radius: Annotated[float, Range(1, 100, 1), Unit("px")] = 3.0,
) -> Image:
    """Fill the masked pixels from their border inwards, each by a weighted mean of what is known around it.

    Fast, and good for scratches, text, dead pixels and other thin damage. Large holes come out smooth and may show
    streaks; `inpaint_biharmonic` continues gradients better but takes longer.

    Parameters
    ----------
    image
        Image (y, x), gray or colour, any real type.
    mask
        Pixels to fill.
    radius
        How far around a pixel known pixels count.

    Returns
    -------
    image
        Same shape and type; pixels outside the mask are the input's, bit for bit.

    Raises
    ------
    InputError
        The mask covers a whole plane.

    Notes
    -----
    uint8, uint16 and float32 are OpenCV's results; int8 and int16 are shifted to unsigned and back; the remaining types
    are filled in single precision. Volumes and videos are filled plane by plane.

    References
    ----------
    A. Telea, "An image inpainting technique based on the fast marching method",
    https://doi.org/10.1080/10867651.2004.10487596; OpenCV ``inpaint`` (INPAINT_TELEA).
    """
    if not mask.any():
        return image.copy()
    if mask.all():
        raise InputError("mask", "covers a whole plane, so that nothing is known there", "Leave some pixels unmasked")
    shift, name = _SHIFTED.get(image.dtype.name, (0, image.dtype.name))
    data = (image.astype(np.int32) + shift).astype(name) if shift else image
    filled = _filled(data, np.ascontiguousarray(mask).view(np.uint8), radius)
    if shift:
        filled = (filled.astype(np.int32) - shift).astype(image.dtype)
    hole = mask if image.ndim == mask.ndim else mask[..., None]
    return np.where(hole, to_dtype(filled, image.dtype), image)


def _filled(data: NDArray[Any], hole: NDArray[np.uint8], radius: float) -> NDArray[Any]:
    """Fill planes of a type that OpenCV knows; three colours at once only in 8 bits."""
    import cv2

    if data.dtype.name not in ("uint8", "uint16", "float32"):
        data = data.astype(np.float32)
    if data.ndim == 2 or (data.dtype == np.uint8 and data.shape[-1] == 3):
        return np.asarray(cv2.inpaint(np.ascontiguousarray(data), hole, radius, cv2.INPAINT_TELEA))
    return np.stack([_filled(data[..., c], hole, radius) for c in range(data.shape[-1])], axis=-1)
