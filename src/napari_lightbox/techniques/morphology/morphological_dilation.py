"""Dilation."""

from __future__ import annotations

from typing import Literal

from napari_lightbox.contract import Halo, Spacing, technique
from napari_lightbox.contract.roles import ImageOrLabels, Reference
from napari_lightbox.kernels.footprint import FootprintShape
from napari_lightbox.kernels.morphology import dilate
from napari_lightbox.techniques.morphology._element import Iterations, Radius, element, halo


@technique(
    "morphological_dilation",
    title="Dilation",
    locality=Halo(halo(1)),
    synonyms=("maximum filter", "grow", "grey dilation", "binary dilation"),
)
def morphological_dilation(
    image: ImageOrLabels,
    footprint: Reference | None = None,
    *,
    shape: FootprintShape = "box",
    radius: Radius = 1.0,
    unit: Literal["px", "physical"] = "px",
    iterations: Iterations = 1,
    spacing: Spacing = (1.0, 1.0, 1.0),
) -> ImageOrLabels:
    """Take the largest value under the reflected structuring element: objects grow, gaps close.

    Every bright pixel becomes a copy of the element. Use it to bridge gaps, to add a safety margin around a mask, or to
    mark sure background. On label images high ids win where objects meet.

    Parameters
    ----------
    image
        Image, mask or label image (y, x) or (z, y, x), any real type.
    footprint
        Element drawn as an array or layer, for the custom shape: its non-zero pixels count, its origin lies at size // 2.
        Left out for all other shapes.
    shape
        Form of the structuring element: box, cross (the pixels on the axes), disk (in each plane of a volume), ball,
        diamond (city-block ball), or custom.
    radius
        Half width of the element, one number or one per axis (z, y, x): 1 gives three pixels. For a custom element it
        bounds how far the element may reach.
    unit
        Whether the radius is in pixels or in the layer's physical units; voxels of unequal sides then give an ellipsoid.
    iterations
        How many times the dilation is repeated.

    Returns
    -------
    image
        Same shape and type, nowhere smaller than the input (when the element holds its own origin).

    Raises
    ------
    ParameterError
        A custom shape without footprint, or one that reaches beyond the radius.
    InputError
        A footprint that is empty or has another number of axes.

    Notes
    -----
    Outside the image, and where it is NaN, nothing counts, so that edges are neither eaten nor grown; a NaN stays NaN.
    The time does not grow with the radius for boxes and crosses, and grows linearly for the others.

    References
    ----------
    J. Serra, "Image Analysis and Mathematical Morphology", Academic Press 1982; OpenCV ``dilate``; scipy.ndimage
    ``grey_dilation``; ITK ``GrayscaleDilateImageFilter``, equal with their border set to the smallest value.
    """
    used = element(image, footprint, shape, radius, unit, spacing)
    return dilate(image, used, iterations)
