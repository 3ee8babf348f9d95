"""Gradient magnitude."""

from __future__ import annotations

from typing import Annotated

from napari_lightbox.contract import Advanced, Extent, Halo, Spacing, technique
from napari_lightbox.contract.locality import Parameters
from napari_lightbox.contract.roles import Image
from napari_lightbox.kernels.borders import Continuation
from napari_lightbox.kernels.gradient import NONE
from napari_lightbox.kernels.gradient import gradient_magnitude as magnitude


def _radius(p: Parameters, extent: Extent) -> int:
    return 1


@technique(
    "gradient_magnitude",
    title="Gradient magnitude",
    locality=Halo(_radius),
    dtype="float",
    synonyms=("slope", "central differences", "edge strength"),
)
def gradient_magnitude(
    image: Image,
    *,
    use_spacing: bool = True,
    border: Annotated[Continuation, Advanced()] = "nearest",
    spacing: Spacing = (1.0, 1.0),
) -> Image:
    """Measure the slope of the image by central differences.

    The Euclidean norm of the derivatives along all axes, without any smoothing: a ramp gives its slope, in
    intensity per unit length. Use it as the relief for a watershed; blur noisy images first.

    Parameters
    ----------
    image
        Image (y, x) or (z, y, x), any real type.
    use_spacing
        Divide by the spacing of each axis: slopes per physical unit instead of per pixel.
    border
        How the image goes on beyond its border: nearest (a a a | a b c d | d d d), reflect
        (d c b a | a b c d | d c b a; the same here), mirror (d c b | a b c d | c b a; zero slope at the border).

    Returns
    -------
    image
        float32, or float64 for 32-bit and wider input.

    Notes
    -----
    At the border the difference to the repeated edge is halved, as in ITK; a one-sided difference is twice that. A NaN
    makes the neighbours along each axis NaN.

    References
    ----------
    SimpleITK ``GradientMagnitude``, equal; NumPy ``gradient``, equal inside.
    """
    steps = spacing[-image.ndim :] if use_spacing else (1.0,) * image.ndim
    return magnitude(image, NONE, [0.5 / s for s in steps], border)
