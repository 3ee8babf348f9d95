"""Bilateral filter."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.contract import (
    Advanced,
    Extent,
    Halo,
    Odd,
    PerAxis,
    Range,
    Spacing,
    Unit,
    VisibleIf,
    in_samples,
    technique,
)
from napari_lightbox.contract.locality import Parameters
from napari_lightbox.contract.roles import Image
from napari_lightbox.errors import ParameterError
from napari_lightbox.kernels.bilateral import BilateralBorder, bilateral
from napari_lightbox.kernels.bilateral_libraries import bilateral_itk, bilateral_opencv, bilateral_skimage
from napari_lightbox.kernels.missing import nan_spreads
from napari_lightbox.kernels.rounding import as_floating, to_dtype
from napari_lightbox.kernels.type_range import or_share

Backend = Literal["auto", "opencv", "skimage", "simpleitk"]
Filter = Callable[[NDArray[Any]], NDArray[Any]]

_ITK_REACH = 2.5


def _half(p: Parameters, spacing: tuple[float, ...]) -> tuple[int, ...]:
    """Return how far the chosen backend looks along each axis, in samples."""
    sigmas = in_samples("sigma_spatial", p["sigma_spatial"], p["unit"], spacing)
    if p["backend"] == "simpleitk":
        return tuple(math.ceil(_ITK_REACH * s) for s in sigmas)
    if p["window"] is not None:
        return (p["window"] // 2,) * len(spacing)
    if p["backend"] == "skimage":
        return tuple(max(2, math.ceil(3 * s)) for s in sigmas)
    return tuple(max(1, round(1.5 * s)) for s in sigmas)


def _radius(p: Parameters, extent: Extent) -> tuple[int, ...]:
    return _half(p, extent.spacing)


def _check(p: Parameters, ndim: int) -> None:
    if p["backend"] in ("opencv", "skimage"):
        if ndim != 2:
            raise ParameterError(
                "backend", f"{p['backend']} filters planes only", 'Choose "auto" or "simpleitk", or work over y and x'
            )
        if isinstance(p["sigma_spatial"], tuple) and len(set(p["sigma_spatial"])) > 1:
            raise ParameterError(
                "sigma_spatial", f"{p['backend']} has one width for all axes", 'Give one number, or choose "auto"'
            )


@technique(
    "bilateral_filter",
    title="Bilateral filter",
    locality=Halo(_radius),
    channels="rgb",
    synonyms=("edge-preserving smoothing", "cartoon", "denoise_bilateral"),
    memory=6.0,
    check=_check,
)
def bilateral_filter(
    image: Image,
    *,
    sigma_color: Annotated[float | None, Range(1e-9, None), Unit("intensity")] = None,
    sigma_spatial: Annotated[float | tuple[float, ...], PerAxis(), Range(0.1, 100, 0.1), Unit("px")] = 2.0,
    unit: Literal["px", "physical"] = "px",
    window: Annotated[int | None, Odd(), Range(1, 301), Unit("px"), Advanced()] = None,
    colour: Annotated[Literal["joint", "each"], Advanced()] = "joint",
    border: Annotated[BilateralBorder, Advanced()] = "mirror",
    backend: Annotated[Backend, Advanced()] = "auto",
    bins: Annotated[int, Range(10, 10_000_000), VisibleIf("backend", "skimage"), Advanced()] = 10000,
    spacing: Spacing = (1.0, 1.0),
) -> Image:
    """Average over the neighbours that are both near and alike.

    The weight of a neighbour is a Gaussian of its distance times a Gaussian of its difference in intensity, so regions
    are smoothed and edges higher than about three sigma_color stay. Large values of both give a cartoon look.

    Parameters
    ----------
    image
        Image (y, x) or (z, y, x), any real type, with or without colour.
    sigma_color
        Difference in the image's own intensity that still counts as alike; on 8 bits, below 10 does little, above 150
        nearly blurs. None means a tenth of the type's full scale: 25.5 for 8 bits, 0.1 for floating images.
    sigma_spatial
        Standard deviation of the distance weight, one number or one per axis (z, y, x).
    unit
        Whether sigma_spatial is in pixels or in the layer's physical units, divided by the spacing of each axis.
    window
        Odd width of the window in pixels (OpenCV's d, scikit-image's win_size); None derives it from sigma_spatial:
        1.5 sigma to each side, 3 sigma with skimage. SimpleITK always takes 2.5 sigma.
    colour
        joint: channels of a colour image share their weights, from the sum of their absolute differences, and alpha is
        left alone; each: every channel for itself. Images with other numbers of channels are always filtered for
        each channel.
    border
        How the image goes on beyond its border: mirror (d c b | a b c d | c b a), reflect
        (d c b a | a b c d | d c b a), nearest (a a a | a b c d | d d d), constant (0).
    backend
        auto: disc or ball, in 2D and 3D. opencv: the same sum with tabulated weights, planes only, through float32 unless 8-bit.
        skimage: square window, weights from a table of `bins` differences. simpleitk: box, truncated and tabulated at
        four sigma_color, border nearest.
    bins
        Length of scikit-image's table.

    Returns
    -------
    image
        Same shape and type; integers are rounded.

    Raises
    ------
    ParameterError
        A volume, or one width per axis, with a backend that has neither.

    Notes
    -----
    A pixel whose window holds a NaN becomes NaN. opencv (other than 8-bit) and skimage scale their tables by the values
    of the block at hand, so tiles differ from the whole by a table step; the other two do not.

    References
    ----------
    Tomasi, Manduchi (1998), Bilateral filtering for gray and color images, doi:10.1109/ICCV.1998.710815; OpenCV
    ``bilateralFilter``, skimage.restoration ``denoise_bilateral``, SimpleITK ``Bilateral``.
    """
    ndim = len(spacing)
    parameters: dict[str, Any] = {"sigma_spatial": sigma_spatial, "unit": unit, "window": window, "backend": backend}
    _check(parameters, ndim)
    half = _half(parameters, spacing)
    sigmas = in_samples("sigma_spatial", sigma_spatial, unit, spacing)
    strength = or_share(sigma_color, 0.1, image.dtype)

    def run(channels: NDArray[Any]) -> NDArray[Any]:
        if backend == "opencv":
            return bilateral_opencv(channels, half[0], strength, sigmas[0], border)
        if backend == "skimage":
            return bilateral_skimage(channels, half[0], strength, sigmas[0], bins, border)
        if backend == "simpleitk":
            return bilateral_itk(channels, strength, sigmas)
        return to_dtype(bilateral(as_floating(channels), sigmas, half, strength, border), channels.dtype)

    return _by_channel(image, ndim, half, colour, run)


def _by_channel(image: NDArray[Any], ndim: int, half: tuple[int, ...], colour: str, run: Filter) -> NDArray[Any]:
    """Hand the filter all channels that share their weights at once, and let NaN spread by one window."""
    if image.ndim == ndim:
        groups = [image[None]]
    else:
        channels = np.moveaxis(image, -1, 0)
        joint = colour == "joint" and len(channels) in (3, 4)
        groups = [channels[:3]] if joint else [c[None] for c in channels]
    window = tuple(2 * h + 1 for h in half)
    done = [nan_spreads(run, g, np.ones((2 * len(g) - 1, *window), bool)) for g in groups]
    if image.ndim == ndim:
        return np.asarray(done[0][0])
    alpha = [np.moveaxis(image, -1, 0)[3:]] if len(groups) == 1 and image.shape[-1] == 4 else []
    return np.moveaxis(np.concatenate([*done, *alpha]), 0, -1)
