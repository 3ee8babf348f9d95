"""Compare: several engines on the same seeds, side by side, with time, sizes and agreement."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from napari.layers import Labels, Layer
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_lightbox.engine.runner import Outcome, Runner
from napari_lightbox.errors import InputError, LightboxError
from napari_lightbox.widgets.annotate.agreement import Agreement, agreement
from napari_lightbox.widgets.annotate.engines import Engine
from napari_lightbox.widgets.annotate.live import labels_of
from napari_lightbox.widgets.annotate.objects import size_text
from napari_lightbox.widgets.annotate.plan import Piece, Plan, Planner
from napari_lightbox.widgets.annotate.seeds import background_id, seeds_geometry
from napari_lightbox.widgets.annotate.side_by_side import SideBySide, copy_of
from napari_lightbox.widgets.annotate.steps import Stepper
from napari_lightbox.widgets.arrival import bring_in
from napari_lightbox.widgets.layers import METADATA
from napari_lightbox.widgets.placement import placed
from napari_lightbox.widgets.plain_label import PlainLabel
from napari_lightbox.widgets.worker import Watch

if TYPE_CHECKING:
    from napari.components import ViewerModel

Ask = Callable[[Engine], Plan]


class Comparison(QWidget):  # type: ignore[misc]
    """Runs the ticked engines one after the other, so that their times can be compared.

    Emits `chosen(piece)` with the winner, `failed(error)` when nothing can be compared.

    Parameters
    ----------
    viewer, runner
        Where results are shown, and who runs.
    engines
        What can be compared.
    ask
        Returns the plan of the dock with another engine; raises while something is missing.
    """

    chosen = Signal(object)
    failed = Signal(object)

    def __init__(self, viewer: ViewerModel, runner: Runner, engines: Sequence[Engine], ask: Ask) -> None:
        super().__init__()
        self._viewer = viewer
        self._runner = runner
        self._engines = {engine.id: engine for engine in engines}
        self._ask = ask
        self._planner = Planner()
        self._queue: list[Engine] = []
        self._watch: Watch | None = None
        self._grid = SideBySide(viewer)
        self.pieces: dict[str, Piece] = {}
        self.layers: list[Layer] = []
        self.errors: dict[str, str] = {}
        self.agreement: Agreement | None = None
        self.stepper = Stepper()
        self._lay_out()

    @property
    def busy(self) -> bool:
        """Whether engines run or results are compared."""
        return bool(self._queue) or self.stepper.busy or (self._watch is not None and self._watch.running)

    def ticked(self) -> list[Engine]:
        """Return the engines to compare."""
        items = [self.choices.item(i) for i in range(self.choices.count())]
        return [self._engines[i.data(Qt.ItemDataRole.UserRole)] for i in items if i.checkState() == Qt.CheckState.Checked]

    def compare(self) -> None:
        """Run all ticked engines on the seeds as they are."""
        self.clear()
        self._queue = self.ticked()
        if len(self._queue) < 2:
            self._queue = []
            self.failed.emit(InputError("Compare", "needs two engines", "Tick at least two"))
            return
        self._next()

    def clear(self) -> None:
        """Stop, and take the results away."""
        self._queue = []
        self.stepper.drop()
        if self._watch is not None:
            self._watch.release()
            self._watch = None
        self._grid.leave(self.layers)
        for layer in self.layers:
            if layer in self._viewer.layers:
                self._viewer.layers.remove(layer)
        self.layers, self.pieces, self.errors, self.agreement = [], {}, {}, None
        self.table.setRowCount(0)
        self.table.setColumnCount(0)
        self.message.setText("")
        self._enable()

    def use(self) -> None:
        """Take the engine of the selected row."""
        row = self.table.currentRow()
        names = list(self.pieces)
        if 0 <= row < len(names):
            piece = self.pieces[names[row]]
            self.clear()
            self.chosen.emit(piece)

    def _lay_out(self) -> None:
        self.choices = QListWidget()
        for engine in self._engines.values():
            item = QListWidgetItem(engine.name, self.choices)
            item.setData(Qt.ItemDataRole.UserRole, engine.id)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Checked if self.choices.count() <= 3 else Qt.CheckState.Unchecked)
        self.choices.setMaximumHeight(24 * max(len(self._engines), 2) + 8)
        self.start = QPushButton("Compare")
        self.start.setToolTip(
            "<qt>Run the ticked engines on the same seeds, with the parameters each of them has in Segment.</qt>"
        )
        self.winner = QPushButton("Use this one")
        self.winner.setToolTip("<qt>Take the engine of the selected row, and its result as the preview.</qt>")
        self.remove = QPushButton("Clear")
        self.remove.setToolTip("Take the results away")
        self.grid = QCheckBox("Side by side")
        self.grid.setToolTip("<qt>Show each result beside the others, over the image; otherwise as layers above each other.</qt>")
        self.message = PlainLabel()
        self.table = QTableWidget(0, 0)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        buttons = QHBoxLayout()
        for part in (self.start, self.remove):
            buttons.addWidget(part)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 6, 0, 0)
        column.addWidget(QLabel("Run on the same seeds:"))
        column.addWidget(self.choices)
        column.addLayout(buttons)
        for part in (self.grid, self.table, self.winner, self.message):
            column.addWidget(part, 1 if part is self.table else 0)
        self.start.clicked.connect(self.compare)
        self.remove.clicked.connect(self.clear)
        self.winner.clicked.connect(self.use)
        self.table.itemSelectionChanged.connect(self._enable)
        self.grid.toggled.connect(self._switch_grid)
        self._enable()

    def _next(self) -> None:
        if not self._queue:
            self._finish()
            return
        engine = self._queue.pop(0)
        self.message.setText(f"{engine.name}…")
        self._enable()
        try:
            plan = self._ask(engine)
            request, region = self._planner.request(plan, None)
            job = self._runner.submit(request)
        except LightboxError as error:
            self._note(engine, error)
            return
        began = time.perf_counter()

        def take(outcome: Outcome) -> None:
            try:
                labels = labels_of(outcome, plan, region)
            except LightboxError as error:
                self._note(engine, error)
                return
            self.pieces[engine.id] = Piece(plan, request, region, labels, time.perf_counter() - began)
            self._next()

        self._watch = Watch(job)
        self._watch.finished.connect(take)
        self._watch.failed.connect(partial(self._note, engine))
        self._watch.cancelled.connect(self.clear)

    def _note(self, engine: Engine, error: Exception) -> None:
        self.errors[engine.id] = str(error)
        self._next()

    def _finish(self) -> None:
        self.message.setText("\n".join(f"{self._engines[i].name}: {text}" for i, text in self.errors.items()))
        if self.pieces:
            first = next(iter(self.pieces.values()))
            results = {name: piece.labels for name, piece in self.pieces.items()}
            self.stepper.run(agreement(results, background_id(first.plan.seeds)), self._show, self.failed.emit)
        self._enable()

    def _show(self, found: Agreement) -> None:
        self.agreement = found
        # the first one on top, and thus first in the grid
        for name, piece in reversed(self.pieces.items()):
            self._add_layers(self._engines[name].name, piece)
        self._fill(found)
        self._switch_grid(self.grid.isChecked())
        self._enable()

    def _add_layers(self, title: str, piece: Piece) -> None:
        plan = piece.plan
        geometry = seeds_geometry(plan.image, plan.axes)
        part = geometry.crop([s.start for s in piece.region], [s.stop - s.start for s in piece.region])
        shown = piece.labels.copy()
        shown[shown == background_id(plan.seeds)] = 0
        layer = Labels(shown, name=f"{title} (compared)", opacity=0.5, **placed(part, plan.image, plan.axes))
        picture = copy_of(plan.image, f"{plan.image.name} under {title}")
        for added in (picture, layer):
            added.metadata = {**added.metadata, METADATA: {"preview": True}}
            self.layers.append(bring_in(self._viewer, added))
        picture.visible = self.grid.isChecked()

    def _fill(self, found: Agreement) -> None:
        names = list(self.pieces)
        titles = [self._engines[name].name for name in names]
        labels = sorted({label for counts in found.counts.values() for label in counts})
        self.table.setRowCount(len(names))
        self.table.setColumnCount(1 + len(labels) + len(names))
        self.table.setVerticalHeaderLabels(titles)
        self.table.setHorizontalHeaderLabels(
            ["Time", *[f"Id {i}" for i in labels], *[f"Dice {i + 1}" for i in range(len(names))]]
        )
        for row, name in enumerate(names):
            sizes = [self._size(self.pieces[name].plan, found.counts[name].get(label, 0)) for label in labels]
            dice = [f"{found.dice(name, other):.3f}" for other in names]
            for place, text in enumerate([f"{self.pieces[name].seconds * 1000:.0f} ms", *sizes, *dice]):
                self.table.setItem(row, place, QTableWidgetItem(text))
        for i, title in enumerate(titles):
            self.table.horizontalHeaderItem(1 + len(labels) + i).setToolTip(f"Agreement with {title}")
        self.table.resizeColumnsToContents()

    def _size(self, plan: Plan, pixels: int) -> str:
        geometry = seeds_geometry(plan.image, plan.axes)
        spatial = geometry.spatial
        steps, units = geometry.spacing_along(spatial), {geometry.units[geometry.axes.index(a)] for a in spatial}
        volume = float(pixels)
        for step in steps:
            volume *= step
        kind = "volume" if len(spatial) == 3 else "area"
        unit = units.pop() if len(units) == 1 else "pixel"
        return size_text({kind: volume, "pixels": pixels}, {kind: f"{unit}^{len(spatial)}"})

    def _switch_grid(self, on: bool) -> None:
        if on:
            self._grid.enter(self.layers)
        else:
            self._grid.leave(self.layers)

    def _enable(self) -> None:
        self.start.setEnabled(not self.busy)
        self.winner.setEnabled(bool(self.pieces) and self.table.currentRow() >= 0 and not self.busy)
        self.remove.setEnabled(bool(self.layers) or self.busy)
