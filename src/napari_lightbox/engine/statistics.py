"""Statistics of a scope: the first half of `GlobalThenPointwise`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from napari_lightbox.contract import GlobalThenPointwise, Pass
from napari_lightbox.engine.boxes import Box
from napari_lightbox.engine.colour import value_channel
from napari_lightbox.engine.kernel import Index, Kernel, Place


def locality_of(kernel: Kernel) -> GlobalThenPointwise:
    """Return the locality of a kernel that takes statistics."""
    locality = kernel.technique.locality
    assert isinstance(locality, GlobalThenPointwise)
    return locality


def passes_of(kernel: Kernel) -> tuple[Pass, ...]:
    """Return the passes that images of this type need."""
    return tuple(p for p in locality_of(kernel).passes if p.needed is None or p.needed(kernel.dtype))


def block_state(kernel: Kernel, stage: Pass, blocks: Mapping[str, Any], index: Index, place: Place, previous: Any) -> Any:
    """Return the state of one mapped element of one block."""
    elements = {name: kernel.argument(name, blocks.get(name), index) for name in kernel.names}
    first = elements[kernel.aligned[0]]
    if kernel.colour and kernel.technique.channels == "luminance":
        first = value_channel(first)
    specs = [s for s in kernel.technique.inputs if s.is_array and s.role.aligned]
    subject = tuple(elements[s.name] for s in specs) if stage.joint else first
    mask = elements.get("mask") if kernel.aligned[0] != "mask" else None
    arguments = [subject, mask, previous, kernel.settings]
    if stage.positioned:
        arguments.append(kernel.block(place))
    return stage.block(*arguments)


def is_left_out(kernel: Kernel, stage: Pass, blocks: Mapping[str, Any], index: Index) -> bool:
    """Tell whether a pass leaves an element of a block out because the input it follows is zero there."""
    if stage.only is None:
        return False
    guide = kernel.argument(stage.only, blocks.get(stage.only), index)
    return guide is None or not guide.any()


def group_states(
    kernel: Kernel, stage: Pass, blocks: Mapping[str, Any], place: Place, previous: Mapping[Index, Any]
) -> dict[Index, Any]:
    """Return the state of every group that a block touches."""
    states: dict[Index, Any] = {}
    for index in np.ndindex(*blocks[kernel.aligned[0]].shape[: kernel.mapped]):
        group = kernel.group_of(index, place)
        if is_left_out(kernel, stage, blocks, index):
            continue
        state = block_state(kernel, stage, blocks, index, place, previous.get(group))
        states[group] = stage.combine(states[group], state) if group in states else state
    return states


def whole_statistics(kernel: Kernel, blocks: Mapping[str, Any], over: Box) -> dict[Index, Any]:
    """Return the finished statistic of every group of an eager run."""
    place = Place((0,) * kernel.mapped, over, over)
    states: dict[Index, Any] = {}
    for stage in passes_of(kernel):
        states = group_states(kernel, stage, blocks, place, states)
    finish = locality_of(kernel).finish
    indices = np.ndindex(*blocks[kernel.aligned[0]].shape[: kernel.mapped])
    groups = dict.fromkeys(kernel.group_of(index, place) for index in indices)
    return {group: finish(states.get(group), kernel.settings) for group in groups}
