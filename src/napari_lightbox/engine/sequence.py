"""State that runs along t: frames in order, checkpoints kept, nearest one reused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.contract import Sequence as SequenceLocality
from napari_lightbox.engine.kernel import Index, Kernel, Place

States = dict[Index, Any]


def run_frames(
    kernel: Kernel,
    blocks: Mapping[str, Any],
    time: int,
    place: Place,
    states: States | None,
    restriction: Any,
    into: tuple[NDArray[Any], ...] | None = None,
) -> tuple[States, tuple[Any, ...]]:
    """Run consecutive frames from `states` (None at the start) and return the new states and the outputs.

    Parameters
    ----------
    time
        Position of t among the mapped axes; every other mapped index has a state of its own.
    into
        Arrays for the outputs, where all are arrays of known shape; new ones are made when not given.
    """
    locality = kernel.technique.locality
    assert isinstance(locality, SequenceLocality)
    current: States = dict(states or {})
    first = blocks[kernel.aligned[0]]
    collected: Any = into or [{} for _ in kernel.plans]
    shape = first.shape[: kernel.mapped]
    for index in sorted(np.ndindex(*shape), key=lambda i: i[time]):
        track = index[:time] + index[time + 1 :]
        if track not in current:
            current[track] = locality.start(kernel.argument(kernel.aligned[0], first, index), kernel.parameters)
        state, outcome = kernel.step(blocks, index, place, current[track])
        current[track] = state
        for bucket, value in zip(collected, kernel.finish(outcome, blocks, index, place, restriction), strict=True):
            bucket[index] = value
    if into is not None:
        return current, into
    return current, tuple(_arrange(kernel, number, bucket, shape, place) for number, bucket in enumerate(collected))


def _arrange(kernel: Kernel, number: int, bucket: dict[Index, Any], shape: Index, place: Place) -> Any:
    ordered = [bucket[index] for index in np.ndindex(*shape)]
    if kernel.plans[number] is None:
        return [
            (tuple(o + i for o, i in zip(place.mapped, index, strict=True)), value)
            for index, value in zip(np.ndindex(*shape), ordered, strict=True)
        ]
    if ordered[0] is None:
        return None
    return np.stack(ordered).reshape(shape + ordered[0].shape)
