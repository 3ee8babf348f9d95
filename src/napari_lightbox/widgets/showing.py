"""Everything a run gave, where people look for it: layers in the viewer, tables in docks, models in files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Layer
from qtpy.QtWidgets import QWidget

from napari_lightbox.contract import Technique
from napari_lightbox.contract.values import TrainedModel
from napari_lightbox.engine.runner import Outcome
from napari_lightbox.widgets.model_saving import offer_model
from napari_lightbox.widgets.results import Origin, described, show_outcome
from napari_lightbox.widgets.table_dock import TableDock

if TYPE_CHECKING:
    from napari.viewer import Viewer

Limits = tuple[float, float]


def show_all(
    viewer: Viewer, technique: Technique, outcome: Outcome, origin: Origin, limits: Limits | None, parent: QWidget
) -> tuple[list[Layer], str]:
    """Show an outcome.

    Returns
    -------
    layers, said
        Layers added or written to, and what to tell the user.

    Raises
    ------
    LightboxError
        It cannot be shown.
    """
    layers, tables, notes = show_outcome(viewer, technique, outcome, origin, limits)
    for title, table in tables.items():
        dock = TableDock(table, viewer, described(layers, origin), title)
        viewer.window.add_dock_widget(dock, name=title, area="bottom", tabify=True)
    for value in outcome.outputs.values():
        if isinstance(value, TrainedModel):
            offer_model(value, parent)
    return layers, ". ".join(notes) or "Done."


def limits_of(values: Any) -> Limits | None:
    """Return the contrast limits for a slice, None when it is flat."""
    values = np.asarray(values)
    if not values.size or values.dtype.kind == "b":
        return None
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    return (low, high) if np.isfinite([low, high]).all() and low < high else None
