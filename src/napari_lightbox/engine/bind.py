"""Bind a technique to its inputs: which axes the kernel works over, which are mapped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest
from typing import Any

from napari_lightbox.axes import Geometry, Volume, is_rgb
from napari_lightbox.axes.order import CHANNEL, TIME, spatial_axes
from napari_lightbox.contract import Extent, GlobalThenPointwise, Technique
from napari_lightbox.contract import Sequence as SequenceLocality
from napari_lightbox.contract.roles import LABEL_ROLES, Role
from napari_lightbox.contract.signature import InputSpec
from napari_lightbox.engine.inputs import Source, check_same_grid, read_source
from napari_lightbox.errors import AxesError, InputError

MASK = InputSpec("mask", Role("mask"), optional=True)


@dataclass(frozen=True)
class Bound:
    """A technique with everything it needs, before it is decided how to run it.

    Parameters
    ----------
    technique, parameters
        What runs, with all parameters filled in.
    arrays
        One entry per declared input that is a pixel array on the first input's grid; None when absent.
    values
        All other inputs by name: templates, points, transforms.
    mask
        Restriction the engine applies, for techniques that do not take a mask themselves.
    over, mapped
        Axes the kernel works over (canonical order) and axes it is repeated along.
    colour
        Whether blocks carry colour as their last axis.
    """

    technique: Technique
    parameters: Mapping[str, Any]
    arrays: tuple[Source | None, ...]
    values: Mapping[str, Any]
    mask: Source | None
    over: str
    mapped: str
    colour: bool

    @property
    def first(self) -> Source:
        """The input that sets grid and dtype."""
        source = self.arrays[0]
        assert source is not None
        return source

    @property
    def order(self) -> str:
        """Canonical axis order of the first input: mapped, kernel axes, colour."""
        return self.mapped + self.over + (CHANNEL if self.colour else "")

    @property
    def spacing(self) -> tuple[float, ...]:
        """Spacing along the kernel's axes."""
        return self.first.spacing_along(self.over)

    @property
    def extent(self) -> Extent:
        """What a declared radius may depend on."""
        return Extent(len(self.over), self.spacing, self.first.data.dtype)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the first input along the kernel's axes."""
        return self.lengths(self.over)

    def lengths(self, axes: str) -> tuple[int, ...]:
        """Return the first input's length along some axes."""
        return tuple(self.first.data.shape[self.first.axes.index(a)] for a in axes)

    @cached_property
    def geometry(self) -> Geometry:
        """Geometry of the first input along the kernel's axes."""
        return self.first.geometry.select(self.over)

    @cached_property
    def others(self) -> dict[str, Geometry]:
        """Geometry of each input that lies on its own grid."""
        return {
            name: value.geometry.select(spatial_axes(value.axes))
            for name, value in self.values.items()
            if isinstance(value, Source)
        }

    @cached_property
    def grid(self) -> Geometry:
        """Geometry of the outputs along the kernel's axes."""
        grid = self.technique.grid
        return self.geometry if grid is None else grid.geometry(self.geometry, self.grid_parameters, self.others)

    @property
    def grid_parameters(self) -> dict[str, Any]:
        """Parameters and the inputs that are no arrays, as a `Grid` gets them."""
        return {**self.parameters, **{name: v for name, v in self.values.items() if not isinstance(v, Source)}}

    @property
    def references(self) -> dict[str, Source]:
        """Arrays on grids of their own whose pixels the kernel looks at."""
        looked_at = {s.name for s in self.technique.inputs if s.role.pixels}
        return {name: v for name, v in self.values.items() if isinstance(v, Source) and name in looked_at}


def bind(
    technique: Technique,
    inputs: Sequence[Any],
    parameters: Mapping[str, Any],
    *,
    axes: str | None = None,
    spacing: Any = None,
    mask: Any = None,
    over: str | None = None,
) -> Bound:
    """Check inputs and parameters and decide what the kernel works over.

    Raises
    ------
    InputError, ParameterError, AxesError
        Anything that would fail later; nothing has been computed yet.
    """
    specs = technique.inputs
    if len(inputs) > len(specs):
        raise InputError(
            technique.id, f"takes {len(specs)} inputs, {len(inputs)} given", f"Pass {', '.join(s.name for s in specs)}"
        )
    complete = technique.complete(parameters)
    if technique.inputs[0].role.many:
        return _bind_collection(technique, inputs, complete, axes, spacing)
    if mask is not None and any(s.name == "mask" for s in specs[1:]):
        inputs, mask = _mask_as_input(technique, inputs, mask), None
    arrays, values = _read_inputs(technique, inputs, axes, spacing)
    first = arrays[0]
    if first is None:
        raise InputError(specs[0].name, "is missing", "Pass an array or a Volume")
    kernel_axes, colour = _choose_axes(technique, first, complete, over)
    restriction = None if mask is None else read_source(MASK, mask, None, None, first)
    for source in [*arrays[1:], restriction]:
        if source is not None:
            check_same_grid(source, first, kernel_axes)
            _check_colourless(source, colour)
    if technique.check is not None:
        technique.check(complete, len(kernel_axes))
    if isinstance(technique.locality, SequenceLocality) and (TIME not in first.axes or TIME in kernel_axes):
        raise AxesError("axes", f"{first.axes!r} have no time to follow", _way_out(technique, first))
    mapped = "".join(a for a in first.axes if a not in kernel_axes and not (colour and a == CHANNEL))
    return Bound(technique, complete, tuple(arrays), values, restriction, kernel_axes, mapped, colour)


def _read_inputs(
    technique: Technique, inputs: Sequence[Any], axes: str | None, spacing: Any
) -> tuple[list[Source | None], dict[str, Any]]:
    """Return the arrays on the first input's grid and all other inputs by name."""
    arrays: list[Source | None] = []
    values: dict[str, Any] = {}
    for spec, value in zip_longest(technique.inputs, inputs):
        if value is None and not spec.optional:
            needed = ", ".join(s.name for s in technique.inputs if not s.optional)
            raise InputError(spec.name, "is missing", f"{technique.id} needs {needed}")
        first = arrays[0] if arrays else None
        if spec.is_array and spec.role.aligned:
            arrays.append(None if value is None else read_source(spec, value, axes, spacing, first))
        elif spec.is_array:
            values[spec.name] = None if value is None else read_source(spec, value, axes, None, first)
        else:
            values[spec.name] = value
    return arrays, values


def _check_colourless(source: Source, colour: bool) -> None:
    if colour and source.role in LABEL_ROLES and CHANNEL in source.axes:
        raise InputError(
            source.name,
            f"has a channel axis ({source.axes!r}), but all channels are segmented together",
            "Paint it on one channel and leave the channel axis out",
        )


def _mask_as_input(technique: Technique, inputs: Sequence[Any], mask: Any) -> list[Any]:
    position = 1 + [s.name for s in technique.inputs[1:]].index("mask")
    filled = [*inputs, *[None] * (position + 1 - len(inputs))]
    if filled[position] is not None:
        raise InputError("mask", "is given twice", "Pass it once, by position or by name")
    filled[position] = mask
    return filled


def _bind_collection(
    technique: Technique, inputs: Sequence[Any], parameters: Mapping[str, Any], axes: str | None, spacing: Any
) -> Bound:
    spec = technique.inputs[0]
    images = inputs[0] if inputs else None
    if isinstance(images, Volume) or hasattr(images, "dtype"):
        images = _split_stack(images)
    if not isinstance(images, Sequence) or not images:
        raise InputError(spec.name, "is not a list of images", "Pass a list of arrays or Volumes, or one stack")
    sources = tuple(read_source(spec, image, _single_axes(image, axes), spacing) for image in images)
    colour = technique.channels == "rgb" and sources[0].axes.endswith(CHANNEL)
    over = spatial_axes(sources[0].axes)
    return Bound(technique, parameters, sources, {}, None, over, "", colour)


def _single_axes(image: Any, axes: str | None) -> str | None:
    return axes if axes is not None and len(axes) == len(image.shape) else None


def _split_stack(stack: Any) -> list[Any]:
    if isinstance(stack, Volume):
        rest = stack.geometry.select(stack.axes[1:])
        return [Volume(stack.data[i], rest, stack.metadata, stack.role, stack.name) for i in range(stack.shape[0])]
    return [stack[i] for i in range(stack.shape[0])]


def _choose_axes(technique: Technique, first: Source, parameters: Mapping[str, Any], over: str | None) -> tuple[str, bool]:
    colour = _takes_colour(technique, first)
    chosen = over or default_over(technique, first, parameters)
    unknown = [a for a in chosen if a not in first.axes]
    if unknown or len(set(chosen)) != len(chosen):
        raise AxesError(
            "over", f"{chosen!r} does not fit the axes {first.axes!r} of the {first.name}", "Name axes that the image has"
        )
    if colour and CHANNEL in chosen:
        raise AxesError("over", "names the colour axis", "Leave c out: the technique takes colour by itself")
    if len(chosen) not in technique.spatial:
        wanted = " or ".join(str(n) for n in technique.spatial)
        raise AxesError(
            "axes", f"{technique.id} works over {wanted} axes, the {first.name} offers {chosen!r}", _way_out(technique, first)
        )
    return chosen, colour


def _way_out(technique: Technique, first: Source) -> str:
    if isinstance(technique.locality, SequenceLocality):
        return 'Give a video whose axes hold t, y and x, for example axes="tyx"'
    if first.guessed:
        return f'The axes were guessed as {first.axes!r}: say what they are, for example axes="zyx"'
    return 'Give an image with enough spatial axes, or choose them with over="yx"'


def _takes_colour(technique: Technique, first: Source) -> bool:
    if technique.channels == "each" or CHANNEL not in first.axes:
        return False
    return technique.channels == "rgb" or is_rgb(first.axes, first.data.shape)


def default_over(technique: Technique, first: Source, parameters: Mapping[str, Any]) -> str:
    """Return the axes a technique works over when nobody asks for others."""
    if technique.over is not None:
        return technique.over
    spatial = spatial_axes(first.axes)
    plane = isinstance(technique.locality, GlobalThenPointwise) and parameters.get("scope") == "plane"
    if len(spatial) == 3 and (plane or 3 not in technique.spatial) and 2 in technique.spatial:
        return "yx"
    return spatial
