"""Lengths per axis: one number or one per axis, in samples or in the layer's units."""

from __future__ import annotations

from collections.abc import Sequence

from napari_lightbox.errors import ParameterError


def per_axis(name: str, value: float | Sequence[float], ndim: int) -> tuple[float, ...]:
    """Return `value` as one number per spatial axis.

    Raises
    ------
    ParameterError
        A sequence whose length is not `ndim`.
    """
    if isinstance(value, (int, float)):
        return (value,) * ndim
    values = tuple(value)
    if len(values) != ndim:
        raise ParameterError(
            name, f"has {len(values)} values for {ndim} spatial axes", "Give one number or one per axis (z, y, x)"
        )
    return values


def in_samples(name: str, value: float | Sequence[float], unit: str, spacing: Sequence[float]) -> tuple[float, ...]:
    """Return a length per axis in samples; `unit` is ``"px"`` or ``"physical"``."""
    values = per_axis(name, value, len(spacing))
    if unit == "px":
        return values
    return tuple(v / s for v, s in zip(values, spacing, strict=True))
