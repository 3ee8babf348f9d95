"""Watershed from user markers."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.contract import Channels, Range, Spacing, Whole, technique
from napari_lightbox.contract.roles import Image, Labels, Mask, Seeds
from napari_lightbox.errors import InputError
from napari_lightbox.kernels.slope import slope
from napari_lightbox.kernels.watershed import watershed
from napari_lightbox.techniques.segment_interactive._seeds import read_seeds


@technique(
    "marker_controlled_watershed",
    title="Watershed from user markers",
    locality=Whole(),
    channels="rgb",
    synonyms=("morphological watershed", "seeded watershed", "flooding"),
)
def marker_controlled_watershed(
    image: Image,
    seeds: Seeds,
    mask: Mask | None = None,
    *,
    gradient: bool = True,
    watershed_line: bool = True,
    connectivity: Annotated[int, Range(1, 3)] = 1,
    spacing: Spacing = (1.0, 1.0, 1.0),
) -> Annotated[Labels, Channels("drop")]:
    """Flood the image from a few painted pixels until the floods meet at the edges.

    Every painted id is a spring. The water rises over the gradient, so that it stays inside smooth regions and meets
    the next flood on the strong edges between them. A few clicked pixels per object, and some for the background, are
    enough; objects without a seed are taken by their neighbours. Use the random walker instead when edges have gaps.

    Parameters
    ----------
    image
        Image (y, x) or (z, y, x), any real type, gray or colour.
    seeds
        Labels: ids above 0 are seeds and come out as they are, 0 is unknown, pixels below 0 take no part.
    mask
        Where to segment; everything else is 0.
    gradient
        Flood the gradient magnitude. Turn it off when the image is a landscape already, such as an edge map or a
        negative distance.
    watershed_line
        Leave a line of 0, one pixel wide, where two labels meet.
    connectivity
        1 floods through faces only, 2 also through edges (2D: corners), 3 also through corners.

    Returns
    -------
    labels
        The id of the flood that took each pixel; 0 on the line, outside the mask and where no flood came.

    Raises
    ------
    InputError
        No seed at all, or a colour image with the gradient turned off.
    ParameterError
        A connectivity above the number of axes.

    Notes
    -----
    The gradient is taken by central differences in physical units, so that thick slices do not look like strong edges;
    in a colour image the squared gradients are added. Flooding needs only the order of the values: the result is the
    same whether or not they are rescaled. Equal values are flooded in the order of their arrival; a pixel below the
    water level is flooded at once, and NaN last. Needs about 20 bytes per pixel beside the image.

    References
    ----------
    SimpleITK ``GradientMagnitude`` and ``MorphologicalWatershedFromMarkers``: equal for every input, ties included.
    F. Meyer, "Topographic distance and watershed lines", Signal Processing 38 (1994), doi:10.1016/0165-1684(94)90060-4.
    """
    painted = read_seeds(seeds, mask)
    landscape = _landscape(image, seeds.ndim, gradient, spacing)
    return watershed(landscape, painted.markers, painted.excluded, connectivity=connectivity, line=watershed_line)


def _landscape(image: NDArray[Any], ndim: int, gradient: bool, spacing: tuple[float, ...]) -> NDArray[Any]:
    if gradient:
        return slope(image, spacing[-ndim:])
    if image.ndim > ndim:
        raise InputError("image", "is a colour image, which has no height", "Turn the gradient on or pass one channel")
    return np.asarray(image)
