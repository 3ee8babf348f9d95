"""Crop by margins or to a box, with optional resizing."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple

import numpy as np

from napari_lightbox.axes.geometry import Geometry
from napari_lightbox.contract import PerAxis, Pointwise, Range, Unit, VisibleIf, Where, per_axis, technique
from napari_lightbox.contract.grid import Box, Grid, Others
from napari_lightbox.contract.locality import Parameters
from napari_lightbox.contract.roles import ImageOrLabels, Points, Shapes
from napari_lightbox.contract.where import IsLabels
from napari_lightbox.errors import InputError, ParameterError
from napari_lightbox.kernels.axis_resampling import resample_axes, working_type
from napari_lightbox.kernels.axis_taps import Interpolation, Taps, axis_taps
from napari_lightbox.kernels.point_mapping import map_points

_Count = int | tuple[int, ...]
_INTERPOLATION: dict[str, Interpolation] = {
    "auto": "cubic_convolution",
    "nearest": "nearest",
    "linear": "linear",
    "cubic": "cubic_convolution",
    "area": "area",
}


class Cropped(NamedTuple):
    """The cropped layer and the points that were on it."""

    image: ImageOrLabels
    points: Points | None


def _kept(shape: tuple[int, ...], p: Parameters) -> Box:
    """Return the box of the input that stays."""
    ndim = len(shape)
    if p["mode"] == "shapes":
        return _around(p["shapes"], shape)
    if p["mode"] == "margins":
        low = per_axis("before", p["before"], ndim)
        high = [n - after for n, after in zip(shape, per_axis("after", p["after"], ndim), strict=True)]
    else:
        low = per_axis("start", p["start"], ndim)
        high = (
            list(shape)
            if p["stop"] is None
            else [min(s, n) for s, n in zip(per_axis("stop", p["stop"], ndim), shape, strict=True)]
        )
    if any(a >= b for a, b in zip(low, high, strict=True)):
        raise ParameterError(p["mode"], f"leave nothing of shape {shape}", "Keep at least one sample along each axis")
    return tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))


def _around(shapes: Any, shape: tuple[int, ...]) -> Box:
    """Return the pixels whose centres lie in the bounding box of all shapes.

    Shapes drawn on one plane, or without an axis for it, keep the whole of that axis.
    """
    if shapes is None or not len(shapes.data):
        raise InputError("shapes", "hold no shape to crop to", 'Draw a rectangle and choose its layer, or take mode "box"')
    vertices = np.concatenate([np.asarray(one, float)[:, -len(shape) :] for one in shapes.data])
    missing = len(shape) - vertices.shape[1]
    low, high = np.zeros(len(shape)), np.array(shape, float) - 1
    drawn = np.flatnonzero(np.ptp(vertices, axis=0) > 0)
    low[drawn + missing] = np.ceil(vertices.min(axis=0)[drawn])
    high[drawn + missing] = np.floor(vertices.max(axis=0)[drawn])
    box = [(max(int(a), 0), min(int(b) + 1, n)) for a, b, n in zip(low, high, shape, strict=True)]
    if any(a >= b for a, b in box):
        raise InputError("shapes", f"cover no pixel of the image of shape {shape}", "Draw the rectangle on the image")
    return tuple(slice(a, b) for a, b in box)


def _lengths(kept: Box, p: Parameters) -> tuple[int, ...]:
    if p["size"] is None:
        return tuple(s.stop - s.start for s in kept)
    return tuple(int(n) for n in per_axis("size", p["size"], len(kept)))


def _geometry(source: Geometry, p: Parameters, others: Others) -> Geometry:
    kept = _kept(source.shape, p)
    cut = source.crop([s.start for s in kept], [s.stop - s.start for s in kept])
    return cut.resized(_lengths(kept, p))


def _taps(box: Box, shape: tuple[int, ...], p: Parameters, interpolation: str, work: Any) -> list[Taps]:
    """Return the taps per axis in coordinates of the whole input."""
    kept = _kept(shape, p)
    taps = []
    for part, within, count in zip(box, kept, _lengths(kept, p), strict=True):
        one = axis_taps(within.stop - within.start, count, part, _INTERPOLATION[interpolation], edge="nearest", work=work)
        taps.append(Taps(one.index + within.start, one.weight))
    return taps


def _source(box: Box, source: Geometry, target: Geometry, p: Parameters) -> Box:
    return tuple(t.needed for t in _taps(box, source.shape, p, p["interpolation"], np.float64))


@technique(
    "crop",
    title="Crop",
    locality=Pointwise(),
    grid=Grid(_geometry, _source),
    synonyms=("cut", "trim", "bounding box", "region of interest", "resize"),
)
def crop(
    image: ImageOrLabels,
    points: Points | None = None,
    shapes: Shapes | None = None,
    *,
    mode: Literal["margins", "box", "shapes"] = "margins",
    before: Annotated[_Count, PerAxis(), Range(0, None), Unit("px"), VisibleIf("mode", "margins")] = 0,
    after: Annotated[_Count, PerAxis(), Range(0, None), Unit("px"), VisibleIf("mode", "margins")] = 0,
    start: Annotated[_Count, PerAxis(), Range(0, None), Unit("px"), VisibleIf("mode", "box")] = 0,
    stop: Annotated[_Count | None, PerAxis(), Range(1, None), Unit("px"), VisibleIf("mode", "box")] = None,
    size: Annotated[_Count | None, PerAxis(), Range(1, None), Unit("px")] = None,
    interpolation: Literal["auto", "nearest", "linear", "cubic", "area"] = "auto",
    where: Where,
    is_labels: IsLabels = False,
) -> Cropped:
    """Keep a part of the picture, in its place in the world, and bring it to a wanted size.

    Takes borders away that a filter or an alignment has spoiled, cuts out one object, or makes tiles of
    one size for a network. All frames and channels are cut alike.

    Parameters
    ----------
    image
        Image or Labels (y, x) or (z, y, x), any real type.
    points
        Points on the image, carried along; those outside stay in the list, outside the grid.
    shapes
        For the mode shapes: rectangles or other shapes drawn on the image.
    mode
        margins takes samples away at both ends of each axis, box keeps those from start to stop, shapes keeps the pixels
        whose centres lie in the bounding box of the shapes; an axis along which they are flat is kept whole.
    before, after
        Samples to take away at the beginning and at the end, one number or one per axis (z, y, x).
    start, stop
        First sample to keep and the one after the last, one number or one per axis (z, y, x); None keeps all to the end.
    size
        Samples per axis after resizing the part, one number or one per axis (z, y, x); None keeps them as they are.
    interpolation
        How the part is resized: auto (cubic for images, nearest for Labels), nearest, linear, cubic (convolution with
        a = -0.75), area (mean of the covered samples, for shrinking).

    Returns
    -------
    image
        Same type; the origin, and with a size the spacing, are such that everything stays in place. Labels gain no new ids.
    points
        The points in index coordinates of the result; None without points.

    Raises
    ------
    ParameterError
        Nothing is left, or a wrong number of values per axis.
    InputError
        The mode shapes without a shape on the image.

    Notes
    -----
    Resizing looks at the kept part only and goes on beyond it with its outermost samples. A block of output reads only what
    it shows.

    References
    ----------
    OpenCV ``resize`` with ``INTER_CUBIC``, ``INTER_LINEAR``, ``INTER_AREA``, equal within one grey level (float32: 1e-4 of the
    value range, where OpenCV rounds its coordinates). R. G. Keys, Cubic convolution interpolation for digital image
    processing, IEEE Transactions on Acoustics, Speech, and Signal Processing 29 (1981), doi:10.1109/TASSP.1981.1163711.
    """
    p: dict[str, Any] = {
        "mode": mode,
        "shapes": shapes,
        "before": before,
        "after": after,
        "start": start,
        "stop": stop,
        "size": size,
    }
    target = _geometry(where.geometry, p, {})
    box = tuple(slice(a, a + n) for a, n in zip(where.out_start, where.out_shape, strict=True))
    picks = interpolation == "auto" and (is_labels or image.dtype == bool)
    taps = _taps(box, where.whole, p, "nearest" if picks else interpolation, working_type(image.dtype))
    cheapest_first = sorted(range(image.ndim), key=lambda a: target.shape[a] / where.whole[a])
    part = resample_axes(image, taps, where.start, cheapest_first)
    return Cropped(part.copy() if np.shares_memory(part, image) else part, map_points(points, _to_result(where.geometry, target)))


def _to_result(source: Geometry, target: Geometry) -> Any:
    return np.linalg.inv(target.affine) @ source.affine
