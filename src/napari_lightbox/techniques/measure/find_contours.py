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
from napari_lightbox.kernels.iso_lines import iso_lines
from napari_lightbox.kernels.missing import all_finite


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
        found = _iso_lines(image, level, fully_connected, positive_orientation)
    else:
        found = _borders(image, level, retrieval)
    found = _without_short(found, min_points)
    closed = np.ones(len(found.counts), bool) if retrieval != "iso" else _is_closed(found)
    features = _features(found, closed)
    dropped = closed & (retrieval == "iso")  # a closed line ends where it begins, a polygon need not
    outlines = [found.vertices[a:b] for a, b in zip(found.starts.tolist(), (found.stops - dropped).tolist(), strict=True)]
    kinds = np.where(closed, "polygon", "path").tolist()
    if not circles:
        return Contours(ShapesValue(outlines, kinds, TableValue(features)), None, None)
    features |= _enclosing_circles(found)
    centres = np.stack([features["centre_y"], features["centre_x"]], axis=1)
    boxes = [np.asarray(c + r * _SQUARE) for c, r in zip(centres, features["radius"], strict=True)]
    numbers = TableValue({"number": features["number"]})
    return Contours(
        ShapesValue(outlines, kinds, TableValue(features)),
        ShapesValue(boxes, ["ellipse"] * len(boxes), numbers),
        PointsValue(centres + np.array([text_offset, 0.0]), numbers),
    )


_SQUARE = np.array([(-1.0, -1.0), (-1.0, 1.0), (1.0, 1.0), (1.0, -1.0)])


class _Lines(NamedTuple):
    """All vertices (y, x), one line after the other, how many each line has, and the index of the line around it or -1."""

    vertices: NDArray[np.float64]
    counts: NDArray[np.int64]
    parents: NDArray[np.int64]

    @property
    def stops(self) -> NDArray[np.int64]:
        return np.cumsum(self.counts)

    @property
    def starts(self) -> NDArray[np.int64]:
        return np.cumsum(self.counts) - self.counts


def _iso_lines(image: NDArray[Any], level: float | None, connected: str, orientation: str) -> _Lines:
    known = image if level is not None or all_finite(image) else image[np.isfinite(image)]
    if min(image.shape) < 2 or known.size == 0:
        return _NO_LINES
    value = (float(known.min()) + float(known.max())) / 2 if level is None else float(level)
    vertices, counts = iso_lines(image, value, connected == "high")
    if orientation == "high":
        stops = np.cumsum(counts)
        vertices = vertices[np.repeat(2 * stops - counts - 1, counts) - np.arange(len(vertices))]
    return _Lines(vertices, counts, np.full(len(counts), -1))


_NO_LINES = _Lines(np.empty((0, 2)), np.empty(0, np.int64), np.empty(0, np.int64))


def _borders(image: NDArray[Any], level: float | None, retrieval: str) -> _Lines:
    """Return the border contours of what lies above the level."""
    import cv2

    if not all_finite(image):
        raise InputError("image", "has NaN or infinite values, which are neither object nor background", "Fill them in first")
    objects = np.ascontiguousarray(image > (level or 0)).view(np.uint8)
    mode = cv2.RETR_EXTERNAL if retrieval == "external" else cv2.RETR_TREE
    found, tree = cv2.findContours(objects, mode, cv2.CHAIN_APPROX_NONE)
    if tree is None:
        return _NO_LINES
    counts = np.fromiter(map(len, found), np.int64, len(found))
    lines = _Lines(np.concatenate(found)[:, 0, ::-1].astype(np.float64), counts, tree[0, :, 3].astype(np.int64))
    return _chosen(lines, lines.parents >= 0) if retrieval == "inner" else lines


def _without_short(lines: _Lines, least: int) -> _Lines:
    return lines if least <= 1 else _chosen(lines, lines.counts >= least)


def _chosen(lines: _Lines, kept: NDArray[np.bool_]) -> _Lines:
    """Return some of the lines; a line whose parent is left out has none."""
    place = np.append(np.where(kept, np.cumsum(kept) - 1, -1), -1)
    return _Lines(lines.vertices[np.repeat(kept, lines.counts)], lines.counts[kept], place[lines.parents[kept]])


def _is_closed(lines: _Lines) -> NDArray[np.bool_]:
    meets = (lines.vertices[lines.starts] == lines.vertices[lines.stops - 1]).all(axis=1)
    return np.asarray((lines.counts > 2) & meets)


def _features(lines: _Lines, closed: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
    """Return one column per property."""
    from napari_lightbox.kernels.polyline_compiled import ring_measures

    lengths, gaps, areas = ring_measures(lines.vertices, lines.counts)
    return {
        "number": np.arange(1, len(lengths) + 1),
        "closed": closed,
        "parent": lines.parents + 1,
        "length": lengths + np.where(closed, gaps, 0),
        "area": np.where(closed, areas, 0),
    }


def _enclosing_circles(lines: _Lines) -> dict[str, NDArray[np.float64]]:
    import cv2

    points = np.ascontiguousarray(lines.vertices[:, ::-1], np.float32)
    found = [cv2.minEnclosingCircle(points[a:b]) for a, b in zip(lines.starts, lines.stops, strict=True)]
    rows = np.array([(y, x, radius) for (x, y), radius in found], float).reshape(-1, 3)
    return dict(zip(("centre_y", "centre_x", "radius"), rows.T, strict=True))
