"""Laplacian of Gaussian."""

from __future__ import annotations

from typing import Annotated, Literal

from napari_lightbox.contract import Advanced, Extent, Halo, PerAxis, Range, Spacing, Unit, in_samples, technique
from napari_lightbox.contract.locality import Parameters
from napari_lightbox.contract.roles import Image
from napari_lightbox.kernels.borders import Continuation
from napari_lightbox.kernels.gaussian import gaussian_radius
from napari_lightbox.kernels.laplacian import laplacian_of_gaussian as filtered
from napari_lightbox.kernels.rounding import as_floating


def _radius(p: Parameters, extent: Extent) -> tuple[int, ...]:
    sigmas = in_samples("sigma", p["sigma"], p["unit"], extent.spacing)
    return tuple(gaussian_radius(s, p["truncate"]) for s in sigmas)


@technique(
    "laplacian_of_gaussian",
    title="Laplacian of Gaussian",
    locality=Halo(_radius),
    dtype="float",
    synonyms=("LoG", "Mexican hat", "blob filter", "Marr filter"),
)
def laplacian_of_gaussian(
    image: Image,
    *,
    sigma: Annotated[float | tuple[float, ...], PerAxis(), Range(0.1, 200, 0.1), Unit("px")] = 1.0,
    unit: Literal["px", "physical"] = "px",
    scale_normalise: bool = False,
    truncate: Annotated[float, Range(1, 10, 0.5), Advanced()] = 4.0,
    zero_sum: Annotated[bool, Advanced()] = False,
    border: Annotated[Continuation, Advanced()] = "reflect",
    spacing: Spacing = (1.0, 1.0),
) -> Image:
    """Sum the second derivatives of the smoothed image.

    A band-pass that is negative on bright blobs and positive on dark ones, strongest where the blob's standard
    deviation is about sigma; it changes sign at edges. Use it to find spots and as the base of zero-crossing edges.

    Parameters
    ----------
    image
        Image (y, x) or (z, y, x), any real type.
    sigma
        Standard deviation of the Gaussian, one number or one per axis (z, y, x); 1 to 5 is usual.
    unit
        Whether sigma is in pixels or in the layer's physical units. With physical units the derivatives are per
        physical length, too.
    scale_normalise
        Multiply each second derivative by sigma squared, so that answers at different sigmas compare.
    truncate
        Half width of the kernel in sigmas.
    zero_sum
        Correct the truncated kernel so that a constant gives exactly zero. Without it a constant c gives about
        -0.00015 c at the default width, as in SciPy.
    border
        How the image goes on beyond its border: reflect (d c b a | a b c d | d c b a), mirror
        (d c b | a b c d | c b a), nearest (a a a | a b c d | d d d).

    Returns
    -------
    image
        Signed, float32, or float64 for 32-bit and wider input.

    Notes
    -----
    A NaN reaches every pixel whose window holds it. float32 carries about seven digits of the largest input value, so
    convert to float64 when a small signal lies on a large offset.

    References
    ----------
    Marr, Hildreth (1980), Theory of edge detection, doi:10.1098/rspb.1980.0020; scipy.ndimage ``gaussian_laplace``,
    equal to rounding.
    """
    steps = spacing[-image.ndim :]
    sigmas = in_samples("sigma", sigma, unit, steps)
    radii = _radius({"sigma": sigma, "unit": unit, "truncate": truncate}, Extent(image.ndim, steps, image.dtype))
    if scale_normalise:
        weights = tuple(s * s for s in sigmas)
    else:
        weights = tuple(1 / (s * s) for s in steps) if unit == "physical" else (1.0,) * image.ndim
    return filtered(as_floating(image), sigmas, radii, weights, zero_sum, border)
