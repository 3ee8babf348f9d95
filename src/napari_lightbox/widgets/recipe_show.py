"""Results of a recipe on the layers that show them: in place where the layer can, else on a new one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
from napari.layers import Image, Labels, Layer
from numpy.typing import NDArray

from napari_lightbox.axes import Volume
from napari_lightbox.contract import registry
from napari_lightbox.engine.request import Region
from napari_lightbox.io.layer_data import TILT
from napari_lightbox.widgets.distant_parts import drawn_later
from napari_lightbox.widgets.feed import open_feeds
from napari_lightbox.widgets.layers import suggest_axes
from napari_lightbox.widgets.placement import picture, placed
from napari_lightbox.widgets.recipe_changes import Change, LayersChange, Look, LookChange, exchange
from napari_lightbox.widgets.recipe_state import RecipeState
from napari_lightbox.widgets.results import Origin, array_layer
from napari_lightbox.widgets.titles import short_title

if TYPE_CHECKING:
    from napari.components import ViewerModel


class Showing:
    """Puts results on layers and remembers, since the last `take_changes`, how they looked before."""

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._before: dict[Layer, Look] = {}
        self._layers: list[LayersChange] = []
        self._values: WeakKeyDictionary[Layer, Any] = WeakKeyDictionary()

    def is_stale(self, layer: Layer, value: Volume) -> bool:
        """Tell whether a layer shows something else than this result."""
        return layer.data is not value.data and self._values.get(layer) is not value.data

    def put(self, state: RecipeState, tag: str, outputs: Mapping[str, Any]) -> None:
        """Show the outputs of a step on the layers that show them."""
        for name, value in outputs.items():
            for layer in list(state.shown.get((tag, name), [])):
                if isinstance(value, Volume) and layer in self._viewer.layers:
                    self._put(state, (tag, name), layer, value)

    def put_part(self, layer: Layer, region: Region, values: NDArray[Any]) -> None:
        """Show part of a result on a layer; the rest stays as it was until it is known."""
        if layer in self._viewer.layers and layer.data[region].shape == values.shape:
            self._remember(layer)
            data = layer.data.copy()
            data[region] = values
            layer.data = data

    def add(self, state: RecipeState, tag: str, output: str, value: Volume, selected: bool = True) -> Layer:
        """Show a result that no layer shows yet."""
        first = state.inputs[0] if state.inputs else None
        axes = suggest_axes(first)[0] if first is not None else ""
        origin = Origin(first, axes) if first is not None and axes == value.axes else Origin(None, "")
        step = next(s for s in state.recipe.steps if s.tag == tag)
        title = f"{first.name} {short_title(registry.get(step.technique))}" if first is not None else step.title
        limits = (
            tuple(first.contrast_limits) if isinstance(first, Image) and hasattr(value.data, "dask") and not first.rgb else None
        )
        layer = array_layer(drawn_later(self._viewer, value), title, origin, limits)
        exchange(self._viewer, None, layer)
        open_feeds([layer])
        self._values[layer] = value.data
        self._layers.append(LayersChange(self._viewer, layer))
        state.shown.setdefault((tag, output), []).append(layer)
        if selected:
            self._viewer.layers.selection = {layer}
        return layer

    def hide(self, layers: Sequence[Layer], hidden: bool) -> None:
        """Show or hide layers of steps that are off."""
        for layer in layers:
            if layer in self._viewer.layers and layer.visible == hidden:
                self._remember(layer)
                layer.visible = not hidden

    def take_changes(self) -> list[Change]:
        """Return what has changed since the last time, and begin anew."""
        changes: list[Change] = [
            LookChange(self._viewer, layer, look, Look.of(layer))
            for layer, look in self._before.items()
            if layer in self._viewer.layers
        ]
        changes += self._layers
        self._before, self._layers = {}, []
        return changes

    def _put(self, state: RecipeState, place: tuple[str, str], layer: Layer, value: Volume) -> None:
        drawn = drawn_later(self._viewer, value)
        look = _look(layer, drawn)
        if look is None:
            fresh = array_layer(drawn, layer.name, Origin(layer, suggest_axes(layer)[0]), _limits(layer, value))
            exchange(self._viewer, layer, fresh)
            open_feeds([fresh])
            self._values[fresh] = value.data
            self._layers.append(LayersChange(self._viewer, fresh, layer))
            state.shown[place] = [fresh if shown is layer else shown for shown in state.shown[place]]
            return
        self._values[layer] = value.data
        self._remember(layer)
        look.put_on(layer)
        open_feeds([layer])

    def _remember(self, layer: Layer) -> None:
        self._before.setdefault(layer, Look.of(layer))


def _look(layer: Layer, value: Volume) -> Look | None:
    """Return how a layer looks that shows a result, None when it takes a layer of another kind.

    Only results that have moved need a new layer to find out where they lie: making one takes napari tens of milliseconds.
    """
    data, geometry, rgb = picture(value)
    kind = Labels if value.role == "labels" else Image
    if type(layer) is not kind or layer.multiscale or getattr(layer, "rgb", False) != rgb or geometry.ndim != layer.ndim:
        return None
    axes = suggest_axes(layer)[0]
    if {"rotate", "shear"} <= placed(geometry, layer, axes).keys():
        limits = None
        if kind is Image and not rgb and layer.dtype != value.dtype:
            limits = _limits(layer, value) or Look.of(Image(data)).limits
        return Look(data, {**layer.metadata, **value.metadata}, {}, limits, layer.visible)
    fresh = array_layer(value, layer.name, Origin(layer, axes), _limits(layer, value))
    elsewhere = {key: known for key, known in layer.metadata.items() if key != TILT}
    return replace(Look.of(fresh), metadata=elsewhere | fresh.metadata, visible=layer.visible)


def _limits(layer: Layer, value: Volume) -> tuple[float, float] | None:
    """Return the contrast limits that a result keeps; napari must not read a lazy one to find some."""
    scalar = isinstance(layer, Image) and not layer.rgb and value.role == "image"
    known = scalar and (layer.dtype == value.dtype or not isinstance(value.data, np.ndarray))
    return tuple(layer.contrast_limits) if known else None
