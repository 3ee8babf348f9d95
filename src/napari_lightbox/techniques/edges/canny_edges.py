"""Canny edges."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.contract import (
    Advanced,
    ExtraAxis,
    OnlyIf,
    PerAxis,
    Plane,
    Range,
    Spacing,
    Unit,
    VisibleIf,
    in_samples,
    technique,
)
from napari_lightbox.contract.locality import Parameters
from napari_lightbox.contract.roles import Image, Labels, Mask
from napari_lightbox.errors import InputError, ParameterError
from napari_lightbox.kernels.canny import CannyBorder, canny
from napari_lightbox.kernels.missing import has_nan
from napari_lightbox.kernels.type_range import full_scale, or_share

Backend = Literal["skimage", "opencv", "simpleitk"]


def _number_of_widths(p: Parameters) -> int:
    return len(p["sigmas"])


class Edges(NamedTuple):
    """The edges and, when asked for, the edges at several sigmas."""

    edges: Labels
    comparison: Annotated[Labels, OnlyIf("compare"), ExtraAxis("s", _number_of_widths)] | None


def _check(p: Parameters, ndim: int) -> None:
    low, high = p["low_threshold"], p["high_threshold"]
    if low is not None and high is not None and low > high:
        raise ParameterError("low_threshold", f"{low} is above the high threshold {high}", "Swap the two")
    if p["use_quantiles"] and max(low or 0, high or 0) > 1:
        raise ParameterError("use_quantiles", "needs thresholds from 0 to 1", "Give shares such as 0.8 and 0.95")
    if p["use_quantiles"] and p["backend"] != "skimage":
        raise ParameterError("use_quantiles", f"is not available with {p['backend']}", 'Choose the backend "skimage"')
    if p["backend"] == "opencv" and ndim == 3:
        raise ParameterError("backend", "opencv finds edges in planes only", 'Choose "skimage", or "simpleitk" for surfaces')
    if p["compare"] and not (p["sigmas"] and min(p["sigmas"]) > 0):
        raise ParameterError("sigmas", f"{p['sigmas']} is not a list of widths above zero", "Give some, such as 1, 1.8, 2.2")


@technique(
    "canny_edges",
    title="Canny edges",
    locality=Plane(),
    over="yx",
    synonyms=("canny edge detector", "contours", "hysteresis"),
    memory=16.0,
    check=_check,
)
def canny_edges(
    image: Image,
    mask: Mask | None = None,
    *,
    sigma: Annotated[float | tuple[float, ...], PerAxis(), Range(0, 100, 0.1), Unit("px")] = 1.0,
    unit: Literal["px", "physical"] = "px",
    low_threshold: Annotated[float | None, Range(0, None), Unit("intensity")] = None,
    high_threshold: Annotated[float | None, Range(0, None), Unit("intensity")] = None,
    use_quantiles: bool = False,
    compare: bool = False,
    sigmas: Annotated[tuple[float, ...], VisibleIf("compare", True), Unit("px")] = (1.0, 1.8, 2.2),
    border: Annotated[CannyBorder, Advanced()] = "constant",
    backend: Annotated[Backend, Advanced()] = "skimage",
    spacing: Spacing = (1.0, 1.0),
) -> Edges:
    """Trace edges as curves one pixel wide.

    Smooths with a Gaussian, takes the Sobel gradient, keeps its ridges across the edge, and links them by two
    thresholds: ridges above the high one, and those above the low one that are connected to them. A larger sigma gives
    fewer, smoother and stronger edges.

    Parameters
    ----------
    image
        Image (y, x), or (z, y, x) for edge surfaces with simpleitk. Any real type.
    mask
        Where to look; pixels outside take no part, and no edge lies on the mask's rim.
    sigma
        Standard deviation of the Gaussian, one number or one per axis.
    unit
        Whether sigma is in pixels or in the layer's physical units.
    low_threshold, high_threshold
        Gradient magnitudes (Sobel, unnormalised: a ramp of slope one answers 8) in the image's own intensity. None
        means 0.1 and 0.2 of the type's full scale: 25.5 and 51 for 8 bits, 0.1 and 0.2 for floating images.
    use_quantiles
        Read the thresholds as shares of the plane's gradient magnitudes: 0.9 is passed by the strongest tenth.
    compare
        Also return the edges at each of several sigmas, stacked along a new first axis.
    sigmas
        The sigmas to compare.
    border
        How the image goes on for the Gaussian: constant (the mean over what lies inside), reflect, mirror, nearest.
    backend
        skimage: interpolated thinning, equal to scikit-image. opencv: OpenCV's, 8-bit planes only. simpleitk:
        zero crossings of the second derivative along the gradient, the only one that joins edges through z; its
        thresholds mean the gradient per physical unit.

    Returns
    -------
    edges
        Labels, 1 on edges.
    comparison
        Labels (s, y, x), or None.

    Raises
    ------
    ParameterError
        A low threshold above the high one, or a combination a backend lacks.
    InputError
        opencv with anything but 8-bit planes; simpleitk with NaN.

    Notes
    -----
    Works plane by plane unless asked to work over z, y and x. Near a NaN there are no edges. scikit-image works on
    images scaled to 0..1 and multiplies back; thresholds here are in the image's units, as they are there.

    References
    ----------
    Canny (1986), A computational approach to edge detection, doi:10.1109/TPAMI.1986.4767851; skimage.feature ``canny``,
    equal pixel for pixel; OpenCV ``Canny``; SimpleITK ``CannyEdgeDetection``.
    """
    low, high = low_threshold, high_threshold
    parameters = {"low_threshold": low, "high_threshold": high, "use_quantiles": use_quantiles, "backend": backend}
    _check({**parameters, "compare": compare, "sigmas": sigmas}, image.ndim)
    steps = spacing[-image.ndim :]
    scale = 1.0 if use_quantiles else full_scale(image.dtype)
    limits = (or_share(low, 0.1 * scale, bool), or_share(high, 0.2 * scale, bool))
    if limits[0] > limits[1]:
        raise ParameterError("low_threshold", f"{limits[0]} is above the high threshold {limits[1]}", "Give both thresholds")

    def edges(width: float | tuple[float, ...]) -> NDArray[np.int32]:
        widths = in_samples("sigma", width, unit, steps)
        if backend == "simpleitk":
            return _itk(image, mask, widths, limits, steps)
        if backend == "opencv":
            return _opencv(image, mask, widths, limits)
        planes = image if image.ndim == 3 else image[None]
        masks = [None] * len(planes) if mask is None else mask if image.ndim == 3 else mask[None]
        found = [_skimage(p, m, widths[-2:], limits, use_quantiles, border) for p, m in zip(planes, masks, strict=True)]
        return np.stack(found).reshape(image.shape)

    return Edges(edges(sigma), np.stack([edges(s) for s in sigmas]) if compare else None)


def _skimage(
    plane: NDArray[Any],
    mask: NDArray[np.bool_] | None,
    sigma: tuple[float, ...],
    limits: tuple[float, float],
    quantiles: bool,
    border: CannyBorder,
) -> NDArray[np.int32]:
    """Run on the 0..1 scale of scikit-image, so that roundings and therefore ties are the same."""
    if plane.dtype.kind == "f":
        values, scale = plane.astype(np.promote_types(plane.dtype, np.float32), copy=False), 1.0
    else:
        scale = full_scale(plane.dtype)
        values = np.maximum(np.multiply(plane, 1 / scale, dtype=np.float64), -1)
    thresholds = limits if quantiles else (limits[0] / scale, limits[1] / scale)
    return canny(np.ascontiguousarray(values), sigma, thresholds, quantiles, mask, border)


def _opencv(
    plane: NDArray[Any], mask: NDArray[np.bool_] | None, sigma: tuple[float, ...], limits: tuple[float, float]
) -> NDArray[np.int32]:
    import cv2

    if plane.dtype != np.uint8:
        raise InputError("image", f"is {plane.dtype}, OpenCV's Canny takes 8-bit images", 'Choose the backend "skimage"')
    smooth = np.ascontiguousarray(plane)
    if min(sigma) > 0:
        smooth = cv2.GaussianBlur(smooth, (0, 0), sigmaX=sigma[1], sigmaY=sigma[0])
    edges = (cv2.Canny(smooth, *limits, L2gradient=True) > 0).astype(np.int32)
    return _inside(edges, mask)


def _itk(
    block: NDArray[Any],
    mask: NDArray[np.bool_] | None,
    sigma: tuple[float, ...],
    limits: tuple[float, float],
    steps: tuple[float, ...],
) -> NDArray[np.int32]:
    import SimpleITK as sitk

    if has_nan(block):
        raise InputError(
            "image", "holds NaN, which ITK's edge detector cannot work with", "Fill them in, or choose another backend"
        )
    picture = sitk.GetImageFromArray(block.astype(np.float32))
    picture.SetSpacing(tuple(float(s) for s in steps[::-1]))
    variance = [(w * s) ** 2 for w, s in zip(sigma[::-1], steps[::-1], strict=True)]
    found = sitk.CannyEdgeDetection(picture, lowerThreshold=limits[0], upperThreshold=limits[1], variance=variance)
    return _inside((sitk.GetArrayFromImage(found) > 0).astype(np.int32), mask)


def _inside(edges: NDArray[np.int32], mask: NDArray[np.bool_] | None) -> NDArray[np.int32]:
    """Keep edges off the mask's rim, where they would be the mask's own."""
    if mask is None:
        return edges
    from scipy import ndimage

    return np.where(ndimage.binary_erosion(mask, np.ones((3,) * edges.ndim, bool)), edges, np.int32(0))
