"""Axis letters: which are known, which are spatial, how they are ordered."""

from __future__ import annotations

from napari_lightbox.errors import AxesError

SPATIAL = "zyx"
TIME = "t"
CHANNEL = "c"


def check_axes(axes: str, ndim: int | None = None) -> str:
    """Return `axes` unchanged when it is a valid axis string.

    Raises
    ------
    AxesError
        Letters repeat, are not lower-case letters, or do not match `ndim`.
    """
    if not isinstance(axes, str) or not all(a.isascii() and a.islower() for a in axes):
        raise AxesError(
            "axes", f"{axes!r} is not a string of lower-case letters", 'Write one letter per dimension, such as "tzyx"'
        )
    if len(set(axes)) != len(axes):
        raise AxesError("axes", f"{axes!r} names an axis twice", "Give each dimension its own letter")
    if ndim is not None and len(axes) != ndim:
        raise AxesError(
            "axes", f"{axes!r} has {len(axes)} letters but the array has {ndim} dimensions", "Give one letter per dimension"
        )
    return axes


def spatial_axes(axes: str) -> str:
    """Return the spatial letters of `axes` in canonical order (z, y, x)."""
    return "".join(a for a in SPATIAL if a in axes)


def is_rgb(axes: str, shape: tuple[int, ...]) -> bool:
    """Tell whether the last axis is a colour axis: `c` with three or four entries."""
    return axes.endswith(CHANNEL) and shape[-1] in (3, 4)
