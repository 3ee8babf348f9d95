"""Run a technique's kernel on one block: every mapped element in turn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.axes import Geometry
from napari_lightbox.contract import Technique
from napari_lightbox.contract.where import Block
from napari_lightbox.engine.boxes import Box, shape_of, within
from napari_lightbox.engine.colour import recoloured, value_channel
from napari_lightbox.engine.outputs import ArrayPlan

Index = tuple[int, ...]


@dataclass(frozen=True)
class Place:
    """Where a block lies.

    `mapped` first index along each mapped axis; `taken` the input box along the kernel's axes, `given` the output box.
    """

    mapped: Index
    taken: Box
    given: Box


@dataclass(frozen=True)
class Kernel:
    """A technique bound to parameters, ready to be called on blocks; holds no pixels.

    `aligned` and `free` name the inputs by position in the signature; `group` is the position of the mapped axes
    that have statistics of their own.
    """

    technique: Technique
    parameters: Mapping[str, Any]
    plans: tuple[ArrayPlan | None, ...]
    names: tuple[str, ...]
    aligned: tuple[str, ...]
    masks: frozenset[str]
    mapped: int
    over: int
    colour: bool
    spacing: tuple[float, ...]
    is_labels: bool
    dtype: np.dtype[Any]
    whole: tuple[int, ...]
    geometry: Callable[[], Geometry]
    others: Mapping[str, Geometry]
    group: tuple[int, ...] = ()
    trim: bool = False
    extras: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def settings(self) -> Mapping[str, Any]:
        """Parameters and the inputs that are no arrays, as statistics get them."""
        return {**self.parameters, **self.extras}

    @property
    def direct(self) -> bool:
        """Whether a block is one array on the grid, so that no bundle of outputs is needed."""
        plan = self.plans[0]
        return len(self.plans) == 1 and plan is not None and plan.spec.extra_axis is None

    def __call__(
        self,
        blocks: Mapping[str, Any],
        place: Place,
        statistics: Mapping[Index, Any] | None = None,
        restriction: NDArray[np.bool_] | None = None,
    ) -> tuple[Any, ...]:
        """Return one entry per declared output: stacked arrays, or a list of (mapped index, value)."""
        first = blocks[self.aligned[0]]
        shape = first.shape[: self.mapped]
        if not shape:
            outcome = self.finish(self.element(blocks, (), place, statistics), blocks, (), place, restriction)
            return tuple(v if p is not None else [((), v)] for p, v in zip(self.plans, outcome, strict=True))
        collected: list[list[tuple[Index, Any]]] = [[] for _ in self.plans]
        for index in np.ndindex(*shape):
            outcome = self.finish(self.element(blocks, index, place, statistics), blocks, index, place, restriction)
            for bucket, value in zip(collected, outcome, strict=True):
                bucket.append((index, value))
        return tuple(
            _stacked([v for _, v in bucket], shape)
            if plan is not None
            else [(tuple(o + i for o, i in zip(place.mapped, index, strict=True)), v) for index, v in bucket]
            for plan, bucket in zip(self.plans, collected, strict=True)
        )

    def element(
        self, blocks: Mapping[str, Any], index: Index, place: Place, statistics: Mapping[Index, Any] | None
    ) -> tuple[Any, ...]:
        """Run the kernel on one mapped element and return its raw outputs."""
        arguments = [self.argument(name, blocks.get(name), index) for name in self.names]
        keywords = self.keywords(index, place, statistics)
        if self.technique.channels == "luminance" and self.colour:
            colour = arguments[0]
            result = self._call([value_channel(colour), *arguments[1:]], keywords)
            return tuple(
                recoloured(colour, value) if p is not None and p.axes.endswith("c") else value
                for p, value in zip(self.plans, result, strict=True)
            )
        return self._call(arguments, keywords)

    def step(self, blocks: Mapping[str, Any], index: Index, place: Place, state: Any) -> tuple[Any, tuple[Any, ...]]:
        """Run one frame of a sequence from `state` and return the next state and the outputs."""
        arguments = [self.argument(name, blocks.get(name), index) for name in self.names]
        keywords = self.keywords(index, place, None) | {"state": state}
        after, outcome = self.technique.function(*arguments, **keywords)
        return after, tuple(outcome) if self.technique.signature.result is not None else (outcome,)

    def summarise(self, statistic: Any) -> tuple[Any, ...]:
        """Call a technique whose outputs all come from its statistic."""
        keywords = dict(self.parameters) | {"statistic": statistic}
        if "spacing" in self.technique.injected:
            keywords["spacing"] = self.spacing
        return self._call([None] * len(self.names), keywords)

    def collect(self, images: Sequence[NDArray[Any]]) -> tuple[Any, ...]:
        """Call a technique that takes a list of pictures."""
        return self._call([images], self.parameters)

    def _call(self, arguments: Sequence[Any], keywords: Mapping[str, Any]) -> tuple[Any, ...]:
        outcome = self.technique.function(*arguments, **keywords)
        return tuple(outcome) if self.technique.signature.result is not None else (outcome,)

    def argument(self, name: str, block: Any, index: Index) -> Any:
        """Return what the kernel gets for one input: the mapped element of a block, read-only."""
        if name not in self.aligned or block is None:
            return block
        element = block[tuple(0 if n == 1 else i for i, n in zip(index, block.shape, strict=False))] if index else block
        if name in self.masks and element.dtype != np.bool_:
            element = element != 0
        if element.flags.writeable:
            element = element.view()
            element.flags.writeable = False
        return element

    def keywords(self, index: Index, place: Place, statistics: Mapping[Index, Any] | None) -> dict[str, Any]:
        """Return parameters and what else the kernel asks for by name."""
        wanted = self.technique.injected
        given = dict(self.parameters)
        if "spacing" in wanted:
            given["spacing"] = self.spacing
        if "is_labels" in wanted:
            given["is_labels"] = self.is_labels
        if "where" in wanted:
            given["where"] = self.block(place)
        if statistics is not None and "statistic" in wanted:
            given["statistic"] = statistics[self.group_of(index, place)]
        return given

    def group_of(self, index: Index, place: Place) -> Index:
        """Return the key of the statistics that an element shares."""
        return tuple(place.mapped[a] + index[a] for a in self.group)

    def block(self, place: Place) -> Block:
        """Return the place of a block as kernels see it."""
        return Block(
            start=tuple(s.start for s in place.taken),
            whole=self.whole,
            out_start=tuple(s.start for s in place.given),
            out_shape=shape_of(place.given),
            geometry=self.geometry(),
            others=self.others,
        )

    def finish(
        self, outcome: tuple[Any, ...], blocks: Mapping[str, Any], index: Index, place: Place, restriction: Any
    ) -> tuple[Any, ...]:
        """Trim array outputs to the output box, cast them, restrict them to the mask."""
        done = []
        for plan, value in zip(self.plans, outcome, strict=True):
            if plan is None or value is None:
                done.append(value)
                continue
            array = np.asarray(value)
            if self.trim and place.taken != place.given:
                array = array[self._cut(plan, within(place.given, place.taken))]
            array = array.astype(plan.dtype, copy=False)
            if restriction is not None:
                array = self._restrict(plan, array, blocks, index, place, restriction)
            done.append(array)
        return tuple(done)

    def _cut(self, plan: ArrayPlan, box: Box) -> tuple[slice, ...]:
        lead = (slice(None),) * (1 if plan.spec.extra_axis is not None else 0)
        return (*lead, *box)

    def _restrict(
        self, plan: ArrayPlan, array: Any, blocks: Mapping[str, Any], index: Index, place: Place, restriction: Any
    ) -> Any:
        mask = restriction != 0
        mask = mask[tuple(0 if n == 1 else i for i, n in zip(index, mask.shape, strict=False))] if index else mask
        original = self.argument(self.aligned[0], blocks[self.aligned[0]], index)
        if self.trim and place.taken != place.given:
            cut = within(place.given, place.taken)
            mask, original = mask[cut], original[cut]
        if array.ndim > mask.ndim:
            mask = mask[..., None]
        if plan.spec.role.name == "labels":
            return np.where(mask, array, np.zeros((), array.dtype))
        return np.where(mask, array, original.astype(plan.dtype))


def _stacked(values: list[Any], shape: Index) -> Any:
    if values[0] is None:
        return None
    if len(values) == 1:
        return values[0].reshape(shape + values[0].shape)
    return np.stack(values).reshape(shape + values[0].shape)
