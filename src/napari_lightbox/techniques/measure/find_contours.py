"""Contours."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.contract import Advanced, OnlyIf, Plane, Range, Unit, VisibleIf, technique
from napari_lightbox.contract.roles import ImageOrLabels, Points, Shapes
from napari_lightbox.contract.values import Points as PointsValue
from napari_lightbox.contract.values import Shapes as ShapesValue
from napari_lightbox.contract.values import Table as TableValue
from napari_lightbox.errors import InputError


class Contours(NamedTuple):
    """Outlines and, when asked for, their enclosing circles and the places of their numbers."""

    contours: Shapes
    circles: Annotated[Shapes | None, OnlyIf("circles")]
    anchors: Annotated[Points | None, OnlyIf("circles")]


@technique(
    "find_contours",
    title="Find contours",
    locality=Plane(),
    spatial=(2,),
    synonyms=("iso-lines", "marching squares", "outlines", "polygons"),
)
def find_contours(
    image: ImageOrLabels,
    *,
    retrieval: Literal["iso", "external", "inner", "all"] = "iso",
    level: Annotated[float | None, Unit("intensity")] = None,
    fully_connected: Annotated[Literal["low", "high"], VisibleIf("retrieval", "iso"), Advanced()] = "low",
    positive_orientation: Annotated[Literal["low", "high"], VisibleIf("retrieval", "iso"), Advanced()] = "low",
    min_points: Annotated[int, Range(1, None), Advanced()] = 1,
    circles: bool = False,
    text_offset: Annotated[float, Unit("px"), VisibleIf("circles", True), Advanced()] = -10.0,
) -> Contours:
    """Trace the lines along which an image crosses a level, as shapes that can be edited and exported.

    Marching squares (iso) gives lines between pixels with sub-pixel accuracy; the other modes follow the border pixels of
    objects as OpenCV does and know which contour lies in which.

    Parameters
    ----------
    image
        Plane (y, x), any real type; mask or label image for the border modes.
    retrieval
        iso: lines at a level; external: the outer border of each object; inner: the contours that lie inside another
        one, such as the rims of holes; all: both.
    level
        Value the line follows; objects of the border modes are what lies above it. None is half-way between the
        smallest and the largest value for lines (0.5 on a mask), and 0 for objects.
    fully_connected
        Whether low or high values are joined where they touch at a corner only.
    positive_orientation
        Whether lines run counter-clockwise around low or around high values.
    min_points
        Contours with fewer vertices are left out.
    circles
        Also return the smallest circle around each contour, and a point to write its number at.
    text_offset
        Rows from the centre of the circle to that point.

    Returns
    -------
    contours
        Closed contours as polygons, open ones (which meet the image's border) as paths, vertices as (y, x) in pixels;
        features: running number from 1, whether closed, number of the enclosing contour (0 for none, and for lines), length,
        area (0 for paths); with circles also centre and radius of the smallest enclosing circle.
    circles
        Smallest enclosing circles as ellipses.
    anchors
        Where to write the numbers.

    Raises
    ------
    InputError
        An image with NaN or infinite values in a border mode.

    Notes
    -----
    Lines do not run through NaN. The border modes join pixels that touch at corners; an object of one pixel gives one
    vertex. For surfaces in volumes use marching cubes.

    References
    ----------
    W. Lorensen, H. Cline, "Marching cubes", https://doi.org/10.1145/37401.37422; S. Suzuki, K. Abe, "Topological
    structural analysis of digitized binary images by border following", https://doi.org/10.1016/0734-189X(85)90016-7;
    ``skimage.measure.find_contours``; OpenCV ``findContours`` and ``minEnclosingCircle``.
    """
    if retrieval == "iso":
        lines, parents = _iso_lines(image, level, fully_connected, positive_orientation), None
    else:
        lines, parents = _borders(image, level, retrieval)
    long = [i for i, line in enumerate(lines) if len(line) >= min_points]
    lines = [lines[i] for i in long]
    closed = [parents is not None or bool(len(line) > 2 and (line[0] == line[-1]).all()) for line in lines]
    features = _features(lines, closed, None if parents is None else _renumbered(parents, long))
    outlines = [line[:-1] if parents is None and c else line for line, c in zip(lines, closed, strict=True)]
    kinds = ["polygon" if c else "path" for c in closed]
    if not circles:
        return Contours(ShapesValue(outlines, kinds, TableValue(features)), None, None)
    features |= _enclosing_circles(lines)
    centres = np.stack([features["centre_y"], features["centre_x"]], axis=1)
    boxes = [np.asarray(c + r * _SQUARE) for c, r in zip(centres, features["radius"], strict=True)]
    numbers = TableValue({"number": features["number"]})
    return Contours(
        ShapesValue(outlines, kinds, TableValue(features)),
        ShapesValue(boxes, ["ellipse"] * len(boxes), numbers),
        PointsValue(centres + np.array([text_offset, 0.0]), numbers),
    )


_SQUARE = np.array([(-1.0, -1.0), (-1.0, 1.0), (1.0, 1.0), (1.0, -1.0)])


def _iso_lines(image: NDArray[Any], level: float | None, connected: str, orientation: str) -> list[NDArray[np.float64]]:
    from skimage import measure

    if min(image.shape) < 2:
        return []
    data = image.astype(np.float64)
    if level is None:
        known = data[np.isfinite(data)]
        if known.size == 0:
            return []
        level = (float(known.min()) + float(known.max())) / 2
    return list(measure.find_contours(data, level, fully_connected=connected, positive_orientation=orientation))


def _borders(image: NDArray[Any], level: float | None, retrieval: str) -> tuple[list[NDArray[np.float64]], list[int]]:
    """Return the border contours of what lies above the level, and the index of each one's parent."""
    import cv2

    if image.dtype.kind == "f" and not np.isfinite(image).all():
        raise InputError("image", "has NaN or infinite values, which are neither object nor background", "Fill them in first")
    objects = np.ascontiguousarray(image > (level or 0)).view(np.uint8)
    mode = cv2.RETR_EXTERNAL if retrieval == "external" else cv2.RETR_TREE
    found, tree = cv2.findContours(objects, mode, cv2.CHAIN_APPROX_NONE)
    parents = [] if tree is None else tree[0, :, 3].tolist()
    wanted = [i for i, parent in enumerate(parents) if retrieval != "inner" or parent >= 0]
    lines = [found[i][:, 0, ::-1].astype(np.float64) for i in wanted]
    return lines, _renumbered(parents, wanted)


def _renumbered(parents: list[int], kept: list[int]) -> list[int]:
    """Return the parents of the contours that are kept, as indices among those, -1 for none."""
    place = {old: new for new, old in enumerate(kept)}
    return [place.get(parents[i], -1) for i in kept]


def _features(lines: list[NDArray[np.float64]], closed: list[bool], parents: list[int] | None) -> dict[str, NDArray[Any]]:
    """Return one column per property; lengths and areas of all contours come from one pass over all vertices."""
    counts = np.array([len(line) for line in lines], int)
    starts = np.cumsum(counts) - counts
    y, x = np.concatenate([*lines, np.empty((0, 2))]).T
    after = np.arange(1, len(y) + 1)
    after[starts + counts - 1] = starts  # every line is closed to a ring; a closed line of its own adds nothing by that
    ring, turn = np.hypot(y[after] - y, x[after] - x), y * x[after] - x * y[after]
    is_closed = np.array(closed, bool)
    ends = ring[starts + counts - 1] if len(lines) else np.empty(0)
    lengths = np.add.reduceat(ring, starts) if len(lines) else np.empty(0)
    areas = np.abs(np.add.reduceat(turn, starts)) / 2 if len(lines) else np.empty(0)
    return {
        "number": np.arange(1, len(lines) + 1),
        "closed": is_closed,
        "parent": np.array([p + 1 for p in parents] if parents is not None else [0] * len(lines), np.int64),
        "length": lengths - np.where(is_closed, 0, ends),
        "area": np.where(is_closed, areas, 0),
    }


def _enclosing_circles(lines: list[NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
    import cv2

    found = [cv2.minEnclosingCircle(line[:, ::-1].astype(np.float32)) for line in lines]
    rows = np.array([(y, x, radius) for (x, y), radius in found], float).reshape(-1, 3)
    return dict(zip(("centre_y", "centre_x", "radius"), rows.T, strict=True))
