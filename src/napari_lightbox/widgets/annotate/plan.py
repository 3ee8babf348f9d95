"""One run as the dock describes it: image, seeds, engine, parameters and where, made into a request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari.layers import Labels, Layer

from napari_lightbox.axes import Volume
from napari_lightbox.axes.order import CHANNEL
from napari_lightbox.engine.request import Region, Request
from napari_lightbox.errors import InputError
from napari_lightbox.widgets.annotate.contents import content
from napari_lightbox.widgets.annotate.engines import Engine
from napari_lightbox.widgets.annotate.scope import Scope, region_of, widened, with_channels, without_channels
from napari_lightbox.widgets.annotate.seeds import seeds_volume
from napari_lightbox.widgets.layers import volume_of
from napari_lightbox.widgets.preview import visible_region

if TYPE_CHECKING:
    from napari.components import ViewerModel


@dataclass(frozen=True)
class Plan:
    """What the dock shows at the moment of a run."""

    viewer: ViewerModel
    image: Layer
    axes: str
    seeds: Layer
    engine: Engine
    parameters: Mapping[str, Any]
    scope: Scope
    margin: float


@dataclass(frozen=True, eq=False)
class Piece:
    """A finished run: what it gave where."""

    plan: Plan
    request: Request
    region: Region
    labels: Any
    seconds: float
    logged: Any = None


class Planner:
    """Makes requests; keeps the single channels it cut, so that the same one is the same array each time."""

    def __init__(self) -> None:
        self._channels: dict[tuple[int, int], tuple[Any, Volume]] = {}

    def request(self, plan: Plan, stroke: Sequence[slice] | None) -> tuple[Request, Region]:
        """Return what to run and the region of the seeds' grid it covers.

        Parameters
        ----------
        plan
            What the dock shows.
        stroke
            Where seeds changed since the last run; None for a run that nothing was painted for.

        Raises
        ------
        InputError
            Seeds and image do not fit, or the engine takes no colour.
        """
        image = self.image(plan)
        seeds = seeds_volume(plan.seeds, plan.image, plan.axes)
        region = self._region(plan, stroke, seeds, image)
        request = Request(plan.engine.id, (image, seeds), plan.parameters, region=region, preview=True, lazy=False)
        return request, without_channels(region, image.axes)

    def image(self, plan: Plan) -> Volume:
        """Return what the engine looks at: the whole image, or its visible channel for engines without colour."""
        volume = volume_of(plan.image, plan.axes)
        if CHANNEL not in volume.axes or plan.engine.colour:
            return volume
        if getattr(plan.image, "rgb", False):
            raise InputError(
                plan.engine.name, "works on gray images", "Convert the picture with RGB to gray, or choose another engine"
            )
        axis = volume.axes.index(CHANNEL)
        return self._channel(volume, axis, visible_region(plan.viewer, plan.image)[axis].start)

    def _channel(self, volume: Volume, axis: int, index: int) -> Volume:
        key = (id(volume.data), index)
        if key not in self._channels or self._channels[key][0] is not volume.data:
            part = volume.data[(slice(None),) * axis + (index,)]
            single = Volume(part, volume.geometry.without(CHANNEL), volume.metadata, "image", f"{volume.name} channel {index}")
            self._channels[key] = (volume.data, single)
        return self._channels[key][1]

    def _region(self, plan: Plan, stroke: Sequence[slice] | None, seeds: Volume, image: Volume) -> Region:
        scope: Scope = "plane" if plan.engine.flat and plan.scope == "volume" else plan.scope
        if scope == "box" and stroke is None and not isinstance(plan.seeds, Labels):
            held = content(seeds.data)
            stroke = None if held is None else held.box
        if scope == "box" and stroke is not None:
            flat = _thin_axes(plan, stroke) if plan.engine.flat else ()
            box = widened(stroke, plan.margin, seeds.geometry, seeds.data, plan.engine.least, flat)
            return with_channels(box, image.axes, image.shape)
        seen = region_of("volume" if scope == "volume" else "plane", plan.viewer, plan.image, plan.axes)
        return seen if image.axes == plan.axes else without_channels(seen, plan.axes)


def _thin_axes(plan: Plan, stroke: Sequence[slice]) -> list[int]:
    """Return the axes across which an engine for planes must not look: those the stroke is one pixel thin along."""
    axes = plan.axes.replace(CHANNEL, "")
    return [i for i, (a, part) in enumerate(zip(axes, stroke, strict=True)) if a == "z" and part.stop - part.start == 1]
