"""Objects chosen in the viewer: a click on one, or its id in the layer's controls."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from napari.layers import Labels

from napari_lightbox.widgets.lifeline import Lifeline


def follow_picks(layer: Labels, picked: Callable[[int], Any], lifeline: Lifeline) -> None:
    """Call `picked` with the id of an object that the user chooses, until the lifeline is cut."""

    def on_click(clicked: Labels, event: Any) -> Iterator[None]:
        if clicked.mode != "pan_zoom":
            return
        yield
        while event.type == "mouse_move":
            if event.is_dragging:
                return
            yield
        value = clicked.get_value(
            event.position, view_direction=event.view_direction, dims_displayed=event.dims_displayed, world=True
        )
        value = value[1] if isinstance(value, tuple) else value
        if value:
            picked(int(value))

    last = layer.selected_label

    def on_selected_label() -> None:
        nonlocal last
        if layer.selected_label != last:  # napari tells of new colours this way, too
            last = layer.selected_label
            picked(int(last))

    layer.mouse_drag_callbacks.append(on_click)
    lifeline.at_end(lambda: layer.mouse_drag_callbacks.remove(on_click))
    lifeline.connect(layer.events.selected_label, on_selected_label)
