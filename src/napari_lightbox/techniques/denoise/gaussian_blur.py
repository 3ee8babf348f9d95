"""Gaussian blur."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from napari_lightbox.contract import (
    Advanced,
    Extent,
    Halo,
    PerAxis,
    Range,
    Spacing,
    Unit,
    in_samples,
    per_axis,
    technique,
)
from napari_lightbox.contract.locality import Parameters
from napari_lightbox.contract.roles import Image
from napari_lightbox.errors import ParameterError
from napari_lightbox.kernels.gaussian import gaussian, gaussian_radius


def _widths(p: Parameters, spacing: tuple[float, ...]) -> tuple[tuple[float, ...], tuple[int, ...]]:
    """Return sigma and kernel radius per axis, in samples."""
    if p["kernel_size"] is not None:
        sizes = [int(k) for k in per_axis("kernel_size", p["kernel_size"], len(spacing))]
        if any(k % 2 == 0 for k in sizes):
            raise ParameterError("kernel_size", f"{p['kernel_size']} is even", "Give odd sizes")
        given = in_samples("sigma", p["sigma"], p["unit"], spacing)
        sigmas = tuple(s or 0.3 * ((k - 1) * 0.5 - 1) + 0.8 for s, k in zip(given, sizes, strict=True))
        return sigmas, tuple(k // 2 for k in sizes)
    sigmas = in_samples("sigma", p["sigma"], p["unit"], spacing)
    return sigmas, tuple(gaussian_radius(s, p["truncate"]) for s in sigmas)


def _radius(p: Parameters, extent: Extent) -> tuple[int, ...]:
    return _widths(p, extent.spacing)[1]


@technique(
    "gaussian_blur",
    title="Gaussian blur",
    locality=Halo(_radius),
    synonyms=("smooth", "low-pass", "Gaussian filter"),
)
def gaussian_blur(
    image: Image,
    *,
    sigma: Annotated[float | tuple[float, ...], PerAxis(), Range(0, 200, 0.1), Unit("px")] = 1.0,
    unit: Literal["px", "physical"] = "px",
    truncate: Annotated[float, Range(1, 10, 0.5), Advanced()] = 4.0,
    kernel_size: Annotated[int | tuple[int, ...] | None, PerAxis(), Range(1, 1001), Advanced()] = None,
    border: Annotated[Literal["reflect", "mirror", "nearest"], Advanced()] = "reflect",
    spacing: Spacing = (1.0, 1.0),
) -> Image:
    """Smooth an image by a Gaussian-weighted mean of its neighbourhood.

    Removes noise and fine detail below about two sigma. Use it before thresholding or edge
    detection, or to build a scale space; use a median or bilateral filter to keep edges sharp.

    Parameters
    ----------
    image
        Image (y, x) or (z, y, x), any real type.
    sigma
        Standard deviation of the Gaussian, one number or one per axis (z, y, x). With a kernel size, 0 means
        "derive it from the kernel size" as OpenCV does: 0.3 ((k - 1) / 2 - 1) + 0.8.
    unit
        Whether sigma is in pixels or in the layer's physical units, divided by the spacing of each axis.
    truncate
        Half width of the kernel in sigmas.
    kernel_size
        Odd width of the kernel in pixels, instead of truncate.
    border
        How the image goes on beyond its border: reflect (d c b a | a b c d | d c b a), mirror
        (d c b | a b c d | c b a), nearest (a a a | a b c d | d d d).

    Returns
    -------
    image
        Same shape and type; integers are rounded.

    Raises
    ------
    ParameterError
        An even kernel size, or a wrong number of values per axis.

    Notes
    -----
    8-bit and 16-bit planes use OpenCV's fixed-point kernels, less than two grey levels off the exact result.

    References
    ----------
    OpenCV ``GaussianBlur``; scipy.ndimage ``gaussian_filter``, equal to rounding.
    """
    parameters: dict[str, Any] = {"sigma": sigma, "unit": unit, "truncate": truncate, "kernel_size": kernel_size}
    sigmas, radii = _widths(parameters, spacing[-image.ndim :])
    return gaussian(image, sigmas, radii, border)
