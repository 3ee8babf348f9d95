"""Closing."""

from __future__ import annotations

from typing import Literal

from napari_lightbox.contract import Halo, Spacing, technique
from napari_lightbox.contract.roles import ImageOrLabels, Reference
from napari_lightbox.kernels.footprint import FootprintShape
from napari_lightbox.kernels.morphology_compounds import closed
from napari_lightbox.techniques.morphology._element import Iterations, Radius, element, halo


@technique(
    "morphological_closing",
    title="Closing",
    locality=Halo(halo(2)),
    synonyms=("fill gaps", "grey closing", "binary closing"),
)
def morphological_closing(
    image: ImageOrLabels,
    footprint: Reference | None = None,
    *,
    shape: FootprintShape = "box",
    radius: Radius = 1.0,
    unit: Literal["px", "physical"] = "px",
    iterations: Iterations = 1,
    spacing: Spacing = (1.0, 1.0, 1.0),
) -> ImageOrLabels:
    """Fill dark details smaller than the structuring element: dilation, then erosion.

    Small gaps and holes close, near regions join and outlines get smoother, while objects keep their size. The dual of
    the opening: closing the complement is the complement of opening.

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
        How many times the dilation, and after it the erosion, is repeated.

    Returns
    -------
    image
        Same shape and type, nowhere smaller than the input; closing it again changes nothing.

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
    J. Serra, "Image Analysis and Mathematical Morphology", Academic Press 1982; OpenCV ``morphologyEx`` (MORPH_CLOSE);
    scipy.ndimage ``grey_closing``; ITK ``GrayscaleMorphologicalClosingImageFilter``, equal
    a few pixels inside the border.
    """
    used = element(image, footprint, shape, radius, unit, spacing)
    return closed(image, used, iterations)
