"""Split touching objects and count them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.contract import (
    Advanced,
    Dtype,
    OnlyIf,
    Range,
    Spacing,
    Unit,
    Whole,
    in_samples,
    technique,
)
from napari_lightbox.contract.roles import Image, Labels, Mask, Table, Value
from napari_lightbox.contract.values import Table as TableValue
from napari_lightbox.kernels.distance import distance_to_background
from napari_lightbox.kernels.flood import reached_from_outside
from napari_lightbox.kernels.global_levels import otsu_level
from napari_lightbox.kernels.histogram import whole_histogram
from napari_lightbox.kernels.label import label
from napari_lightbox.kernels.peaks import separated_peaks
from napari_lightbox.kernels.watershed import watershed


class SplitObjects(NamedTuple):
    """Objects, their measures and number, and the steps in between."""

    labels: Labels
    measures: Table
    number: Value
    foreground: Annotated[Labels | None, OnlyIf("keep_steps")]
    distance: Annotated[Image | None, OnlyIf("keep_steps"), Dtype("float32")]
    markers: Annotated[Labels | None, OnlyIf("keep_steps")]


@technique(
    "split_touching_objects",
    title="Split touching objects and count",
    locality=Whole(),
    synonyms=("separate touching cells", "distance watershed", "count nuclei"),
)
def split_touching_objects(
    image: Image,
    mask: Mask | None = None,
    *,
    threshold: Annotated[float | None, Unit("intensity")] = None,
    invert: bool = False,
    min_distance: Annotated[float, Range(1, 1e6), Unit("px")] = 10.0,
    opening_radius: Annotated[float, Range(0, 1e6), Unit("px")] = 0.0,
    min_size: Annotated[float, Range(0), Unit("px")] = 0.0,
    unit: Literal["px", "physical"] = "px",
    fill_holes: bool = True,
    connectivity: Annotated[int, Range(1, 3), Advanced()] = 1,
    keep_steps: bool = False,
    spacing: Spacing = (1.0, 1.0, 1.0),
) -> SplitObjects:
    """Find bright round objects, cut those that touch where they are narrowest, count and measure them.

    Thresholds the image, fills holes, opens, drops specks, measures how deep every pixel lies inside, takes the deepest
    places as markers and floods from them. For nuclei, cells, grains and coins that are roundish and touch each other;
    elongated or branched objects are cut too often.

    Parameters
    ----------
    image
        Image (y, x) or (z, y, x), any real type.
    mask
        Where to look; objects end at its border.
    threshold
        Grey value above which a pixel is foreground; None takes Otsu's.
    invert
        Objects are darker than the background.
    min_distance
        Least distance, along an axis, of two centres: about the radius of the smallest object. Larger cuts less.
    opening_radius
        Radius of the ball that must fit into an object everywhere; removes thin bridges and hairs. 0 for none.
    min_size
        Drop pieces of foreground with fewer pixels, or smaller than this area or volume.
    unit
        Whether these three are in pixels or in the layer's physical units.
    fill_holes
        Fill background that does not connect to the border of the image.
    connectivity
        1: pixels touch by faces; 2 also by edges (2D: corners); 3 also by corners.
    keep_steps
        Also return foreground, distance and markers, to see which step went wrong.

    Returns
    -------
    labels
        Objects from 1, in raster order of their markers.
    measures
        Label, pixels, size (area or volume in physical units) and centroid in index coordinates per object.
    number
        Number of objects.
    foreground
        Mask that was cut.
    distance
        Distance of each foreground pixel to the background, in physical units.
    markers
        One pixel per object.

    Raises
    ------
    ParameterError
        A connectivity above the number of axes.

    Notes
    -----
    Distances are physical: with thick slices a ball is a ball. min_distance in pixels counts samples along each axis. A
    piece of foreground whose centre is too near a larger neighbour's keeps a marker of its own, so that nothing is lost.
    A constant image holds no objects.

    References
    ----------
    skimage ``threshold_otsu``, ``peak_local_max``, ``watershed``; scipy.ndimage ``binary_fill_holes``,
    ``distance_transform_edt``. P. Soille, "Morphological Image Analysis" (2004), doi:10.1007/978-3-662-05088-0.
    """
    steps = spacing[-image.ndim :]
    pixel = float(np.prod(steps)) if unit == "physical" else 1.0
    foreground = _foreground(image, mask, threshold, invert)
    foreground = ~reached_from_outside(~foreground) if fill_holes else foreground
    foreground = foreground if mask is None else foreground & mask
    if opening_radius:
        foreground = _opened(foreground, opening_radius, steps if unit == "physical" else (1.0,) * image.ndim)
    foreground = _without_specks(foreground, min_size / pixel, connectivity)
    distance = _depth(foreground, steps)
    apart = in_samples("min_distance", min_distance, unit, steps)
    markers = _markers(foreground, distance, apart, connectivity)
    labels = watershed(-distance, markers, ~foreground, connectivity=connectivity)
    measures = _measures(labels, steps)
    kept = (foreground.astype(np.int32), distance, markers) if keep_steps else (None, None, None)
    return SplitObjects(labels, measures, float(len(measures)), *kept)


def _foreground(image: NDArray[Any], mask: NDArray[np.bool_] | None, threshold: float | None, invert: bool) -> NDArray[np.bool_]:
    level = otsu_level(whole_histogram(image, 256, mask)) if threshold is None else threshold
    return np.asarray(image <= level if invert else image > level)


def _opened(foreground: NDArray[np.bool_], radius: float, steps: Sequence[float]) -> NDArray[np.bool_]:
    """Return the union of all balls of this radius that fit in; the image's border does not cut."""
    core = _depth(foreground, steps) > radius
    return np.asarray(distance_to_background(~core, steps)[0] <= radius)


def _without_specks(foreground: NDArray[np.bool_], least: float, connectivity: int) -> NDArray[np.bool_]:
    if least <= 1:
        return foreground
    pieces, count = label(foreground, connectivity)
    keep = np.bincount(pieces.ravel(), minlength=count + 1) >= least
    keep[0] = False
    return np.asarray(keep[pieces])


def _depth(foreground: NDArray[np.bool_], steps: Sequence[float]) -> NDArray[np.float32]:
    return distance_to_background(foreground, steps)[0]


def _markers(
    foreground: NDArray[np.bool_], distance: NDArray[np.float32], apart: Sequence[float], connectivity: int
) -> NDArray[np.int32]:
    """Return one numbered pixel per object: the separated peaks, and the deepest pixel of pieces without one."""
    markers = np.zeros(foreground.shape, np.int32)
    pieces, count = label(foreground, connectivity)
    if foreground.all():
        markers.ravel()[:1] = 1
        return markers
    peaks = separated_peaks(distance, apart)
    missing = np.setdiff1d(np.arange(1, count + 1), pieces.ravel()[peaks])
    if missing.size:
        inside = np.flatnonzero(np.isin(pieces, missing))
        order = inside[np.argsort(-distance.ravel()[inside], kind="stable")]
        _, first = np.unique(pieces.ravel()[order], return_index=True)
        peaks = np.concatenate((peaks, order[first]))
    markers.ravel()[np.sort(peaks)] = np.arange(1, len(peaks) + 1)
    return markers


def _measures(labels: NDArray[np.int32], steps: Sequence[float]) -> TableValue:
    inside = np.flatnonzero(labels)
    ids = labels.ravel()[inside]
    pixels = np.bincount(ids)[1:]
    columns: dict[str, NDArray[Any]] = {"label": np.arange(1, len(pixels) + 1, dtype=np.int32)}
    columns |= {"pixels": pixels, "size": pixels * np.prod(steps)}
    for axis, places in zip("zyx"[-labels.ndim :], np.unravel_index(inside, labels.shape), strict=True):
        columns[f"centroid_{axis}"] = np.bincount(ids, weights=places)[1:] / pixels
    return TableValue(columns)
