"""Median filter."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.contract import Advanced, Extent, Halo, Odd, PerAxis, Range, Spacing, Unit, in_samples, per_axis, technique
from napari_lightbox.contract.locality import Parameters
from napari_lightbox.contract.roles import Image
from napari_lightbox.errors import ParameterError
from napari_lightbox.kernels.borders import Continuation, extended
from napari_lightbox.kernels.median import median, median_opencv, opencv_can
from napari_lightbox.kernels.missing import nan_spreads
from napari_lightbox.kernels.windows import Footprint, half_widths, window_mask

Backend = Literal["auto", "opencv", "scipy", "simpleitk"]


def _radii(p: Parameters, spacing: tuple[float, ...]) -> tuple[float, ...]:
    """Return the radius of the window per axis, in samples."""
    if p["size"] is not None:
        return tuple(s // 2 for s in per_axis("size", p["size"], len(spacing)))
    return in_samples("radius", p["radius"], p["unit"], spacing)


def _radius(p: Parameters, extent: Extent) -> tuple[int, ...]:
    return half_widths(_radii(p, extent.spacing))


def _check(p: Parameters, ndim: int) -> None:
    if p["footprint"] == "ball" and p["backend"] in ("opencv", "simpleitk"):
        raise ParameterError("backend", f"{p['backend']} has no ball-shaped window", 'Choose "auto" or "scipy", or the box')
    if p["backend"] == "opencv" and ndim != 2:
        raise ParameterError("backend", "opencv has a median for planes only", 'Choose "auto", or work plane by plane')


@technique(
    "median_filter",
    title="Median filter",
    locality=Halo(_radius),
    synonyms=("median blur", "despeckle", "salt and pepper", "rank filter"),
    check=_check,
)
def median_filter(
    image: Image,
    *,
    radius: Annotated[float | tuple[float, ...], PerAxis(), Range(0, 500, 1), Unit("px")] = 1.0,
    unit: Literal["px", "physical"] = "px",
    footprint: Footprint = "box",
    size: Annotated[int | tuple[int, ...] | None, PerAxis(), Odd(), Range(1, 1001), Unit("px"), Advanced()] = None,
    border: Annotated[Continuation, Advanced()] = "reflect",
    backend: Annotated[Backend, Advanced()] = "auto",
    spacing: Spacing = (1.0, 1.0),
) -> Image:
    """Replace each pixel by the median of its neighbourhood.

    Removes impulse noise (salt and pepper, hot pixels) and small specks while straight edges stay sharp and in
    place; corners and lines thinner than half the window are lost. Use a Gaussian blur for plain sensor noise.

    Parameters
    ----------
    image
        Image (y, x) or (z, y, x), any real type.
    radius
        How far the window reaches to each side, one number or one per axis (z, y, x): 1 is a 3 x 3 window, 2 is
        5 x 5; 0 leaves an axis out.
    unit
        Whether the radius is in pixels or in the layer's physical units, divided by the spacing of each axis.
    footprint
        Shape of the window: box, or ball (a disc in 2D, an ellipsoid when the radii differ).
    size
        Odd width of the window in pixels, instead of the radius.
    border
        How the image goes on beyond its border: reflect (d c b a | a b c d | d c b a), mirror
        (d c b | a b c d | c b a), nearest (a a a | a b c d | d d d).
    backend
        Library that computes it; all give the same values. auto takes the fastest.

    Returns
    -------
    image
        Same shape and type; every value is one that occurs in the window.

    Raises
    ------
    ParameterError
        An even size, a wrong number of values per axis, or a backend that lacks this kind of window.

    Notes
    -----
    Exact for every type. A pixel whose window holds a NaN becomes NaN. For a median over time, let the filter work
    over t.

    Small planes go to OpenCV; other windows of up to 125 samples are sorted by a comparator network on vectors of
    neighbouring pixels, larger ones by a histogram of ranks that slides along each row.

    References
    ----------
    Huang, Yang, Tang (1979), A fast two-dimensional median filtering algorithm, doi:10.1109/TASSP.1979.1163188;
    scipy.ndimage ``median_filter``, OpenCV ``medianBlur``, SimpleITK ``Median``, equal.
    """
    parameters: dict[str, Any] = {"radius": radius, "unit": unit, "size": size, "footprint": footprint, "backend": backend}
    _check(parameters, image.ndim)
    radii = _radii(parameters, spacing[-image.ndim :])
    window = window_mask(radii, footprint)
    return nan_spreads(lambda block: _run(block, radii, footprint, border, backend), image, window)


def _run(
    block: NDArray[Any], radii: tuple[float, ...], footprint: Footprint, border: Continuation, backend: Backend
) -> NDArray[Any]:
    half = half_widths(radii)
    if backend == "opencv" and any(half):
        if not opencv_can(block, half):
            raise ParameterError("backend", f"opencv has no median of this size for {block.dtype}", 'Choose "auto"')
        return median_opencv(block, half[0], border)
    if backend == "scipy":
        from scipy import ndimage

        wide = block.astype(np.float32) if block.dtype == np.float16 else block
        filtered = ndimage.median_filter(wide, footprint=window_mask(radii, footprint), mode=border)
        return np.asarray(filtered).astype(block.dtype)
    if backend == "simpleitk":
        return _run_itk(block, half, border)
    return median(block, radii, footprint, border)


def _run_itk(block: NDArray[Any], half: tuple[int, ...], border: Continuation) -> NDArray[Any]:
    """Run ITK's median on the extended block, since ITK itself knows one border only."""
    import SimpleITK as sitk

    known = {"b": np.dtype(np.uint8), "f": np.promote_types(block.dtype, np.float32)}.get(block.dtype.kind, block.dtype)
    padded = extended(block.astype(known, copy=False), half, border)
    filtered = sitk.GetArrayFromImage(sitk.Median(sitk.GetImageFromArray(padded), half[::-1]))
    inside = tuple(slice(h, h + n) for h, n in zip(half, block.shape, strict=True))
    return np.asarray(filtered)[inside].astype(block.dtype)
