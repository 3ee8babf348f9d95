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

# OpenCV adds up to 1.9 grey levels to every filled pixel, whatever the range of the image: floats are first spread over
# 2 ** 20 levels, where that is nothing
_STEPS = 20


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
    uint8 and uint16 are OpenCV's results bit for bit, including its error of up to two grey levels; int8 and int16 are
    shifted to unsigned and back; the remaining types are spread over 2^20 levels and filled in single precision, so that
    an image in 0 ... 1 is filled as well as one in 0 ... 255. Volumes and videos are filled plane by plane.

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
    """Fill planes; three colours at once only in 8 bits, which is all that OpenCV takes."""
    import cv2

    if data.ndim == 3 and (data.dtype != np.uint8 or data.shape[-1] != 3):
        return np.stack([_filled(data[..., c], hole, radius) for c in range(data.shape[-1])], axis=-1)
    if data.dtype.name in ("uint8", "uint16"):
        return np.asarray(cv2.inpaint(np.ascontiguousarray(data), hole, radius, cv2.INPAINT_TELEA))
    known = data[(hole == 0) & np.isfinite(data)].astype(np.float64)
    low, spread = known.min(initial=np.inf), np.ptp(known) if known.size else 0.0
    if not spread:
        return np.full(data.shape, low if known.size else np.nan)
    scale = np.exp2(_STEPS - np.ceil(np.log2(spread)))
    scaled = ((data.astype(np.float64) - low) * scale).astype(np.float32)
    filled = np.asarray(cv2.inpaint(scaled, hole, radius, cv2.INPAINT_TELEA))
    return np.asarray(filled.astype(np.float64) / scale + low)
