"""Bring a layer into the viewer without holding the window up for all that napari draws with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from napari.layers import Layer
from qtpy.QtCore import QObject, QTimer

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.components.overlays import Overlay

# the layer itself is drawn in between, and whatever the user does
REST_MS = 150

AnyLayer = TypeVar("AnyLayer", bound=Layer)


def bring_in(viewer: ViewerModel, layer: AnyLayer, place: int | None = None) -> AnyLayer:
    """Add a layer without selecting it and return it; what napari draws only while somebody paints follows piece by piece.

    The marks of the brush and of the polygon take about as long to make as the rest of a Labels layer, and nobody sees them
    before they paint.

    Parameters
    ----------
    viewer
        Where it goes.
    layer
        A layer that is in no viewer.
    place
        Its index among the layers; on top when not given.
    """
    marks = [overlay for overlay in layer._overlays.values() if overlay.visible]  # noqa: SLF001 - napari has no other way
    for mark in marks:
        mark.visible = False
    with _unselected(viewer):
        viewer.layers.insert(len(viewer.layers) if place is None else place, layer)
    _rest(viewer, layer, marks)
    return layer


def select_soon(viewer: ViewerModel, layers: Sequence[Layer]) -> None:
    """Select the last of some new layers when it has been drawn, unless somebody selected another one meanwhile.

    Showing the controls of a layer is enough for a turn of its own.
    """
    active = viewer.layers.selection.active

    def select() -> None:
        if layers[-1] in viewer.layers and viewer.layers.selection.active is active:
            viewer.layers.selection.active = layers[-1]

    if layers and _window(viewer) is not None:
        QTimer.singleShot(REST_MS // 2, _window(viewer), select)
    elif layers:
        select()


@contextmanager
def _unselected(viewer: ViewerModel) -> Iterator[None]:
    """Leave the selection as it is while layers come in."""
    layers = viewer.layers
    layers._activate_on_insert = False  # noqa: SLF001 - napari has no other way
    try:
        yield
    finally:
        layers._activate_on_insert = True  # noqa: SLF001


def _rest(viewer: ViewerModel, layer: Layer, marks: Sequence[Overlay]) -> None:
    """Let the window draw before the next mark is made; without a window nothing takes long."""
    if marks and _window(viewer) is not None:
        QTimer.singleShot(REST_MS, _window(viewer), partial(_show, viewer, layer, marks))
    else:
        for mark in marks:
            mark.visible = True


def _show(viewer: ViewerModel, layer: Layer, marks: Sequence[Overlay]) -> None:
    mark, *others = marks
    if layer in viewer.layers:
        mark.visible = True
    else:
        # napari would make it for a layer that is gone, and keep it
        with mark.events.visible.blocked():
            mark.visible = True
    _rest(viewer, layer, others)


def _window(viewer: ViewerModel) -> QObject | None:
    """Return what all that waits ends with; a viewer without a window has nothing to wait for."""
    window = getattr(viewer, "window", None)
    return None if window is None else window._qt_window  # noqa: SLF001 - napari has no event for its end
