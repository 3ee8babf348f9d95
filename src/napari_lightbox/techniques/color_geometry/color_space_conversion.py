"""Convert between RGB and luminance-chrominance spaces."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.contract import Channels, OnlyIf, Pointwise, VisibleIf, floating, technique
from napari_lightbox.contract.locality import Parameters
from napari_lightbox.contract.roles import Image
from napari_lightbox.kernels.colour_matrix import check_colour, lab_to_rgb, mixed, rgb_to_lab, white_of

_LUMA = np.array([0.299, 0.587, 0.114])
_BLUE, _RED = np.array([0.0, 0.0, 1.0]), np.array([1.0, 0.0, 0.0])
_JFIF = np.array([_LUMA, (_BLUE - _LUMA) * 0.5 / (1 - 0.114), (_RED - _LUMA) * 0.5 / (1 - 0.299)])
_YUV = np.array([_LUMA, (_BLUE - _LUMA) * 0.492, (_RED - _LUMA) * 0.877])
_STUDIO = np.array([[65.481, 128.553, 24.966], [-37.797, -74.203, 112.0], [112.0, -93.786, -18.214]])
_STUDIO_ZERO = np.array([16.0, 128.0, 128.0])


class Converted(NamedTuple):
    """The converted picture and, when split, its three channels."""

    image: Annotated[Image, Channels(3)]
    first: Annotated[Image, Channels("drop"), OnlyIf("split")]
    second: Annotated[Image, Channels("drop"), OnlyIf("split")]
    third: Annotated[Image, Channels("drop"), OnlyIf("split")]


def _dtype(dtype: Any, p: Parameters) -> Any:
    return dtype if p["space"] != "lab" and p["rounding"] and np.dtype(dtype).kind in "iu" else floating(dtype)


def _affine(space: str, levels: str, dtype: np.dtype[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return matrix and offset from RGB in the units of `dtype`."""
    white = white_of(dtype)
    middle = (white + 1) / 2 if dtype.kind in "iu" else 0.5
    if space == "ycbcr" and levels == "studio":
        unit = (white + 1) / 256 if dtype.kind in "iu" else 1.0
        return _STUDIO * unit / white, _STUDIO_ZERO * unit
    return _JFIF if space == "ycbcr" else _YUV, np.array([0.0, middle, middle])


@technique(
    "color_space_conversion",
    title="Convert colour space",
    locality=Pointwise(),
    spatial=(2,),
    channels="rgb",
    dtype=_dtype,
    synonyms=("YCbCr", "YUV", "Lab", "CIELAB", "rgb2lab", "split channels"),
)
def color_space_conversion(
    image: Image,
    *,
    space: Literal["ycbcr", "yuv", "lab"] = "ycbcr",
    direction: Literal["from_rgb", "to_rgb"] = "from_rgb",
    levels: Annotated[Literal["full", "studio"], VisibleIf("space", "ycbcr")] = "full",
    rounding: Annotated[bool, VisibleIf("space", "ycbcr", "yuv")] = True,
    split: bool = False,
) -> Converted:
    """Convert RGB to one brightness and two colour channels, or back.

    Filters on brightness alone keep hues; distances in Lab follow the eye; skin and stains separate well in chroma.

    Parameters
    ----------
    image
        Colour image (y, x, c): RGB with or without alpha, or three channels of the space when going back to RGB.
    space
        ycbcr (JPEG, television), yuv (OpenCV's), lab (CIE L*a*b* under D65).
    direction
        from_rgb or to_rgb.
    levels
        Of YCbCr: full uses the whole range (JFIF), studio keeps Y in 16 to 235 and chroma in 16 to 240 of 256 (BT.601,
        as scikit-image).
    rounding
        Round to the integer type of the image; else the result is float.
    split
        Also give the three channels as images of their own.

    Returns
    -------
    image
        Three channels in the order of the name: Y, Cb, Cr (OpenCV has Cr before Cb); Y, U, V; L, a, b; or R, G, B.
    first, second, third
        The channels one by one; None unless split.

    Raises
    ------
    InputError
        The image has no colour axis or a wrong number of channels.

    Notes
    -----
    White is the largest value of integer types and 1 of floats. Neutral chroma is 128 for 8 bits, half the range for other
    integers, 0.5 for floats, 0 in Lab. Studio levels of float images are on the scale of 8 bits, those of 16 bits 256 times
    higher. Lab is always float, computed in float64: L 0 to 100, RGB from Lab 0 to 1, colours outside sRGB are clipped.
    Alpha is blended on white.

    References
    ----------
    JFIF 1.02 (ITU-T T.871); OpenCV ``COLOR_RGB2YCrCb`` and ``COLOR_RGB2YUV``, equal within one level; scikit-image
    ``rgb2ycbcr`` and ``rgb2lab``, equal to rounding. CIE 15:2004; IEC 61966-2-1.
    """
    check_colour(image, (3, 4) if direction == "from_rgb" else (3,))
    dtype = np.dtype(_dtype(image.dtype, {"space": space, "rounding": rounding}))
    if space == "lab":
        result = rgb_to_lab(image) if direction == "from_rgb" else lab_to_rgb(image)
    else:
        matrix, offset = _affine(space, levels, image.dtype)
        if direction == "to_rgb":
            matrix = np.linalg.inv(matrix)
            offset = -matrix @ offset
        result = mixed(image, matrix, offset, dtype)
    if not split:
        return Converted(result, None, None, None)  # type: ignore[arg-type]
    first, second, third = (np.ascontiguousarray(result[..., c]) for c in range(3))
    return Converted(result, first, second, third)
