"""Sobel gradient."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import numpy as np

from napari_lightbox.contract import Advanced, Extent, Halo, Spacing, technique
from napari_lightbox.contract.locality import Parameters
from napari_lightbox.contract.roles import Image, Mask
from napari_lightbox.errors import ParameterError
from napari_lightbox.kernels.borders import Continuation
from napari_lightbox.kernels.gradient import SOBEL, derivative, gradient_magnitude

Direction = Literal["magnitude", "z", "y", "x"]


def _radius(p: Parameters, extent: Extent) -> int:
    return 1


def _check(p: Parameters, ndim: int) -> None:
    if p["direction"] == "z" and ndim == 2:
        raise ParameterError("direction", "z does not exist in a plane", "Choose y, x or magnitude, or work over z, y and x")


@technique(
    "sobel_edges",
    title="Sobel gradient magnitude",
    locality=Halo(_radius),
    dtype="float",
    synonyms=("sobel filter", "edge strength", "gradient"),
    check=_check,
)
def sobel_edges(
    image: Image,
    mask: Mask | None = None,
    *,
    direction: Direction = "magnitude",
    normalisation: Literal["scipy", "skimage", "opencv"] = "scipy",
    use_spacing: Annotated[bool, Advanced()] = False,
    border: Annotated[Continuation, Advanced()] = "reflect",
    spacing: Spacing = (1.0, 1.0),
) -> Image:
    """Measure the edge strength with the Sobel operator.

    Differences along one axis, smoothed with (1, 2, 1) along the others; the magnitude is the Euclidean norm over
    all axes. Use it to see edges, or as the relief for a watershed; smooth noisy images first.

    Parameters
    ----------
    image
        Image (y, x) or (z, y, x), any real type.
    mask
        Where to answer; pixels outside the mask, and those whose 3 x 3 (x 3) neighbourhood leaves it or the image,
        become 0.
    direction
        magnitude, or the signed derivative along one axis (positive where the image gets brighter with the index).
    normalisation
        Scale of the answer to a ramp of slope one: scipy and opencv leave the weights as they are (8 in 2D, 32 in
        3D), skimage divides by the weights across and the magnitude by the square root of the number of axes
        (2 along one axis, magnitude of a ramp along one axis 1.414 in 2D, 1.155 in 3D).
    use_spacing
        Divide each derivative by the spacing of its axis, so that anisotropic voxels weigh correctly.
    border
        How the image goes on beyond its border: reflect (d c b a | a b c d | d c b a), mirror
        (d c b | a b c d | c b a; OpenCV's own), nearest (a a a | a b c d | d d d).

    Returns
    -------
    image
        float32, or float64 for 32-bit and wider input.

    Raises
    ------
    ParameterError
        The z direction in a plane.

    Notes
    -----
    Intensities keep their unit: an 8-bit image is not scaled to 0..1 first. A NaN makes its neighbours NaN.

    References
    ----------
    scipy.ndimage ``generic_gradient_magnitude`` with ``sobel``; skimage.filters ``sobel``; OpenCV ``Sobel``.
    """
    _check({"direction": direction}, image.ndim)
    ndim = image.ndim
    whole = 1.0 if normalisation != "skimage" else 0.25 ** (ndim - 1)
    steps = spacing[-ndim:] if use_spacing else (1.0,) * ndim
    if direction == "magnitude":
        norm = whole if normalisation != "skimage" else whole / math.sqrt(ndim)
        result = gradient_magnitude(image, SOBEL, [norm / s for s in steps], border)
    else:
        axis = "zyx"[-ndim:].index(direction)
        result = derivative(image, axis, SOBEL, whole / steps[axis], border)
    if mask is not None:
        from scipy import ndimage

        result = np.where(ndimage.binary_erosion(mask, np.ones((3,) * ndim, bool)), result, result.dtype.type(0))
    return result
