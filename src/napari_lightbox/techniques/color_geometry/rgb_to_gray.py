"""RGB to grayscale."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np

from napari_lightbox.contract import Channels, Pointwise, floating, technique
from napari_lightbox.contract.roles import Image
from napari_lightbox.kernels.colour_matrix import check_colour, mixed

_WEIGHTS = {"rec709": (0.2125, 0.7154, 0.0721), "rec601": (0.299, 0.587, 0.114)}


@technique(
    "rgb_to_gray",
    title="RGB to grayscale",
    locality=Pointwise(),
    spatial=(2,),
    channels="rgb",
    dtype="float",
    synonyms=("grayscale", "luminance", "luma", "rgb2gray"),
)
def rgb_to_gray(image: Image, *, weights: Literal["rec709", "rec601"] = "rec709") -> Annotated[Image, Channels("drop")]:
    """Weigh red, green and blue into one brightness.

    Most filters, thresholds and detectors want a single channel. Green counts most, as it does for the eye.

    Parameters
    ----------
    image
        Colour image (y, x, c) with three channels, or four with alpha; a gray image passes through.
    weights
        rec709: 0.2125, 0.7154, 0.0721, as scikit-image (modern displays); rec601: 0.299, 0.587, 0.114, as OpenCV (older video).

    Returns
    -------
    image
        Float image in the units of the input: white is 255 for 8 bits, 1 for floats. float32, float64 from 32 bits on.

    Raises
    ------
    InputError
        A number of channels other than three or four.

    Notes
    -----
    Alpha is blended on white, taken as the largest value of integer types and as 1 of floats.

    References
    ----------
    scikit-image ``color.rgb2gray``, OpenCV ``COLOR_RGB2GRAY``; equal to rounding. ITU-R BT.709 and BT.601.
    """
    if image.ndim == 2:
        return image.astype(floating(image.dtype))
    check_colour(image, (3, 4))
    return mixed(image, np.array([_WEIGHTS[weights]]), np.zeros(1), floating(image.dtype))[..., 0]
