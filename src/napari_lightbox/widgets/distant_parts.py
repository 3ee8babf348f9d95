"""Which part of a result to fetch before it is shown, so that the window opens on something."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import dask.array as da
from dask.delayed import Delayed
from numpy.typing import NDArray

from napari_lightbox.axes import Volume
from napari_lightbox.contract import registry
from napari_lightbox.engine.control import Control
from napari_lightbox.engine.provenance import sealed
from napari_lightbox.engine.request import Region, Request
from napari_lightbox.engine.runner import Outcome
from napari_lightbox.engine.schedule import compute_all
from napari_lightbox.errors import UnknownTechniqueError
from napari_lightbox.widgets.feed import Distant, Feed
from napari_lightbox.widgets.layers import data_shape
from napari_lightbox.widgets.outages import tell_failure
from napari_lightbox.widgets.preview import visible_region
from napari_lightbox.widgets.results import Origin

if TYPE_CHECKING:
    from napari.components import ViewerModel

_PICTURE = "yx"


@dataclass(frozen=True)
class Look:
    """What was fetched: the visible slices of images and the outputs that were still on their way, both by name."""

    slices: Mapping[str, NDArray[Any]]
    values: Mapping[str, Any]


def wish(viewer: ViewerModel, request: Request, origin: Origin) -> Region | None:
    """Return which part of the main output is wanted first, None when its grid is not that of the first input."""
    try:
        same_grid = registry.get(request.technique).grid is None
    except UnknownTechniqueError:
        return None
    if not same_grid or origin.layer not in viewer.layers or "c" in origin.axes or viewer.dims.ndisplay == 3:
        return None
    return visible_region(viewer, origin.layer)


def visible_parts(viewer: ViewerModel, outputs: Mapping[str, Volume], origin: Origin) -> dict[str, Distant]:
    """Return the part of each output that the viewer is going to show; for those on another grid a plane in the middle."""
    return {name: value.data[_visible(viewer, value, origin)] for name, value in outputs.items()}


def is_distant(value: Any) -> bool:
    """Tell whether the pixels of an output are fetched when somebody looks at them."""
    return isinstance(value, Volume) and isinstance(value.data, Distant)


def is_lazy(value: Any) -> bool:
    """Tell whether the pixels of an output are not here."""
    return isinstance(value, Volume) and isinstance(value.data, da.Array)


def drawn_later(viewer: ViewerModel, value: Any) -> Any:
    """Return a lazy output as one that is computed in the background when it is drawn; all others as they are."""
    if not is_lazy(value) or is_distant(value):
        return value
    return value.with_data(Distant.whole(value.data, Feed(viewer, tell_failure)))


def outcome_drawn_later(viewer: ViewerModel, outcome: Outcome) -> Outcome:
    """Return an outcome whose lazy outputs are computed in the background when they are drawn."""
    return replace(outcome, outputs={name: drawn_later(viewer, value) for name, value in outcome.outputs.items()})


def pending_of(outcome: Outcome) -> dict[str, Delayed]:
    """Return the outputs that are known only when the run is over."""
    return {name: value for name, value in outcome.outputs.items() if isinstance(value, Delayed)}


def look(parts: Mapping[str, Distant], pending: Mapping[str, Delayed], control: Control) -> Look:
    """Fetch; to be called in a thread."""
    slices = {}
    for name, part in parts.items():
        control.check()
        slices[name] = part.fetched(control)
    values = compute_all(list(pending.values()), control)
    return Look(slices, dict(zip(pending, values, strict=True)))


def fetch_whole(outcome: Outcome, name: str, control: Control) -> Volume:
    """Return one output with its values here, sealed as that of a run on this computer; to be called in a thread."""
    control.check()
    distant = outcome.outputs[name]
    outputs = {**outcome.outputs, name: distant.with_data(distant.data.fetched())}
    whole: Volume = sealed(list(outputs), list(outputs.values()), control)[list(outputs).index(name)]
    return whole


def _visible(viewer: ViewerModel, volume: Volume, origin: Origin) -> tuple[Any, ...]:
    shape, axes, layer = volume.data.shape, volume.geometry.axes, origin.layer
    if layer is not None and layer in viewer.layers and viewer.dims.ndisplay == 2 and data_shape(layer) == shape:
        region = visible_region(viewer, layer)
        return tuple(slice(None) if r.stop - r.start == n else r.start for r, n in zip(region, shape, strict=True))
    whole = _PICTURE + ("c" if axes.endswith("c") else "")
    return tuple(slice(None) if axis in whole else n // 2 for axis, n in zip(axes, shape, strict=True))
