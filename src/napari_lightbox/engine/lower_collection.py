"""Lower `Collection`: one task over all images; its shape is known only afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan
from typing import Any

import dask.array as da
import numpy as np
from dask import delayed

from napari_lightbox.axes.order import CHANNEL
from napari_lightbox.engine.bind import Bound
from napari_lightbox.engine.inputs import transpose
from napari_lightbox.engine.kernel import Kernel
from napari_lightbox.engine.make_kernel import make_kernel


def lower_collection(bound: Bound) -> tuple[Kernel, tuple[Any, ...]]:
    """Return lazy outputs: arrays with unknown lengths, Delayed values for the rest."""
    kernel = make_kernel(bound)
    colour = CHANNEL if bound.colour else ""
    images = [
        transpose(s.data, s.axes, bound.over + (colour if CHANNEL in s.axes else "")) for s in bound.arrays if s is not None
    ]
    bundle = delayed(_collect, pure=True)(kernel, images)
    outputs: list[Any] = []
    for position, (spec, plan) in enumerate(zip(bound.technique.outputs, kernel.plans, strict=True)):
        if not spec.present(bound.parameters):
            outputs.append(None)
        elif plan is None:
            outputs.append(delayed(_value)(bundle, position))
        else:
            shape = (nan,) * len(bound.over) + plan.lengths[len(bound.over) :]
            outputs.append(
                da.from_delayed(bundle[position], shape, dtype=plan.dtype, meta=np.empty((0,) * len(shape), plan.dtype))
            )
    return kernel, tuple(outputs)


def _collect(kernel: Kernel, images: Sequence[Any]) -> tuple[Any, ...]:
    return kernel.collect([np.asarray(image) for image in images])


def _value(bundle: tuple[Any, ...], position: int) -> Any:
    return [((), bundle[position])]
