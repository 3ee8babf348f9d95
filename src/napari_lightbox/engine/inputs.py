"""Turn what a caller passes into arrays with named axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import dask.array as da
import numpy as np

from napari_lightbox.axes import Geometry, Volume, check_axes, guess_axes
from napari_lightbox.axes.geometry import expand_spacing
from napari_lightbox.contract import check_dtype
from napari_lightbox.contract.roles import LABEL_ROLES
from napari_lightbox.contract.signature import InputSpec
from napari_lightbox.errors import AxesError, InputError


@dataclass(frozen=True)
class Source:
    """One pixel array with named axes; NumPy or dask, native byte order.

    `guessed` tells whether the axes were guessed, `volume` is what the caller passed when it was a Volume.
    """

    name: str
    role: str
    data: Any
    axes: str
    guessed: bool = False
    volume: Volume | None = None
    steps: Any = None

    @cached_property
    def geometry(self) -> Geometry:
        """Place of the array in the world."""
        if self.volume is not None:
            return self.volume.geometry.with_spacing(self.steps)
        return Geometry.of(self.axes, self.data.shape, self.steps)

    @property
    def is_lazy(self) -> bool:
        """Whether the array is computed on demand."""
        return isinstance(self.data, da.Array)

    def spacing_along(self, axes: str) -> tuple[float, ...]:
        """Return the spacing of some axes without building the geometry of a bare array."""
        if self.volume is not None:
            return self.geometry.spacing_along(axes)
        steps = dict(zip(self.axes, expand_spacing(self.axes, self.steps), strict=True))
        return tuple(steps[a] for a in axes)


def read_source(spec: InputSpec, value: Any, axes: str | None, spacing: Any, like: Source | None = None) -> Source:
    """Return the named array behind one input.

    Parameters
    ----------
    spec
        The declared input.
    value
        Volume, NumPy array, dask array or anything with shape and dtype that supports indexing.
    axes, spacing
        What the caller said about bare arrays.
    like
        The first input, whose axes a bare aligned array shares.

    Raises
    ------
    InputError, AxesError
        Not an array, empty, wrong dtype, or axes that do not fit.
    """
    volume = value if isinstance(value, Volume) else None
    data = _as_array(spec.name, volume.data if volume is not None else value)
    if volume is not None:
        names, guessed = volume.axes, False
    else:
        names, guessed = _name_axes(spec, data.shape, axes, like)
    labels = spec.role.name in LABEL_ROLES
    if labels and volume is None and data.dtype.kind == "f":
        _refuse_fraction(spec.name, data)
    native = check_dtype(spec.name, data.dtype, labels=labels)
    if data.dtype != native:
        data = data.astype(native)
    if 0 in data.shape:
        raise InputError(spec.name, f"is empty (shape {data.shape})", "Give an array with at least one element along each axis")
    role = "labels" if labels or (volume is not None and volume.role == "labels") else spec.role.name
    return Source(spec.name, role, data, names, guessed, volume, spacing)


def _as_array(name: str, data: Any) -> Any:
    if isinstance(data, (np.ndarray, da.Array)):
        return data
    if hasattr(data, "__dask_graph__"):
        raise InputError(name, f"is a {type(data).__name__}", "Pass a dask array")
    if hasattr(data, "shape") and hasattr(data, "dtype") and hasattr(data, "__getitem__"):
        if getattr(data, "chunks", None) is not None:
            return da.from_array(data, chunks=data.chunks)
        return np.asarray(data)
    if isinstance(data, (list, tuple, int, float)):
        array = np.asarray(data)
        if array.dtype != object:
            return array
    raise InputError(name, f"is a {type(data).__name__}, not an array", "Pass a NumPy array, a dask array or a Volume")


def _refuse_fraction(name: str, data: Any) -> None:
    raise InputError(name, f"has dtype {data.dtype}, labels are integers", "Round it and convert it to int32 first")


def _name_axes(spec: InputSpec, shape: tuple[int, ...], axes: str | None, like: Source | None) -> tuple[str, bool]:
    if not shape:
        raise InputError(spec.name, "is a single number", "Pass an array")
    if like is None or not spec.role.aligned:
        own = axes if axes is not None and (like is None or len(axes) == len(shape)) else None
        return (check_axes(own, len(shape)), False) if own is not None else (guess_axes(shape), True)
    for candidate in (like.axes, like.axes.replace("c", ""), like.axes.replace("c", "").replace("t", "")):
        if len(candidate) == len(shape):
            return candidate, like.guessed
    raise InputError(
        spec.name,
        f"has shape {shape}, the {like.name} has axes {like.axes!r} and shape {like.data.shape}",
        "Give it the same shape, or pass a Volume that names its axes",
    )


def check_same_grid(source: Source, first: Source, over: str) -> None:
    """Raise unless `source` covers the same pixels as `first` along `over` and along the axes they share.

    Raises
    ------
    InputError
        A missing or different axis.
    """
    missing = [a for a in over if a not in source.axes]
    if missing:
        raise InputError(
            source.name, f"has axes {source.axes!r} but the {first.name} is worked on over {over!r}", "Give it the same axes"
        )
    for axis in source.axes:
        mine = source.data.shape[source.axes.index(axis)]
        if axis not in first.axes:
            raise InputError(
                source.name, f"has an axis {axis!r} that the {first.name} lacks", "Drop that axis or add it to the image"
            )
        theirs = first.data.shape[first.axes.index(axis)]
        if mine != theirs:
            raise InputError(
                source.name,
                f"has length {mine} along {axis!r}, the {first.name} has {theirs}",
                f"Give it the shape of the {first.name}, {first.data.shape}",
            )


def transpose(data: Any, axes: str, order: str) -> Any:
    """Return `data` with its axes in another order (no copy)."""
    if axes == order:
        return data
    if sorted(axes) != sorted(order):
        raise AxesError("axes", f"{axes!r} cannot be arranged as {order!r}", "Name the same axes")
    return data.transpose([axes.index(a) for a in order])


def is_lazy(sources: Sequence[Source | None]) -> bool:
    """Tell whether any of the arrays is computed on demand."""
    return any(s is not None and s.is_lazy for s in sources)
