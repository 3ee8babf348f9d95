"""How far a technique looks: exactly one locality per technique.

Every callable here gets the full parameter mapping, so that what is declared follows what the
user chose.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

Parameters: TypeAlias = Mapping[str, Any]


class Extent(NamedTuple):
    """What a declared radius may depend on besides the parameters.

    `ndim` spatial dimensions the kernel works over, `spacing` per axis, `dtype` of the first input.
    """

    ndim: int
    spacing: tuple[float, ...]
    dtype: Any


Radius: TypeAlias = Callable[[Parameters, Extent], "int | tuple[int, ...]"]


@dataclass(frozen=True)
class Pointwise:
    """Each output pixel needs the input pixel at the same place only."""


@dataclass(frozen=True)
class Halo:
    """Each output pixel needs its neighbours up to `radius` along each axis, never further."""

    radius: Radius


@dataclass(frozen=True)
class Plane:
    """Each output pixel may need its whole (y, x) plane."""


@dataclass(frozen=True)
class Volume:
    """Each output pixel may need the whole (z, y, x) element of its time point and channel."""


@dataclass(frozen=True)
class Pass:
    """One sweep over all blocks that ends in one small mergeable state.

    `block(image, mask, previous, parameters)` returns the state of one block; `mask` is a bool array or
    None, `previous` the combined state of the pass before (None in the first).
    `combine(a, b)` merges two states; it must be associative and commutative.
    With `positioned`, `block` gets the place of the block (`contract.where.Block`) as a fifth argument.
    With `joint`, its first argument is the tuple of all aligned input blocks (None for absent ones).
    `needed(dtype)` false skips the pass for images of that type: the state before goes on.
    With `around`, the block comes grown by the radius of the locality; `Block.out_start` and `Block.out_shape` then say which
    part of it is its own. `only` names an aligned input: blocks where it is zero throughout, or that lack it, are left
    out and the others not read; without any block left the state is None.
    """

    block: Callable[..., Any]
    combine: Callable[[Any, Any], Any]
    positioned: bool = False
    joint: bool = False
    needed: Callable[[Any], bool] | None = None
    around: bool = False
    only: str | None = None


def unchanged(state: Any, _: Parameters) -> Any:
    """Return the state itself."""
    return state


@dataclass(frozen=True)
class GlobalThenPointwise:
    """Statistics of the whole scope first, then each pixel alone, or with its neighbours up to `radius`.

    The last pass's state goes through `finish(state, parameters)`; the result reaches the
    technique as the keyword `statistic`. A parameter named `scope` (``"layer"``, ``"element"``,
    ``"plane"``) says how much shares one statistic; without it, each element has its own.
    A technique whose outputs are all values or tables is called with `statistic` and None for its inputs.
    The parameters that passes, `finish` and `radius` get hold the inputs that are no arrays (a model), too.
    """

    passes: tuple[Pass, ...]
    finish: Callable[[Any, Parameters], Any] = unchanged
    radius: Radius | None = None


@dataclass(frozen=True)
class MergeLabels:
    """Label blocks alone, then join labels that touch across block faces.

    The technique returns consecutive int32 labels of its block; equal foreground pixels that touch
    under `connectivity(parameters, ndim)` (1 = faces) belong together.
    Final ids follow the raster order of each object's first pixel.
    """

    connectivity: Callable[[Parameters, int], int]


@dataclass(frozen=True)
class Sequence:
    """State runs along t: frame k needs the state after frame k - 1.

    `start(frame, parameters)` makes the first state from the shape and dtype of a frame; the technique is called
    with `state=` and returns ``(state, output)``. States are checkpointed, so they are plain NumPy arrays or
    dictionaries of them and are never changed in place. `tiled` says that space may be cut into tiles.
    """

    start: Callable[[Any, Parameters], Any]
    tiled: bool = True


@dataclass(frozen=True)
class Whole:
    """Each output pixel may need every pixel over the chosen axes; cannot be cut."""


@dataclass(frozen=True)
class Collection:
    """Several images in, one result out; its shape is known only afterwards."""


def radius_of(locality: Any) -> Radius | None:
    """Return the declared radius of a locality that looks at a bounded neighbourhood, None for all others."""
    return locality.radius if isinstance(locality, (Halo, GlobalThenPointwise)) else None


Locality: TypeAlias = Pointwise | Halo | Plane | Volume | GlobalThenPointwise | MergeLabels | Sequence | Whole | Collection


def locality_name(locality: Locality) -> str:
    """Return the catalogue's name of a locality, such as ``"global_then_pointwise"``."""
    name = type(locality).__name__
    return "".join(("_" if c.isupper() and i else "") + c.lower() for i, c in enumerate(name))
