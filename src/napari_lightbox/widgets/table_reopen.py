"""Tables that lie in layers: reopen the measurements of a layer from its features, units included."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.layers import Layer
from qtpy.QtWidgets import QLabel, QVBoxLayout

from napari_lightbox.contract.values import Table
from napari_lightbox.widgets.docked import Docked
from napari_lightbox.widgets.layer_choice import LayerCombo
from napari_lightbox.widgets.layers import METADATA
from napari_lightbox.widgets.lifeline import Lifeline
from napari_lightbox.widgets.table_dock import TableDock
from napari_lightbox.widgets.values import accepts

if TYPE_CHECKING:
    from napari.viewer import Viewer

_NAPARI_COLUMN = "index"
_NOTHING = "No layer has measurements yet. Run Region properties on a Labels layer, or any other technique that measures."


class TablesDock(Docked):
    """The measurements of the chosen layer; they follow when it is measured again."""

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__("Tables")
        self._viewer = napari_viewer
        self._features = Lifeline()
        self.table: TableDock | None = None
        self.layers = LayerCombo(lambda layer: accepts("table", layer))
        self.hint = QLabel(_NOTHING)
        self.hint.setWordWrap(True)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 4, 0, 0)
        self._column.addWidget(self.layers)
        self._column.addWidget(self.hint, 1)
        self.layers.changed.connect(self._open)
        events = napari_viewer.layers.events
        for emitter in (events.inserted, events.removed, events.reordered):
            self.lifeline.connect(emitter, self._refresh)
        self.lifeline.connect(napari_viewer.layers.selection.events.active, self._refresh)
        self.lifeline.at_end(self._close)
        self._refresh()

    def _refresh(self, event: Any = None) -> None:
        """List the layers with measurements; listen to all of them, since others may be measured later."""
        self._features.cut()
        self._features = Lifeline()
        for layer in self._viewer.layers:
            if "features" in layer.events:
                self._features.connect(layer.events.features, self._on_features)
        selected = list(self._viewer.layers.selection)
        self.layers.refresh(self._viewer.layers, selected)
        if (self.table is None) != (self.layers.chosen() is None):
            self._open()

    def _on_features(self, event: Any = None) -> None:
        self._refresh()
        if self.layers.chosen() is not None and event is not None and event.source is self.layers.chosen():
            self._open()

    def _open(self) -> None:
        self._close_table()
        layer = self.layers.chosen()
        self.hint.setVisible(layer is None)
        if layer is not None:
            self.table = TableDock(table_of(layer), self._viewer, layer)
            self._column.addWidget(self.table, 1)

    def _close_table(self) -> None:
        if self.table is not None:
            self._column.removeWidget(self.table)
            self.table.setParent(None)
            self.table = None

    def _close(self) -> None:
        self._features.cut()
        self._close_table()


def table_of(layer: Layer) -> Table:
    """Return the features of a layer as a table, with the units they were measured in."""
    units = layer.metadata.get(METADATA, {}).get("units", {})
    columns = {str(name): layer.features[name].to_numpy() for name in layer.features.columns if name != _NAPARI_COLUMN}
    return Table(columns, {name: unit for name, unit in units.items() if name in columns})
