"""A whole film at once: stripes of space side by side, each with its own state through all frames."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np

from napari_lightbox.contract import Sequence
from napari_lightbox.engine.kernel import Kernel, Place
from napari_lightbox.engine.outputs import ArrayPlan
from napari_lightbox.engine.sequence import run_frames
from napari_lightbox.kernels.slabs import run_slabs

_LEAST_PIXELS = 1 << 13


def run_stripes(kernel: Kernel, blocks: Mapping[str, Any], time: int, place: Place, restriction: Any) -> tuple[Any, ...]:
    """Return the outputs of `run_frames` from the start, with the first axis in space shared out between processors.

    Sharing each frame out would cost a meeting of all threads per frame. For techniques whose space may be cut
    and whose outputs are arrays on the input's grid.
    """
    rows, *others = place.taken
    outputs = tuple(np.empty([n or 0 for n in plan.lengths], plan.dtype) for plan in _array_plans(kernel))

    def work(first: int, last: int) -> None:
        cut = (slice(None),) * kernel.mapped + (slice(first, last),)
        stripe = {name: block[cut] if name in kernel.aligned and block is not None else block for name, block in blocks.items()}
        mask = None if restriction is None else restriction[cut]
        box = (slice(rows.start + first, rows.start + last), *others)
        run_frames(kernel, stripe, time, Place(place.mapped, box, box), None, mask, tuple(array[cut] for array in outputs))

    plane = prod(s.stop - s.start for s in others)
    run_slabs(work, rows.stop - rows.start, -(-_LEAST_PIXELS // max(plane, 1)))
    return outputs


def fits_stripes(kernel: Kernel) -> bool:
    """Return whether `run_stripes` gives what `run_frames` gives."""
    locality = kernel.technique.locality
    if not (isinstance(locality, Sequence) and locality.tiled and kernel.technique.grid is None):
        return False
    plans = _array_plans(kernel)
    return len(plans) == len(kernel.plans) and all(plan.known and plan.spec.extra_axis is None for plan in plans)


def _array_plans(kernel: Kernel) -> list[ArrayPlan]:
    return [plan for plan in kernel.plans if plan is not None]
