"""What the engine tells a kernel about the block it works on, when the kernel asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeAlias

from napari_lightbox.axes.geometry import Geometry


@dataclass(frozen=True)
class Injected:
    """Marker: the engine passes this keyword, the user never does."""


@dataclass(frozen=True)
class Block:
    """Place of a block in its whole element (axes the kernel works over; colour excluded).

    Parameters
    ----------
    start
        Index of the block's first input pixel in the whole input element.
    whole
        Shape of the whole input element.
    out_start, out_shape
        Index and shape of the output block, for techniques with a `grid`.
    geometry
        Geometry of the whole first input over the kernel's axes.
    others
        Geometry per further input name, for inputs that are not aligned.
    """

    start: tuple[int, ...]
    whole: tuple[int, ...]
    out_start: tuple[int, ...]
    out_shape: tuple[int, ...]
    geometry: Geometry
    others: Mapping[str, Geometry] = field(default_factory=dict)


Where: TypeAlias = Annotated[Block, Injected()]
Spacing: TypeAlias = Annotated[tuple[float, ...], Injected()]
Statistic: TypeAlias = Annotated[Any, Injected()]
State: TypeAlias = Annotated[Any, Injected()]
IsLabels: TypeAlias = Annotated[bool, Injected()]
