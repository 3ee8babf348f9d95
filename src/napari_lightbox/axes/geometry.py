"""Geometry: axes, shape and the affine that places an array in the world."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from napari_lightbox.axes import affine as _affine
from napari_lightbox.axes.order import CHANNEL, SPATIAL, check_axes, spatial_axes
from napari_lightbox.errors import AxesError


@dataclass(frozen=True, eq=False)
class Geometry:
    """Where an array lies in the world.

    World coordinates follow the DICOM patient system: z to the head (S), y to the back (P),
    x to the left (L), listed in the order of `axes`. Microscopy data use the same matrix with
    no rotation.

    Parameters
    ----------
    axes
        One letter per dimension: ``t z y x``, ``c`` for channels, other letters are extra axes.
    shape
        Length of each axis.
    affine
        Homogeneous matrix over all axes, index to world; identity when not given.
    units
        Unit of the spacing per axis, such as ``"mm"``; ``"pixel"`` when not given.
    """

    axes: str
    shape: tuple[int, ...]
    affine: _affine.Matrix = None  # type: ignore[assignment]
    units: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        shape = tuple(int(n) for n in self.shape)
        check_axes(self.axes, len(shape))
        matrix = np.eye(len(shape) + 1) if self.affine is None else self.affine
        object.__setattr__(self, "shape", shape)
        object.__setattr__(self, "affine", _affine.check_affine(matrix, len(shape)))
        units = tuple(self.units) or ("pixel",) * len(shape)
        if len(units) != len(shape):
            raise AxesError("units", f"{len(units)} given for {len(shape)} axes", "Give one unit per axis")
        object.__setattr__(self, "units", units)

    def __eq__(self, other: object) -> bool:
        """Compare axes, shape, units and (within rounding) the affine."""
        if not isinstance(other, Geometry):
            return NotImplemented
        return (self.axes, self.shape, self.units) == (other.axes, other.shape, other.units) and np.allclose(
            self.affine, other.affine, rtol=1e-6, atol=1e-6
        )

    __hash__ = None  # type: ignore[assignment]

    @classmethod
    def of(
        cls,
        axes: str,
        shape: Sequence[int],
        spacing: float | Sequence[float] | Mapping[str, float] | None = None,
        origin: Sequence[float] | None = None,
        units: Sequence[str] | None = None,
    ) -> Geometry:
        """Build an axis-aligned geometry from spacing and origin.

        `spacing` may be one number (all spatial axes), one per axis, one per spatial axis, or a
        mapping from letter to number.
        """
        check_axes(axes, len(shape))
        steps = expand_spacing(axes, spacing)
        return cls(axes, tuple(shape), _affine.scaling(steps, origin), tuple(units or ()))

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.axes)

    @property
    def spacing(self) -> tuple[float, ...]:
        """World length of one index step along each axis."""
        return _affine.spacing_of(self.affine)

    @property
    def origin(self) -> tuple[float, ...]:
        """World position of index (0, ..., 0)."""
        return tuple(float(v) for v in self.affine[:-1, -1])

    @property
    def spatial(self) -> str:
        """Spatial letters present, in canonical order."""
        return spatial_axes(self.axes)

    def spacing_along(self, axes: str) -> tuple[float, ...]:
        """Return the spacing of the named axes, in the order asked for."""
        steps = dict(zip(self.axes, self.spacing, strict=True))
        return tuple(steps[a] for a in axes)

    def length(self, axis: str) -> int:
        """Return the length of one axis."""
        return self.shape[self.axes.index(axis)]

    def select(self, axes: str) -> Geometry:
        """Return the geometry over `axes` only, in that order."""
        if axes == self.axes:
            return self
        keep = [self.axes.index(a) for a in axes]
        return Geometry(
            axes, tuple(self.shape[i] for i in keep), _affine.selected(self.affine, keep), tuple(self.units[i] for i in keep)
        )

    def without(self, axes: Iterable[str]) -> Geometry:
        """Return the geometry with some axes dropped."""
        gone = set(axes)
        return self.select("".join(a for a in self.axes if a not in gone))

    def insert(self, position: int, axis: str, length: int, spacing: float = 1.0, unit: str = "pixel") -> Geometry:
        """Return the geometry with one more axis before `position`."""
        return Geometry(
            self.axes[:position] + axis + self.axes[position:],
            (*self.shape[:position], length, *self.shape[position:]),
            _affine.inserted(self.affine, position, spacing),
            (*self.units[:position], unit, *self.units[position:]),
        )

    def crop(self, start: Sequence[int], shape: Sequence[int]) -> Geometry:
        """Return the geometry of the box that begins at `start` with `shape`."""
        return replace(self, shape=tuple(shape), affine=_affine.shifted(self.affine, start))

    def resized(self, shape: Sequence[int]) -> Geometry:
        """Return the geometry of the same extent sampled with another `shape` (pixel edges aligned)."""
        factors = np.array(self.shape, float) / np.array(shape, float)
        change = _affine.scaling(factors, (factors - 1) / 2)
        return replace(self, shape=tuple(int(n) for n in shape), affine=self.affine @ change)

    def with_spacing(self, spacing: float | Sequence[float] | Mapping[str, float] | None) -> Geometry:
        """Return the geometry with new spacing; directions and origin stay."""
        if spacing is None:
            return self
        steps = expand_spacing(self.axes, spacing, self.spacing)
        matrix = self.affine.copy()
        matrix[:-1, :-1] = _affine.directions_of(self.affine) * np.asarray(steps)
        return replace(self, affine=matrix)

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready description."""
        return {"axes": self.axes, "shape": list(self.shape), "affine": self.affine.tolist(), "units": list(self.units)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Geometry:
        """Rebuild a geometry from `to_json`."""
        return cls(data["axes"], tuple(data["shape"]), np.array(data["affine"], float), tuple(data["units"]))


def expand_spacing(
    axes: str, spacing: float | Sequence[float] | Mapping[str, float] | None, default: Sequence[float] | None = None
) -> tuple[float, ...]:
    """Return one positive spacing per axis.

    Raises
    ------
    AxesError
        A value is not finite and above zero, or the count fits neither all nor the spatial axes.
    """
    base = list(default) if default is not None else [1.0] * len(axes)
    spatial = [i for i, a in enumerate(axes) if a in SPATIAL]
    if spacing is None:
        return tuple(base)
    if isinstance(spacing, Mapping):
        given = {axes.index(a): v for a, v in spacing.items() if a in axes}
    elif isinstance(spacing, (int, float, np.number)):
        given = dict.fromkeys(spatial, float(spacing))
    else:
        values = list(spacing)
        no_channel = [i for i, a in enumerate(axes) if a != CHANNEL]
        match = next((which for which in (range(len(axes)), spatial, no_channel) if len(list(which)) == len(values)), None)
        if match is None:
            raise AxesError("spacing", f"{len(values)} values for axes {axes!r}", "Give one per spatial axis or one per axis")
        given = dict(zip(match, values, strict=True))
    for index, value in given.items():
        number = float(value)
        if not np.isfinite(number) or number <= 0:
            raise AxesError("spacing", f"{value} along {axes[index]!r} is not above zero", "Give the distance between samples")
        base[index] = number
    return tuple(base)
