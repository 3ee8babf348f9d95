"""Morphological gradient."""

from __future__ import annotations

from typing import Literal

import numpy as np

from napari_lightbox.contract import Halo, IsLabels, Spacing, technique
from napari_lightbox.contract.roles import ImageOrLabels, Reference
from napari_lightbox.kernels.footprint import FootprintShape
from napari_lightbox.kernels.morphology import dilate, erode
from napari_lightbox.kernels.morphology_compounds import difference, gradient
from napari_lightbox.techniques.morphology._element import Iterations, Radius, element, halo


@technique(
    "morphological_gradient",
    title="Morphological gradient",
    locality=Halo(halo(1)),
    synonyms=("Beucher gradient", "outline", "boundary", "internal gradient", "external gradient"),
)
def morphological_gradient(
    image: ImageOrLabels,
    footprint: Reference | None = None,
    *,
    variant: Literal["beucher", "internal", "external"] = "beucher",
    shape: FootprintShape = "box",
    radius: Radius = 1.0,
    unit: Literal["px", "physical"] = "px",
    iterations: Iterations = 1,
    spacing: Spacing = (1.0, 1.0, 1.0),
    is_labels: IsLabels = False,
) -> ImageOrLabels:
    """Mark boundaries by the difference between the largest and the smallest value nearby.

    The half gradients give outlines one pixel wide with an element of radius 1: internal just inside bright objects,
    external just outside. Beucher's gradient is their sum and thus two pixels wide.

    Parameters
    ----------
    image
        Image, mask or label image (y, x) or (z, y, x), any real type.
    footprint
        Element drawn as an array or layer, for the custom shape: its non-zero pixels count, its origin lies at size // 2.
        Left out for all other shapes.
    variant
        beucher: dilation minus erosion; internal: image minus erosion; external: dilation minus image.
    shape
        Form of the structuring element: box, cross (the pixels on the axes), disk (in each plane of a volume), ball,
        diamond (city-block ball), or custom.
    radius
        Half width of the element, one number or one per axis (z, y, x): 1 gives three pixels. For a custom element it
        bounds how far the element may reach.
    unit
        Whether the radius is in pixels or in the layer's physical units; voxels of unequal sides then give an ellipsoid.
    iterations
        How many times dilation and erosion are repeated before the difference is taken.

    Returns
    -------
    image
        Same shape and type. On a label image the boundary pixels keep an id (the higher one where two objects meet)
        instead of a meaningless difference of ids; everything else is 0.

    Raises
    ------
    ParameterError
        A custom shape without footprint, or one that reaches beyond the radius.
    InputError
        A footprint that is empty or has another number of axes.

    Notes
    -----
    Outside the image, and where it is NaN, nothing counts. Differences that a signed integer type cannot hold stop at
    its largest value.

    References
    ----------
    J.-F. Rivest, P. Soille, S. Beucher, "Morphological gradients", https://doi.org/10.1117/12.58373; scipy.ndimage
    ``morphological_gradient``; OpenCV ``morphologyEx`` (MORPH_GRADIENT).
    """
    used = element(image, footprint, shape, radius, unit, spacing)
    if variant == "beucher" and not is_labels:
        return gradient(image, used, iterations)
    high = image if variant == "internal" else dilate(image, used, iterations)
    low = image if variant == "external" else erode(image, used, iterations)
    if is_labels:
        return np.where(high != low, high, image.dtype.type(0))
    return difference(high, low)
