"""The structuring element as the morphology techniques ask for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeAlias

from numpy.typing import NDArray

from napari_lightbox.contract import Extent, PerAxis, Range, Unit, in_samples
from napari_lightbox.contract.locality import Parameters
from napari_lightbox.errors import InputError, ParameterError
from napari_lightbox.kernels.footprint import Footprint, FootprintShape, custom_footprint, half_widths, make_footprint

Radius: TypeAlias = Annotated[float | tuple[float, ...], PerAxis(), Range(0, 999, 1), Unit("px")]
Iterations: TypeAlias = Annotated[int, Range(1, 100)]


def halo(steps: int) -> Callable[[Parameters, Extent], tuple[int, ...]]:
    """Return the radius rule of a technique that applies its element `steps` times per iteration."""

    def radius(p: Parameters, extent: Extent) -> tuple[int, ...]:
        samples = in_samples("radius", p["radius"], p["unit"], extent.spacing)
        return tuple(r * p["iterations"] * steps for r in half_widths(p["shape"], samples))

    return radius


def element(
    block: NDArray[Any],
    footprint: NDArray[Any] | None,
    shape: FootprintShape,
    radius: float | Sequence[float],
    unit: str,
    spacing: Sequence[float],
) -> Footprint:
    """Return the footprint for a block: drawn by the user, or of a named shape.

    Raises
    ------
    ParameterError
        A custom shape without footprint, a footprint with another shape, or one that reaches beyond the radius.
    InputError
        A footprint without any cell, or with more or fewer axes than the block.
    """
    samples = in_samples("radius", radius, unit, tuple(spacing)[-block.ndim :])
    if shape != "custom":
        if footprint is not None:
            raise ParameterError("shape", f"{shape!r} leaves the given footprint unused", "Choose 'custom', or give no footprint")
        return make_footprint(shape, samples)
    if footprint is None:
        raise ParameterError("shape", "'custom' needs a footprint", "Give an array or layer with the element's pixels")
    if footprint.ndim != block.ndim:
        raise InputError("footprint", f"has {footprint.ndim} axes for {block.ndim}D blocks", f"Give a {block.ndim}D footprint")
    drawn = custom_footprint(footprint)
    if any(r > limit for r, limit in zip(drawn.reach, half_widths(shape, samples), strict=True)):
        raise ParameterError("radius", f"{radius} is less than the footprint reaches", f"Give at least {max(drawn.reach)} px")
    return drawn
