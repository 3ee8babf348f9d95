"""Runs around whose kernel there is nothing to do: pixels in, pixels out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from numpy.typing import NDArray

from napari_lightbox.contract import Collection, GlobalThenPointwise
from napari_lightbox.contract import Sequence as SequenceLocality
from napari_lightbox.engine.bind import Bound
from napari_lightbox.engine.kernel import Kernel, Place
from napari_lightbox.engine.outputs import result_axes

Straight: TypeAlias = Callable[[NDArray[Any]], NDArray[Any]]

_SEVERAL_STEPS = (Collection, GlobalThenPointwise, SequenceLocality)


def straight(bound: Bound, kernel: Kernel) -> Straight | None:
    """Return what takes the pixels of the only input to those of the only output, or None where a run has more to it.

    Parameters
    ----------
    bound
        A run on bare arrays whose optional inputs are left out; of its arrays only the shapes matter.
    kernel
        What `make_kernel` makes of it.
    """
    if not _is_straight(bound, kernel):
        return None
    first, *others = kernel.names
    box = tuple(slice(0, n) for n in bound.shape)
    place = Place((), box, box)
    keywords, left_out = kernel.keywords((), place, None), (None,) * len(others)

    def call(pixels: NDArray[Any]) -> NDArray[Any]:
        outcome = kernel.technique.function(kernel.argument(first, pixels, ()), *left_out, **keywords)
        done: NDArray[Any] = kernel.finish((outcome,), {}, (), place, None)[0]
        return done

    return call


def _is_straight(bound: Bound, kernel: Kernel) -> bool:
    alone = sum(source is not None for source in bound.arrays) == 1 and bound.mask is None and not bound.references
    if not alone or bound.first.volume is not None or bound.first.name != kernel.names[0] or not kernel.direct:
        return False
    as_given = not bound.mapped and not bound.colour and bound.first.axes == bound.over
    plan = kernel.plans[0]
    as_made = plan is not None and result_axes(bound, plan) == plan.axes
    return as_given and as_made and bound.technique.grid is None and not isinstance(bound.technique.locality, _SEVERAL_STEPS)
