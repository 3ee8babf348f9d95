"""What a run will give: dtype, axes and geometry of every output, known beforehand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_lightbox.axes import Geometry
from napari_lightbox.axes import affine as _affine
from napari_lightbox.axes.order import CHANNEL
from napari_lightbox.contract import label_dtype, output_dtype
from napari_lightbox.contract.signature import OutputSpec
from napari_lightbox.engine.bind import Bound


@dataclass(frozen=True)
class ArrayPlan:
    """An array output: `axes` in canonical order, length None where only the data can tell."""

    spec: OutputSpec
    dtype: np.dtype[Any]
    axes: str
    lengths: tuple[int | None, ...]

    @property
    def known(self) -> bool:
        """Whether the shape is known before the run."""
        return None not in self.lengths


def plan_array(bound: Bound, spec: OutputSpec, over_shape: tuple[int, ...] | None = None) -> ArrayPlan:
    """Return the plan of one array output.

    `over_shape` replaces the grid's shape, for eager runs that skip building geometries.
    """
    extra, lengths = "", []
    if spec.extra_axis is not None:
        extra = spec.extra_axis.letter
        given = frozenset(source.name for source in bound.arrays if source is not None)
        known = {**bound.grid_parameters, "inputs": given}
        lengths = [spec.extra_axis.length(known) if spec.extra_axis.length else None]
    colour = colour_length(bound, spec)
    shape = over_shape if over_shape is not None else bound.grid.shape
    return ArrayPlan(
        spec,
        array_dtype(bound, spec),
        bound.mapped + extra + bound.over + (CHANNEL if colour else ""),
        (*bound.lengths(bound.mapped), *lengths, *shape, *([colour] if colour else [])),
    )


def colour_length(bound: Bound, spec: OutputSpec) -> int:
    """Return the length of an output's colour axis, 0 when it has none."""
    if not bound.colour or spec.role.name not in ("image", "image_or_labels"):
        return 0
    own = bound.lengths(CHANNEL)[0]
    if spec.channels is None or spec.channels.rule == "keep":
        return own
    return 0 if spec.channels.rule == "drop" else int(spec.channels.rule)


def array_dtype(bound: Bound, spec: OutputSpec) -> np.dtype[Any]:
    """Return the data type of an array output."""
    dtype = bound.first.data.dtype
    if spec.dtype is not None:
        return output_dtype(spec.dtype.rule, dtype, bound.parameters)
    if spec.role.name == "image_or_labels":
        own: np.dtype[Any] = np.dtype(dtype)
        return own
    if spec.role.name == "labels":
        return label_dtype(dtype) if bound.first.role == "labels" else np.dtype(np.int32)
    return output_dtype(bound.technique.dtype, dtype, bound.parameters)


def result_axes(bound: Bound, plan: ArrayPlan) -> str:
    """Return the axes of an output arranged like the first input, extra axes in front."""
    new = [a for a in plan.axes if a not in bound.first.axes]
    return "".join(new) + "".join(a for a in bound.first.axes if a in plan.axes)


def result_geometry(bound: Bound, axes: str, shape: tuple[int, ...]) -> Geometry:
    """Return the geometry of an output: mapped axes as in the input, kernel axes as on the grid."""
    source = bound.first.geometry
    if bound.technique.grid is None and axes == source.axes and shape == source.shape:
        return source
    matrix = np.eye(len(axes) + 1)
    units = ["pixel"] * len(axes)
    grid = bound.grid
    for origin in (source, grid):
        shared = [a for a in axes if a in origin.axes and (origin is grid or a not in bound.over)]
        here = [axes.index(a) for a in shared] + [len(axes)]
        there = _affine.selected(origin.affine, [origin.axes.index(a) for a in shared])
        matrix[np.ix_(here, here)] = there
        for a in shared:
            units[axes.index(a)] = origin.units[origin.axes.index(a)]
    return Geometry(axes, shape, matrix, tuple(units))
