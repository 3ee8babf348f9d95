"""Sharpen by an unsharp mask."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.contract import Advanced, Extent, Halo, PerAxis, Range, Spacing, Unit, VisibleIf, in_samples, technique
from napari_lightbox.contract.locality import Parameters
from napari_lightbox.contract.roles import Image
from napari_lightbox.kernels.gaussian import gaussian, gaussian_radius
from napari_lightbox.kernels.separable import border_code
from napari_lightbox.kernels.slabs import run_slabs
from napari_lightbox.kernels.weighted_mean import gaussian_mean

_TRUNCATE = 4.0
_PER_THREAD = 1 << 20


def _radius(p: Parameters, extent: Extent) -> tuple[int, ...]:
    if p["method"] == "laplacian":
        return (1,) * extent.ndim
    return tuple(gaussian_radius(s, _TRUNCATE) for s in in_samples("radius", p["radius"], p["unit"], extent.spacing))


@technique(
    "unsharp_mask",
    title="Sharpen (unsharp mask)",
    locality=Halo(_radius),
    synonyms=("sharpen", "edge enhancement", "Laplacian sharpening"),
)
def unsharp_mask(
    image: Image,
    *,
    method: Literal["gaussian", "laplacian"] = "gaussian",
    radius: Annotated[
        float | tuple[float, ...], PerAxis(), Range(0, 200, 0.5), Unit("px"), VisibleIf("method", "gaussian")
    ] = 1.0,
    amount: Annotated[float, Range(0, 100, 0.1)] = 1.0,
    unit: Annotated[Literal["px", "physical"], Advanced()] = "px",
    spacing: Spacing = (1.0, 1.0, 1.0),
) -> Image:
    """Lift edges and fine detail by adding what a blur takes away.

    out = v + amount (v - blurred). Use it for viewing and printing; it overshoots on both sides of an edge and lifts noise, so
    measure before it, not after.

    Parameters
    ----------
    image
        Image (y, x) or (z, y, x), any real type.
    method
        gaussian subtracts a Gaussian blur; laplacian subtracts the discrete Laplacian, the 3 x 3 sharpening kernel
        (0 -1 0, -1 5 -1, 0 -1 0) at amount 1 and its 7-point form in three dimensions.
    radius
        Standard deviation of the blur, one number or one per axis (z, y, x): about the size of the detail to lift, 1 to 5.
    amount
        Strength; 0 leaves the image as it is.
    unit
        Whether the radius is in pixels or in the layer's physical units, divided by the spacing of each axis.

    Returns
    -------
    image
        Same type; integers are rounded and clipped to their range, floats are not clipped.

    Raises
    ------
    ParameterError
        A wrong number of values per axis.

    Notes
    -----
    The image is reflected at its border (d c b a | a b c d | d c b a). The blur of integers is kept as float64, so they come out
    the same however the image is cut. A NaN reaches every pixel whose kernel holds it.

    References
    ----------
    scikit-image ``unsharp_mask`` with ``preserve_range``.
    """
    block = image.astype(np.float32) if image.dtype == np.float16 else image
    if method == "laplacian":
        smooth = _plus_laplacian(block)
    else:
        sigmas = in_samples("radius", radius, unit, spacing[-block.ndim :])
        radii = [gaussian_radius(s, _TRUNCATE) for s in sigmas]
        blur = gaussian if block.dtype == np.float32 else gaussian_mean
        smooth = blur(block, sigmas, radii, "reflect")
    return _sharpened(block, smooth, amount).astype(image.dtype, copy=False)


def _plus_laplacian(block: NDArray[Any]) -> NDArray[np.float64]:
    """Return the block plus its Laplacian, exact for integers up to 32 bits."""
    import cv2

    centre = 1 - 2 * block.ndim
    cross = np.array([[0, 1, 0], [1, centre, 1], [0, 1, 0]], np.float64)
    planes = block.astype(np.float64).reshape(-1, *block.shape[-2:])
    out = np.empty_like(planes)
    for plane, target in zip(planes, out, strict=True):
        cv2.filter2D(plane, cv2.CV_64F, cross, dst=target, borderType=border_code("reflect"))
    if block.ndim == 3:
        out += np.concatenate([planes[:1], planes[:-1]])
        out += np.concatenate([planes[1:], planes[-1:]])
    return out.reshape(block.shape)


def _sharpened(block: NDArray[Any], smooth: NDArray[Any], amount: float) -> NDArray[Any]:
    """Return the sharpened block; floats are made in the place of `smooth`."""
    from napari_lightbox.kernels.sharpening_compiled import sharpen_floats, sharpen_integers

    data = block.view(np.uint8) if block.dtype.kind == "b" else block
    flat, blurred = np.ascontiguousarray(data).reshape(-1), smooth.reshape(-1)
    if flat.dtype.kind == "f":
        weight = blurred.dtype.type(amount)
        run_slabs(lambda a, b: sharpen_floats(flat[a:b], blurred[a:b], weight), flat.size, least=_PER_THREAD)
        return blurred.reshape(block.shape).astype(block.dtype, copy=False)
    out = np.empty_like(flat)
    low, high = _limits(block.dtype)
    run_slabs(
        lambda a, b: sharpen_integers(flat[a:b], blurred[a:b], float(amount), low, high, out[a:b]), flat.size, least=_PER_THREAD
    )
    return out.reshape(block.shape).view(block.dtype)


def _limits(dtype: np.dtype[Any]) -> tuple[float, float]:
    if dtype.kind == "b":
        return 0.0, 1.0
    limits = np.iinfo(dtype)
    # float64 cannot hold the largest 64-bit integers: stay below them, then the cast cannot wrap
    return float(limits.min), float(np.nextafter(float(limits.max), 0)) if dtype.itemsize == 8 else float(limits.max)
