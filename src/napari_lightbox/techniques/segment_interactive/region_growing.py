"""Seeded region growing."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.contract import PerAxis, Range, Spacing, Unit, VisibleIf, Whole, in_samples, technique
from napari_lightbox.contract.roles import Image, Labels, Mask, Seeds
from napari_lightbox.errors import InputError
from napari_lightbox.kernels.region import (
    Surroundings,
    assign_overlaps,
    box_values,
    grow,
    grow_with_confidence,
    mean_and_deviation,
)
from napari_lightbox.techniques.segment_interactive._seeds import read_seeds


@technique(
    "region_growing",
    title="Seeded region growing",
    locality=Whole(),
    synonyms=("magic wand", "flood fill", "connected threshold", "confidence connected"),
)
def region_growing(
    image: Image,
    seeds: Seeds,
    mask: Mask | None = None,
    *,
    method: Literal["tolerance", "threshold", "confidence"] = "tolerance",
    tolerance: Annotated[float | None, Range(0), Unit("intensity"), VisibleIf("method", "tolerance")] = None,
    lower: Annotated[float | None, Unit("intensity"), VisibleIf("method", "threshold")] = None,
    upper: Annotated[float | None, Unit("intensity"), VisibleIf("method", "threshold")] = None,
    multiplier: Annotated[float, Range(0, 20, 0.1), VisibleIf("method", "confidence")] = 2.5,
    iterations: Annotated[int, Range(0, 50), VisibleIf("method", "confidence")] = 4,
    radius: Annotated[float | tuple[float, ...], PerAxis(), Range(0, 100), Unit("px"), VisibleIf("method", "confidence")] = 1.0,
    unit: Annotated[Literal["px", "physical"], VisibleIf("method", "confidence")] = "px",
    connectivity: Annotated[int, Range(1, 3)] = 1,
    spacing: Spacing = (1.0, 1.0, 1.0),
) -> Labels:
    """Grow each seed over the connected pixels whose grey value fits.

    The quickest way to a homogeneous object: one click inside it. The region stops where the grey value leaves the
    accepted range; through a gap in the edge it leaks, where the watershed or the random walker would hold.

    Parameters
    ----------
    image
        Image (y, x) or (z, y, x), any real type.
    seeds
        Labels: ids above 0 are seeds, 0 is unknown, pixels below 0 take no part. Every id grows a region of its own.
    mask
        Where to grow; everything else is 0.
    method
        tolerance: grey values as far from the seed's as the tolerance. threshold: grey values from lower to upper.
        confidence: grey values near the mean of the region, learned anew in every iteration.
    tolerance
        Largest difference to the grey values under the seed, itself included. None takes four times the standard
        deviation of the 3 x 3 (x 3) neighbourhoods of the seed's pixels.
    lower, upper
        Grey values accepted, both included; None means no limit on that side.
    multiplier
        How many standard deviations from the mean are accepted.
    iterations
        How often mean and standard deviation are taken again from the region grown so far.
    radius
        Half width of the box around each seed pixel from which the first mean and standard deviation come.
    unit
        Whether radius is in pixels or in the layer's physical units, divided by the spacing of each axis.
    connectivity
        1 grows through faces only, 2 also through edges (2D: corners), 3 also through corners.

    Returns
    -------
    labels
        The id of the seed that reached each pixel, else 0. Where regions overlap, the id whose seed's mean grey value
        is nearest has the pixel, the smaller id among equals. Seeds that were accepted keep their ids.

    Raises
    ------
    InputError
        No seed, or no seed pixel lies between lower and upper.
    ParameterError
        A connectivity above the number of axes.

    Notes
    -----
    Values are compared in the image's own type and cannot wrap; NaN is never accepted. Apart from overlaps, a region
    does not depend on which other ids are painted.

    References
    ----------
    tolerance: skimage ``flood`` for a single-pixel seed. threshold: SimpleITK ``ConnectedThreshold``. confidence:
    SimpleITK ``ConfidenceConnected``. R. Adams, L. Bischof, "Seeded region growing", IEEE TPAMI 16 (1994),
    doi:10.1109/34.295913.
    """
    painted = read_seeds(seeds, mask)
    box = tuple(round(r) for r in in_samples("radius", radius, unit, spacing[-image.ndim :]))
    places = {label: Surroundings(at, painted.excluded, connectivity) for label, at in painted.places.items()}
    if method == "confidence":
        grow_one = partial(grow_with_confidence, image, multiplier=multiplier, iterations=iterations, radius=box)
        grown = {label: grow_one(place) for label, place in places.items()}
    elif method == "threshold":
        ends = -np.inf if lower is None else lower, np.inf if upper is None else upper
        grown = {label: grow(image, place, *ends) for label, place in places.items()}
    else:
        grown = {label: grow(image, place, *_interval(image, place.starts, tolerance)) for label, place in places.items()}
    if not any(region.any() for region in grown.values()):
        raise InputError("seeds", "no painted pixel has an accepted grey value", "Widen the limits or paint elsewhere")
    return assign_overlaps(image, grown, painted.places, painted.markers.dtype)


def _interval(image: NDArray[Any], starts: NDArray[np.int64], tolerance: float | None) -> tuple[float, float]:
    """Return the grey values within `tolerance` of those under the starts, in floats that cannot wrap."""
    own = image.ravel()[starts]
    own = own[own == own]
    if not own.size:
        return np.inf, -np.inf
    spread = tolerance
    if spread is None:
        values = box_values(image, starts, (1,) * image.ndim)
        spread = 4 * mean_and_deviation(values)[1] if values.size else 0.0
    return float(own.min()) - spread, float(own.max()) + spread
