"""The objects of a Labels layer as a list: colour, id, name, size; measured in the background."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Labels
from qtpy.QtCore import Qt, QTimer, Signal
from qtpy.QtGui import QColor, QIcon, QPixmap
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem

from napari_lightbox.contract.values import Table
from napari_lightbox.engine.request import Region, Request
from napari_lightbox.engine.runner import Outcome, Runner
from napari_lightbox.widgets.layers import volume_of
from napari_lightbox.widgets.worker import Watch

_DELAY_MS = 150
_ID, _NAME, _SIZE = range(3)
_SMALL_UNITS = {"mm^3": "mm³", "um^3": "µm³", "mm^2": "mm²", "um^2": "µm²"}
NAMES = "names"
_HELP = (
    "<qt>Click an object to come back to it: its label is taken up, so that its seeds can be corrected and accepted again. "
    "Double-click a name to change it.</qt>"
)


class ObjectTable(QTableWidget):  # type: ignore[misc]
    """Lists the objects of one layer, or of its frame in view.

    Emits `picked(id)` when the user chooses one row, `measured()` when the list is up to date, `failed(error)`.
    """

    picked = Signal(int)
    measured = Signal()
    failed = Signal(object)

    def __init__(self, runner: Runner) -> None:
        super().__init__(0, 3)
        self._runner = runner
        self._layer: Labels | None = None
        self._axes = ""
        self._region: Region | None = None
        self._watch: Watch | None = None
        self._rows: dict[int, dict[str, Any]] = {}
        self._filling = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_DELAY_MS)
        self._timer.timeout.connect(self._measure)
        self.setHorizontalHeaderLabels(["Id", "Name", "Size"])
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(24)
        self.horizontalHeader().setSectionResizeMode(_ID, QHeaderView.ResizeMode.ResizeToContents)
        self.horizontalHeader().setSectionResizeMode(_NAME, QHeaderView.ResizeMode.Stretch)
        self.horizontalHeader().setSectionResizeMode(_SIZE, QHeaderView.ResizeMode.ResizeToContents)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setToolTip(_HELP)
        self.itemSelectionChanged.connect(self._on_select)
        self.itemChanged.connect(self._on_change)

    @property
    def busy(self) -> bool:
        """Whether the list is being brought up to date."""
        return self._timer.isActive() or (self._watch is not None and self._watch.running)

    @property
    def ids(self) -> list[int]:
        """Ids listed."""
        return list(self._rows)

    def chosen(self) -> list[int]:
        """Return the ids of the selected rows, from top to bottom."""
        rows = sorted({index.row() for index in self.selectedIndexes()})
        return [int(self.item(row, _ID).data(Qt.ItemDataRole.UserRole)) for row in rows]

    def choose(self, label: int) -> None:
        """Select the row of an object, without the signal of a user's choice."""
        self._filling = True
        self.clearSelection()
        for row in range(self.rowCount()):
            if self.item(row, _ID).data(Qt.ItemDataRole.UserRole) == label:
                self.selectRow(row)
        self._filling = False

    def centre(self, label: int) -> dict[str, float]:
        """Return the centroid of an object by axis."""
        row = self._rows.get(label, {})
        return {axis: float(row[f"centroid_{axis}"]) for axis in "zyx" if f"centroid_{axis}" in row}

    def box(self, label: int) -> dict[str, slice]:
        """Return the smallest box around an object by axis."""
        row = self._rows.get(label, {})
        return {a: slice(int(row[f"first_{a}"]), int(row[f"last_{a}"]) + 1) for a in "zyx" if f"first_{a}" in row}

    def show_layer(self, layer: Labels | None, axes: str, region: Region | None) -> None:
        """List the objects of a layer within a region."""
        self._layer, self._axes, self._region = layer, axes, region
        self.refresh()

    def refresh(self) -> None:
        """Measure again a moment from now."""
        self._timer.start()

    def stop(self) -> None:
        """Measure no more."""
        self._timer.stop()
        if self._watch is not None:
            self._watch.release()
            self._watch = None

    def _measure(self) -> None:
        self.stop()
        if self._layer is None or self._region is None:
            self._fill(None)
            return
        volume = volume_of(self._layer, self._axes)
        part = volume.geometry.crop([s.start for s in self._region], [s.stop - s.start for s in self._region])
        request = Request("region_properties", (volume.with_data(volume.data[self._region], geometry=part),), lazy=False)
        self._watch = Watch(self._runner.submit(request))
        self._watch.finished.connect(self._take)
        self._watch.failed.connect(self.failed.emit)

    def _take(self, outcome: Outcome) -> None:
        table = next((v for v in outcome.outputs.values() if isinstance(v, Table)), None)
        self._fill(table)

    def _fill(self, table: Table | None) -> None:
        chosen = self.chosen()
        start = dict(zip(self._axes, [s.start for s in self._region], strict=True)) if self._region is not None else {}
        self._rows = {int(row["label"]): _shifted(row, start) for row in (table.rows() if table is not None else [])}
        units = table.units if table is not None else {}
        names = dict(self._layer.metadata.get(NAMES, {})) if self._layer is not None else {}
        self._filling = True
        self.setRowCount(len(self._rows))
        for place, (label, row) in enumerate(self._rows.items()):
            number = QTableWidgetItem(self._icon(label), str(label))
            number.setData(Qt.ItemDataRole.UserRole, label)
            number.setFlags(number.flags() & ~Qt.ItemFlag.ItemIsEditable)
            size = QTableWidgetItem(size_text(row, units))
            size.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            size.setFlags(size.flags() & ~Qt.ItemFlag.ItemIsEditable)
            for column, item in ((_ID, number), (_NAME, QTableWidgetItem(str(names.get(label, "")))), (_SIZE, size)):
                self.setItem(place, column, item)
        self._filling = False
        for label in chosen[:1]:
            self.choose(label)
        self.measured.emit()

    def _icon(self, label: int) -> QIcon:
        colour = self._layer.get_color(label) if self._layer is not None else None
        pixels = QPixmap(12, 12)
        channels = [0, 0, 0, 0] if colour is None else np.rint(np.asarray(colour) * 255).astype(int).tolist()
        pixels.fill(QColor(*channels))
        return QIcon(pixels)

    def _on_select(self) -> None:
        chosen = self.chosen()
        if not self._filling and len(chosen) == 1:
            self.picked.emit(chosen[0])

    def _on_change(self, item: QTableWidgetItem) -> None:
        if self._filling or item.column() != _NAME or self._layer is None:
            return
        label = int(self.item(item.row(), _ID).data(Qt.ItemDataRole.UserRole))
        names = dict(self._layer.metadata.get(NAMES, {})) | {label: item.text().strip()}
        self._layer.metadata = {**self._layer.metadata, NAMES: {k: v for k, v in names.items() if v}}


def size_text(row: dict[str, Any], units: Any) -> str:
    """Return the size of an object in physical units, millilitres from 1000 cubic millimetres on, else in pixels."""
    for column in ("volume", "area"):
        unit = units.get(column)
        if column in row and unit and not str(unit).startswith("pixel"):
            value = float(row[column])
            if unit == "mm^3" and value >= 1000:
                return f"{value / 1000:.4g} ml"
            return f"{value:.4g} {_SMALL_UNITS.get(str(unit), unit)}"
    return f"{int(row['pixels'])} px"


def _shifted(row: dict[str, Any], start: dict[str, int]) -> dict[str, Any]:
    """Return a row with places counted from the beginning of the layer."""
    moved = dict(row)
    for name, value in row.items():
        kind, _, axis = name.rpartition("_")
        if kind in ("centroid", "first", "last") and axis in start:
            moved[name] = value + start[axis]
    return moved
