"""Adaptive threshold."""

from __future__ import annotations

from math import ceil, floor, prod
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.contract import Advanced, Dtype, Extent, Halo, Odd, PerAxis, Range, Unit, VisibleIf, per_axis, technique
from napari_lightbox.contract.locality import Parameters
from napari_lightbox.contract.roles import Image, Labels
from napari_lightbox.errors import InputError, ParameterError
from napari_lightbox.kernels.box_sums import box_sums
from napari_lightbox.kernels.gaussian import gaussian_radius
from napari_lightbox.kernels.local_levels import finite_windows, split_by_surface
from napari_lightbox.kernels.median import median
from napari_lightbox.kernels.rounding import to_dtype
from napari_lightbox.kernels.weighted_mean import gaussian_mean

Method = Literal["gaussian", "mean", "median"]


class LocalResult(NamedTuple):
    """Foreground and the level of each pixel."""

    labels: Labels
    threshold: Annotated[Image, Dtype("float")]


def _sizes(value: Any, ndim: int) -> tuple[int, ...]:
    return tuple(int(b) for b in per_axis("block_size", value, ndim))


def _sigmas(p: Parameters, ndim: int) -> tuple[float, ...]:
    if p["sigma"] is not None:
        return per_axis("sigma", p["sigma"], ndim)
    return tuple((b - 1) / 6 for b in _sizes(p["block_size"], ndim))


def _radius(p: Parameters, extent: Extent) -> tuple[int, ...]:
    if p["method"] == "gaussian" and p["backend"] == "skimage":
        return tuple(gaussian_radius(s, 4.0) for s in _sigmas(p, extent.ndim))
    return tuple(b // 2 for b in _sizes(p["block_size"], extent.ndim))


@technique(
    "threshold_local",
    title="Adaptive (local) threshold",
    locality=Halo(_radius),
    synonyms=("adaptive threshold", "local threshold", "background-corrected threshold"),
)
def threshold_local(
    image: Image,
    *,
    method: Method = "gaussian",
    block_size: Annotated[int | tuple[int, ...], PerAxis(), Odd(), Range(1, 1001), Unit("px")] = 35,
    offset: Annotated[float, Unit("intensity")] = 0.0,
    invert: bool = False,
    sigma: Annotated[
        float | tuple[float, ...] | None, PerAxis(), Range(0, 200), Unit("px"), Advanced(), VisibleIf("method", "gaussian")
    ] = None,
    border: Annotated[Literal["reflect", "mirror", "nearest"], Advanced()] = "reflect",
    backend: Annotated[Literal["skimage", "opencv"], Advanced()] = "skimage",
) -> LocalResult:
    """Compare each pixel with the mean or median of its surroundings.

    The level follows the background, so that text on a shaded page or cells under uneven light come out in one go. The offset
    says how far a pixel must stand out; without it, noise decides in flat regions.

    Parameters
    ----------
    image
        Image (y, x) or (z, y, x), any real type.
    method
        Weighted mean (gaussian), plain mean or median of the window. The median is not pulled by outliers, but slower.
    block_size
        Odd width of the window, one number or one per axis (z, y, x): larger than the structures to find.
    offset
        Subtracted from the local value; positive values lower the level. Usual on 8 bits: 10 with mean, 4 with gaussian.
    invert
        Mark the dark side: 1 where the image is at or below the level.
    sigma
        Standard deviation of the Gaussian; (block_size - 1) / 6 when empty. It reaches four sigma, further than the window.
    border
        How the image goes on beyond its border: reflect (d c b a | a b c d | d c b a), mirror (d c b | a b c d | c b a),
        nearest (a a a | a b c d | d d d).
    backend
        skimage computes the level exactly, in two and three dimensions, for every type. opencv gives what OpenCV's
        adaptiveThreshold gives: 8-bit planes, mean or gaussian, level rounded to a whole number, edge repeated, sigma
        0.3 ((b - 1) / 2 - 1) + 0.8 cut at the window.

    Returns
    -------
    labels
        1 where the image is above the level, else 0.
    threshold
        The level of each pixel; float32, or float64 for types of 32 bits and more.

    Raises
    ------
    InputError
        The opencv backend with another type than uint8 or in three dimensions.
    ParameterError
        The opencv backend with the median, different sizes per axis or a size below 3.

    Notes
    -----
    Labels are made from the level as it is returned. Sums over integers are exact, so blocks equal the whole image bit for
    bit. A level is NaN, and the label 0, where the window holds a NaN or an infinity.

    References
    ----------
    scikit-image ``threshold_local``; OpenCV ``adaptiveThreshold``.
    """
    sizes = _sizes(block_size, image.ndim)
    if backend == "opencv":
        surface = _opencv_surface(image, sizes, method)
        return LocalResult(*split_by_surface(image, surface, 1, floor(offset) if invert else ceil(offset), invert))
    block = image.view(np.uint8) if image.dtype.kind == "b" else image
    if method == "mean":
        sums = finite_windows(lambda values: box_sums(values, sizes, border), block, sizes)
        return LocalResult(*split_by_surface(image, sums, prod(sizes), offset, invert))
    if method == "median":
        surface = finite_windows(lambda values: median(values, [b // 2 for b in sizes], "box", border), block, sizes)
        return LocalResult(*split_by_surface(image, surface, 1, offset, invert))
    sigmas = _sigmas({"sigma": sigma, "block_size": block_size}, image.ndim)
    radii = [gaussian_radius(s, 4.0) for s in sigmas]
    surface = finite_windows(lambda values: gaussian_mean(values, sigmas, radii, border), block, tuple(2 * r + 1 for r in radii))
    return LocalResult(*split_by_surface(image, surface, 1, offset, invert))


def _opencv_surface(image: NDArray[Any], sizes: tuple[int, ...], method: Method) -> NDArray[np.uint8]:
    import cv2

    if image.dtype != np.uint8 or image.ndim != 2:
        raise InputError(
            "image", f"is {image.dtype} with {image.ndim} axes", 'The opencv backend takes uint8 planes: use "skimage"'
        )
    if method == "median" or len(set(sizes)) > 1 or sizes[0] < 3:
        raise ParameterError("backend", "OpenCV has square windows from 3 pixels, mean and gaussian only", 'Use "skimage"')
    plane, size = np.ascontiguousarray(image), (sizes[0], sizes[0])
    if method == "mean":
        return np.asarray(cv2.boxFilter(plane, -1, size, borderType=cv2.BORDER_REPLICATE))
    blurred = cv2.GaussianBlur(plane.astype(np.float32), size, 0, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(to_dtype(blurred, np.uint8))
