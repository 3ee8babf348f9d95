"""Build the kernel of a bound technique."""

from __future__ import annotations

from typing import Any

from napari_lightbox.contract import GlobalThenPointwise
from napari_lightbox.contract.locality import radius_of
from napari_lightbox.engine.bind import Bound
from napari_lightbox.engine.inputs import Source
from napari_lightbox.engine.kernel import Kernel
from napari_lightbox.engine.outputs import ArrayPlan, plan_array


def make_kernel(bound: Bound) -> Kernel:
    """Return the callable that runs the technique on blocks."""
    technique = bound.technique
    specs = [s for s in technique.inputs if s.is_array and s.role.aligned]
    aligned = tuple(s.name for s, source in zip(specs, bound.arrays, strict=False) if source is not None)
    free = {name: value for name, value in bound.values.items() if not isinstance(value, Source)}
    fast = technique.grid is None
    return Kernel(
        technique=technique,
        parameters=bound.parameters,
        plans=make_plans(bound),
        names=tuple(s.name for s in technique.inputs),
        aligned=aligned,
        masks=frozenset(s.name for s in technique.inputs if s.role.name == "mask"),
        mapped=len(bound.mapped),
        over=len(bound.over),
        colour=bound.colour,
        spacing=bound.spacing,
        is_labels=bound.first.role == "labels",
        dtype=bound.first.data.dtype,
        whole=bound.shape,
        geometry=Deferred(bound) if fast else _Known(bound.geometry),
        others=bound.others,
        group=group_axes(bound),
        trim=radius_of(technique.locality) is not None and technique.grid is None,
        extras=free,
    )


def make_plans(bound: Bound) -> tuple[ArrayPlan | None, ...]:
    """Return the array plan of every output; None for outputs that are no arrays."""
    shape = bound.shape if bound.technique.grid is None else None
    return tuple(plan_array(bound, spec, shape) if spec.is_array else None for spec in bound.technique.outputs)


def group_axes(bound: Bound) -> tuple[int, ...]:
    """Return the positions of the mapped axes along which statistics are taken separately."""
    if not isinstance(bound.technique.locality, GlobalThenPointwise):
        return ()
    if bound.parameters.get("scope", "element") == "layer":
        return tuple(i for i, a in enumerate(bound.mapped) if a == "c")
    return tuple(range(len(bound.mapped)))


class _Known:
    """A geometry that is at hand."""

    def __init__(self, geometry: Any) -> None:
        self.value = geometry

    def __call__(self) -> Any:
        """Return the geometry."""
        return self.value


class Deferred(_Known):
    """A geometry that is built when a kernel asks, and travels as a value."""

    def __init__(self, bound: Bound) -> None:
        self.bound: Bound | None = bound

    def __call__(self) -> Any:
        """Return the geometry, building it the first time."""
        if self.bound is not None:
            self.value, self.bound = self.bound.geometry, None
        return self.value

    def __reduce__(self) -> Any:
        return _Known, (self(),)
