"""Rescale by a factor."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple

import numpy as np

from napari_lightbox.axes.geometry import Geometry
from napari_lightbox.contract import Advanced, Extent, Halo, PerAxis, Range, Unit, Where, per_axis, technique
from napari_lightbox.contract.grid import Box, Grid, Others
from napari_lightbox.contract.locality import Parameters
from napari_lightbox.contract.roles import ImageOrLabels, Points
from napari_lightbox.contract.where import IsLabels
from napari_lightbox.kernels.axis_resampling import resample_axes, working_type
from napari_lightbox.kernels.axis_taps import Interpolation, Taps, axis_taps
from napari_lightbox.kernels.point_mapping import map_points

_INTERPOLATION: dict[str, Interpolation] = {
    "auto": "linear", "nearest": "nearest", "linear": "linear", "cubic": "cubic_spline"
}  # fmt: skip


class Rescaled(NamedTuple):
    """The rescaled layer and the points that were on it."""

    image: ImageOrLabels
    points: Points | None


def _geometry(source: Geometry, p: Parameters, others: Others) -> Geometry:
    scale = per_axis("scale", p["scale"], source.ndim)
    return source.resized([max(int(np.round(s * n)), 1) for s, n in zip(scale, source.shape, strict=True)])


def _taps(box: Box, source: tuple[int, ...], target: tuple[int, ...], p: Parameters, order: str, work: Any) -> list[Taps]:
    given = None if p["anti_aliasing_sigma"] is None else per_axis("anti_aliasing_sigma", p["anti_aliasing_sigma"], len(source))
    taps = []
    for axis, (length, count) in enumerate(zip(source, target, strict=True)):
        sigma = max(0.0, (length / count - 1) / 2) if given is None else given[axis]
        smoothed = p["anti_aliasing"] and order != "nearest"
        taps.append(axis_taps(length, count, box[axis], _INTERPOLATION[order], sigma if smoothed else 0.0, p["border"], work))
    return taps


def _source(box: Box, source: Geometry, target: Geometry, p: Parameters) -> Box:
    return tuple(t.needed for t in _taps(box, source.shape, target.shape, p, p["order"], np.float64))


def _radius(p: Parameters, extent: Extent) -> tuple[int, ...]:
    reach = []
    for axis, scale in enumerate(per_axis("scale", p["scale"], extent.ndim)):
        sigma = (
            (1 / scale - 1) / 2 if p["anti_aliasing_sigma"] is None else per_axis("", p["anti_aliasing_sigma"], extent.ndim)[axis]
        )
        reach.append(int(np.ceil(4 * max(sigma, 0) + 1 / scale)) + (31 if p["order"] == "cubic" else 2))
    return tuple(reach)


@technique(
    "rescale",
    title="Rescale",
    locality=Halo(_radius),
    grid=Grid(_geometry, _source),
    synonyms=("resize", "zoom", "downsample", "enlarge", "shrink", "bin"),
)
def rescale(
    image: ImageOrLabels,
    points: Points | None = None,
    *,
    scale: Annotated[float | tuple[float, ...], PerAxis(), Range(0.001, 100, 0.05)] = 0.25,
    order: Literal["auto", "nearest", "linear", "cubic"] = "auto",
    anti_aliasing: bool = True,
    anti_aliasing_sigma: Annotated[float | tuple[float, ...] | None, PerAxis(), Range(0, 1000), Unit("px"), Advanced()] = None,
    border: Annotated[Literal["mirror", "reflect", "nearest"], Advanced()] = "mirror",
    where: Where,
    is_labels: IsLabels = False,
) -> Rescaled:
    """Change the number of samples per axis and keep the extent in the world.

    Shrinking saves memory and speeds up everything that follows; enlarging makes small structures smooth on screen and adds no
    information. Smoothing before shrinking (anti-aliasing) keeps fine patterns from turning into false coarse ones.

    Parameters
    ----------
    image
        Image or Labels (y, x) or (z, y, x), any real type.
    points
        Points on the image, carried along.
    scale
        Factor per axis, one number or one per axis (z, y, x); 0.25 makes a quarter of the samples, 3 three times as many.
    order
        How values between samples are found: auto (linear for images, nearest for Labels), nearest, linear,
        cubic (B-spline through the samples).
    anti_aliasing
        Smooth by a Gaussian along the axes that shrink. Nearest picks samples as they are and is never smoothed.
    anti_aliasing_sigma
        Width of that Gaussian in input pixels; None means (1 / scale - 1) / 2 per axis.
    border
        How the image goes on beyond its border: mirror (d c b | a b c d | c b a), reflect (c b a | a b c d | d c b), nearest.

    Returns
    -------
    image
        Same type, integers rounded; the spacing is changed so that the extent stays in place. Labels gain no new ids.
    points
        The points in index coordinates of the result; None without points.

    Raises
    ------
    ParameterError
        A wrong number of values per axis.

    Notes
    -----
    The output has round(n * scale) samples per axis, at least one. Smoothing, interpolation and the spline prefilter are one
    weighted sum per axis that is evaluated at the output samples only, in float32 for 8-bit, 16-bit and float32 images. A cubic
    result may overshoot the range of the image, as it is not clipped to it (only to the range of the data type).

    References
    ----------
    scikit-image ``transform.rescale`` with ``preserve_range=True, clip=False``, equal within 1e-6 of the value range (one
    grey level for integers). P. Thevenaz, T. Blu, M. Unser, Interpolation revisited, IEEE Transactions on Medical
    Imaging 19 (2000), doi:10.1109/42.875199.
    """
    p: dict[str, Any] = {
        "scale": scale,
        "anti_aliasing": anti_aliasing,
        "anti_aliasing_sigma": anti_aliasing_sigma,
        "border": border,
    }
    target = _geometry(where.geometry, p, {})
    box = tuple(slice(a, a + n) for a, n in zip(where.out_start, where.out_shape, strict=True))
    chosen = "nearest" if (is_labels and order == "auto") or (image.dtype == bool and order == "auto") else order
    taps = _taps(box, where.whole, target.shape, p, chosen, working_type(image.dtype))
    cheapest_first = sorted(range(image.ndim), key=lambda a: target.shape[a] / where.whole[a])
    resized = resample_axes(image, taps, where.start, cheapest_first)
    return Rescaled(resized, map_points(points, np.linalg.inv(target.affine) @ where.geometry.affine))
