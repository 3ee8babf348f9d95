"""Contrast-limited adaptive histogram equalisation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.contract import Advanced, PerAxis, Range, Unit, VisibleIf, Volume, floating, per_axis, technique
from napari_lightbox.contract.roles import Image
from napari_lightbox.errors import InputError
from napari_lightbox.kernels.adaptive_equalization import equalize_adaptively
from napari_lightbox.kernels.missing import all_finite


def _dtype(dtype: Any, parameters: Mapping[str, Any]) -> Any:
    return floating(dtype) if parameters["backend"] == "skimage" else dtype


@technique(
    "clahe",
    title="CLAHE (local contrast)",
    locality=Volume(),
    channels="luminance",
    dtype=_dtype,
    synonyms=("contrast limited adaptive histogram equalization", "equalize_adapthist", "local contrast"),
)
def clahe(
    image: Image,
    *,
    clip_limit: Annotated[float, Range(0, 1, 0.005), Unit("fraction")] = 0.01,
    kernel_size: Annotated[int | tuple[int, ...] | None, PerAxis(), Range(1, 100000), Unit("px")] = None,
    bins: Annotated[int, Range(2, 16384), Advanced()] = 256,
    backend: Annotated[Literal["skimage", "opencv", "simpleitk"], Advanced()] = "skimage",
    alpha: Annotated[float, Range(0, 1, 0.05), VisibleIf("backend", "simpleitk"), Advanced()] = 0.3,
    beta: Annotated[float, Range(0, 1, 0.05), VisibleIf("backend", "simpleitk"), Advanced()] = 0.3,
) -> Image:
    """Bring out detail region by region, with a limit on the noise that is lifted.

    The image is cut into tiles; the histogram of each is clipped and equalised, and every pixel gets a mean of the maps of the
    nearest tiles. Use it for X-rays, microscopy and shaded photographs, to look at or to detect in, not to measure intensities.

    Parameters
    ----------
    image
        Image (y, x) or (z, y, x), any real type. Colour pictures are equalised in their HSV value.
    clip_limit
        Largest share of a tile's pixels in one bin, 0 to 1: more gives more contrast and more noise. 0 does not clip.
    kernel_size
        Size of a tile, one number or one per axis (z, y, x); an eighth of each side when empty.
    bins
        Number of gray bins.
    backend
        skimage equals scikit-image, in two and three dimensions and for all types. opencv is OpenCV's version for planes of
        8 or 16 bits; it has a bin per level. simpleitk slides a window of the size of a tile over the image and has alpha and
        beta instead of the limit; it is slow.
    alpha
        0 is histogram equalisation, 1 an unsharp mask.
    beta
        0 leaves the window's map as it is, 1 leaves the image as it is.

    Returns
    -------
    image
        skimage: float from 0 to 1 (float32, or float64 for types of 32 bits and more). opencv and simpleitk: type of the input.

    Raises
    ------
    InputError
        The opencv backend with another type or in three dimensions; the simpleitk backend with NaN or infinities.
    ParameterError
        A wrong number of values per axis.

    Notes
    -----
    Tiles start at the first pixel of the whole image and the last ones are filled by mirroring. Intensities between minimum and
    maximum are brought to 16384 grays first; floats in 0 to 1 go through 16 bits on the way, as in scikit-image. NaN counts as
    the darkest gray and stays NaN. A constant image becomes 0. One whole element (volume or frame) is held in memory.

    References
    ----------
    Zuiderveld (1994), Graphics Gems IV, 474-485; scikit-image ``equalize_adapthist``; OpenCV ``createCLAHE``;
    Stark (2000), IEEE Trans. Image Process. 9(5): 889-896, doi:10.1109/83.841534 for SimpleITK ``AdaptiveHistogramEqualization``.
    """
    if kernel_size is None:
        size = tuple(max(n // 8, 1) for n in image.shape)
    else:
        size = tuple(min(int(k), n) for k, n in zip(per_axis("kernel_size", kernel_size, image.ndim), image.shape, strict=True))
    if backend == "opencv":
        return _opencv(image, size, clip_limit)
    if backend == "simpleitk":
        return _simpleitk(image, size, alpha, beta)
    return equalize_adaptively(image, size, clip_limit, bins, floating(image.dtype))


def _opencv(image: NDArray[Any], size: tuple[int, ...], clip_limit: float) -> NDArray[Any]:
    import cv2

    if image.ndim != 2 or image.dtype not in (np.uint8, np.uint16):
        way_out = 'Use backend="skimage", or over="yx" to go plane by plane'
        raise InputError("image", f"is {image.dtype} with {image.ndim} axes; OpenCV takes planes of uint8 or uint16", way_out)
    tiles = [-(-n // k) for n, k in zip(image.shape, size, strict=True)]
    # OpenCV counts the limit in multiples of a flat histogram's bin
    levels = 1 << 8 * image.dtype.itemsize
    return np.asarray(cv2.createCLAHE(clip_limit * levels, (tiles[1], tiles[0])).apply(np.ascontiguousarray(image)))


def _simpleitk(image: NDArray[Any], size: tuple[int, ...], alpha: float, beta: float) -> NDArray[Any]:
    import SimpleITK as sitk

    if not all_finite(image):
        raise InputError("image", "holds NaN or infinities", 'Fill them first, or use backend="skimage"')
    radius = [k // 2 for k in reversed(size)]
    kind = np.uint8 if image.dtype.kind == "b" else np.float32 if image.dtype == np.float16 else image.dtype
    out = sitk.AdaptiveHistogramEqualization(sitk.GetImageFromArray(image.astype(kind)), radius, alpha, beta)
    return np.asarray(sitk.GetArrayFromImage(out)).astype(image.dtype)
