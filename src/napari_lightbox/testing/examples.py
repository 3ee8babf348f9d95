"""Inputs that fit a technique, made from its contract."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.contract import Collection, Technique
from napari_lightbox.contract import Sequence as SequenceLocality
from napari_lightbox.contract.roles import LABEL_ROLES
from napari_lightbox.contract.signature import InputSpec


@dataclass(frozen=True)
class Example:
    """Arguments of one call: `lb.apply(id, *inputs, axes=axes, spacing=spacing, over=over, **parameters)`."""

    inputs: tuple[Any, ...]
    axes: str
    spacing: tuple[float, ...] | None = None
    over: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def first(self) -> NDArray[Any]:
        """The first input."""
        array: NDArray[Any] = self.inputs[0]
        return array

    def with_first(self, array: Any) -> Example:
        """Return the example with another first input."""
        return replace(self, inputs=(array, *self.inputs[1:]))

    @property
    def kernel_axes(self) -> str:
        """Axes the kernel works over."""
        return self.over or self.axes.replace("c", "")

    @property
    def options(self) -> dict[str, Any]:
        """Keywords of `lb.apply` besides the inputs."""
        return {"axes": self.axes, "spacing": self.spacing, "over": self.over, **self.parameters}


Maker = Callable[[np.random.Generator, tuple[int, ...], Any], tuple[Any, ...]]


def make_example(
    technique: Technique,
    seed: int = 0,
    *,
    ndim: int | None = None,
    dtype: Any = None,
    shape: tuple[int, ...] | None = None,
    parameters: Mapping[str, Any] | None = None,
    maker: Maker | None = None,
    colour: bool = False,
) -> Example:
    """Return a small example that the technique can run on.

    Parameters
    ----------
    technique
        The technique.
    seed
        Seed of the random parts.
    ndim
        Number of axes the kernel works over; the smallest it can when not given.
    dtype, shape
        Type and shape of the first input along the kernel's axes.
    parameters
        Parameters that differ from the defaults.
    maker
        ``maker(rng, shape, dtype)`` returns the inputs of techniques whose inputs must fit each other.
    colour
        Whether the first input carries red, green and blue as a last axis.
    """
    rng = np.random.default_rng(seed)
    ndim = ndim or dimensions(technique)[0]
    axes = technique.over or {1: "x", 2: "yx", 3: "zyx"}[ndim]
    shape = shape or {1: (40,), 2: (30, 34), 3: (10, 24, 22)}[ndim]
    spacing = {"yx": (1.0, 1.0), "zyx": (2.0, 1.0, 1.0)}.get(axes)
    labels = technique.inputs[0].role.name in LABEL_ROLES
    kind = np.dtype(dtype if dtype is not None else (np.int32 if labels else np.uint8))
    chosen = dict(parameters or {})
    if maker is not None:
        return Example(maker(rng, shape, kind), axes, spacing, None, chosen)
    if isinstance(technique.locality, Collection):
        return Example(([blobs(rng, shape, kind) for _ in range(2)],), axes, spacing, None, chosen)
    if isinstance(technique.locality, SequenceLocality):
        frames = np.stack([blobs(rng, shape, kind, shift=i) for i in range(5)])
        return Example((frames,), "t" + axes, None, None, chosen)
    if colour:
        rgb = np.stack([blobs(rng, shape, kind, shift=i) for i in range(3)], axis=-1)
        return Example((rgb,), axes + "c", spacing, None, chosen)
    first = labelled(rng, shape, kind) if labels else blobs(rng, shape, kind)
    rest = [_input(spec, rng, shape, first) for spec in technique.inputs[1:]]
    while rest and rest[-1] is None:
        rest.pop()
    return Example((first, *rest), axes, spacing, technique.over, chosen)


def dimensions(technique: Technique) -> tuple[int, ...]:
    """Return the numbers of axes the technique works over unless the caller names axes."""
    return (len(technique.over),) if technique.over else tuple(sorted(technique.spatial))


def blobs(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any, shift: float = 0.0) -> NDArray[Any]:
    """Return smooth bright blobs on a noisy dark ground that fill the type's range up to 1000."""
    grids = np.meshgrid(*[np.arange(n) + shift for n in shape], indexing="ij")
    field_ = sum(np.sin(g / 3.1 + i) for i, g in enumerate(grids)) / len(grids)
    unit = np.clip(0.5 + 0.4 * field_ + rng.normal(0, 0.05, shape), 0, 1)
    kind = np.dtype(dtype)
    if kind.kind == "b":
        return np.asarray(unit > 0.5)
    if kind.kind == "f":
        return np.asarray(unit, kind)
    return np.asarray(unit * min(np.iinfo(kind).max, 1000), kind)


def labelled(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    """Return a label image with a few regions of ids 0 to 3."""
    unit = blobs(rng, shape, np.float64)
    if np.dtype(dtype).kind == "b":
        return np.asarray(unit > 0.6)
    return np.asarray(np.digitize(unit, [0.45, 0.6, 0.8]), dtype)


def seeds(first: NDArray[Any]) -> NDArray[np.int32]:
    """Return two seeds: id 1 at the darkest pixels, id 2 at the brightest."""
    values = first.astype(np.float64)
    marks = np.zeros(first.shape, np.int32)
    marks[values <= np.quantile(values, 0.02)] = 1
    marks[values >= np.quantile(values, 0.98)] = 2
    return marks


def _input(spec: InputSpec, rng: np.random.Generator, shape: tuple[int, ...], first: NDArray[Any]) -> Any:
    role = spec.role
    if spec.optional or not spec.is_array:
        return None
    if role.name == "seeds":
        return seeds(first)
    if role.name == "mask":
        return labelled(rng, shape, np.bool_)
    if role.name == "labels":
        return labelled(rng, shape, np.int32)
    if not role.aligned:
        return blobs(rng, tuple(max(n - 3, 5) for n in shape), first.dtype, shift=1.5)
    return blobs(rng, shape, first.dtype, shift=0.5)
