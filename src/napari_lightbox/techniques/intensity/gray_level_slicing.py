"""Gray-level slicing."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.contract import Pointwise, Unit, technique
from napari_lightbox.contract.roles import Image, Labels
from napari_lightbox.errors import ParameterError
from napari_lightbox.kernels.comparison import within
from napari_lightbox.kernels.levels import all_levels, has_few_levels, look_up
from napari_lightbox.kernels.rounding import to_dtype


class SliceResult(NamedTuple):
    """The sliced image and where the slice lies."""

    image: Image
    mask: Labels


@technique(
    "gray_level_slicing",
    title="Gray-level slicing",
    locality=Pointwise(),
    synonyms=("intensity slicing", "highlight a range", "band-pass on intensity"),
)
def gray_level_slicing(
    image: Image,
    *,
    lower: Annotated[float, Unit("intensity")] = 90.0,
    upper: Annotated[float, Unit("intensity")] = 255.0,
    highlight: Annotated[float, Unit("intensity")] = 255.0,
    background: Literal["zero", "keep"] = "zero",
) -> SliceResult:
    """Highlight one range of intensities.

    Pixels from the lower to the upper limit get the highlight value; all others become 0 or stay as they are. Use it to show
    where a tissue or a stain lies; the mask drives later steps.

    Parameters
    ----------
    image
        Image of any dimension, any real type.
    lower, upper
        Limits of the range, both inclusive, in the image's own units.
    highlight
        Value of the pixels in the range: the largest of the type to brighten them, 0 to darken them.
    background
        What becomes of the other pixels: zero or keep.

    Returns
    -------
    image
        Same type as the input.
    mask
        1 in the range, else 0.

    Raises
    ------
    ParameterError
        The lower limit is above the upper one, or the type cannot hold the highlight value.

    Notes
    -----
    NaN lies outside the range: it becomes 0, or stays with "keep".

    References
    ----------
    Gonzalez and Woods, Digital Image Processing, intensity-level slicing; equal to ``numpy.where``.
    """
    if lower > upper:
        raise ParameterError("lower", f"{lower} is above the upper limit {upper}", "Exchange the limits")
    value = to_dtype(np.array(highlight), image.dtype)
    if image.dtype.kind in "iu" and float(value) != highlight:
        limits = np.iinfo(image.dtype)
        raise ParameterError(
            "highlight", f"{highlight} does not fit {image.dtype}", f"Give a whole number from {limits.min} to {limits.max}"
        )
    mask = within(image, lower, upper)
    if not has_few_levels(image.dtype):
        return SliceResult(_replaced(image, mask, value, background == "keep"), mask)
    levels = all_levels(image.dtype).astype(image.dtype)
    return SliceResult(look_up(image, _replaced(levels, within(levels, lower, upper), value, background == "keep")), mask)


def _replaced(values: NDArray[Any], mask: NDArray[np.int32], highlight: NDArray[Any], keep: bool) -> NDArray[Any]:
    return np.where(mask != 0, highlight, values if keep else values.dtype.type(0))
