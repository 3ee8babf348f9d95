"""Difference of Gaussians."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

import numpy as np

from napari_lightbox.contract import (
    Advanced,
    Extent,
    Halo,
    OnlyIf,
    PerAxis,
    Range,
    Spacing,
    Unit,
    in_samples,
    technique,
)
from napari_lightbox.contract.locality import Parameters
from napari_lightbox.contract.roles import Image, Labels
from napari_lightbox.kernels.borders import Continuation
from napari_lightbox.kernels.gaussian import gaussian, gaussian_radius
from napari_lightbox.kernels.rounding import as_floating


class Difference(NamedTuple):
    """The band-passed image and, when asked for, where it is positive."""

    image: Image
    sign: Annotated[Labels, OnlyIf("sign_mask")] | None


def _radius(p: Parameters, extent: Extent) -> tuple[int, ...]:
    sigmas = in_samples("sigma", p["sigma"], p["unit"], extent.spacing)
    return tuple(gaussian_radius(s * max(1.0, p["k"]), p["truncate"]) for s in sigmas)


@technique(
    "difference_of_gaussians",
    title="Difference of Gaussians",
    locality=Halo(_radius),
    dtype="float",
    synonyms=("DoG", "band-pass", "XDoG", "unsharp"),
)
def difference_of_gaussians(
    image: Image,
    *,
    sigma: Annotated[float | tuple[float, ...], PerAxis(), Range(0, 200, 0.1), Unit("px")] = 0.5,
    unit: Literal["px", "physical"] = "px",
    k: Annotated[float, Range(0.1, 1000, 0.1)] = 1.6,
    gamma: Annotated[float, Range(0, 10, 0.01)] = 1.0,
    sign_mask: bool = False,
    truncate: Annotated[float, Range(1, 10, 0.5), Advanced()] = 4.0,
    border: Annotated[Continuation, Advanced()] = "reflect",
    spacing: Spacing = (1.0, 1.0),
) -> Difference:
    """Subtract a wider blur from a narrower one.

    Keeps structures between the two widths: spots, lines and edges come out positive or negative on a flat
    background. k = 1.6 approximates the Laplacian of Gaussian; a very wide second blur (k of 50 and more) removes
    uneven lighting and gives the look of a pencil sketch.

    Parameters
    ----------
    image
        Image (y, x) or (z, y, x), any real type.
    sigma
        Standard deviation of the narrower Gaussian, one number or one per axis (z, y, x); 0 leaves an axis
        unsmoothed.
    unit
        Whether sigma is in pixels or in the layer's physical units.
    k
        Width of the second Gaussian in multiples of the first.
    gamma
        Weight of the second Gaussian; a constant c becomes (1 - gamma) c, so values below 1 keep some of the tone.
    sign_mask
        Also return Labels that are 1 where the difference is above zero.
    truncate
        Half width of each kernel in its sigmas.
    border
        How the image goes on beyond its border: reflect (d c b a | a b c d | d c b a), mirror
        (d c b | a b c d | c b a), nearest (a a a | a b c d | d d d).

    Returns
    -------
    image
        Signed, float32, or float64 for 32-bit and wider input.
    sign
        1 where the difference is positive, 0 elsewhere, or None.

    Notes
    -----
    Both kernels are applied separably and directly, so the result is the same in every tile. A NaN reaches every pixel
    whose window holds it.

    References
    ----------
    Winnemöller, Kyprianidis, Olsen (2012), XDoG, doi:10.1016/j.cag.2012.03.004; scipy.ndimage ``gaussian_filter``.
    """
    narrow = in_samples("sigma", sigma, unit, spacing[-image.ndim :])
    wide = tuple(s * k for s in narrow)
    block = as_floating(image)
    first = gaussian(block, narrow, [gaussian_radius(s, truncate) for s in narrow], border)
    second = gaussian(block, wide, [gaussian_radius(s, truncate) for s in wide], border)
    if gamma != 1:
        second *= block.dtype.type(gamma)
    with np.errstate(invalid="ignore"):  # two infinities have no difference
        first -= second
    return Difference(first, (first > 0).astype("int32") if sign_mask else None)
