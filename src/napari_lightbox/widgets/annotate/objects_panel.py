"""The list of accepted objects with what can be done to them."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QGridLayout, QHBoxLayout, QPushButton, QSpinBox, QVBoxLayout, QWidget

from napari_lightbox.engine.runner import Runner
from napari_lightbox.widgets.annotate.objects import ObjectTable
from napari_lightbox.widgets.annotate.shortcuts import with_key
from napari_lightbox.widgets.plain_label import PlainLabel


class ObjectsPanel(QWidget):  # type: ignore[misc]
    """Emits `asked(what)` with "merge", "split", "delete" or "relabel" for the selected objects."""

    asked = Signal(str)

    def __init__(self, runner: Runner) -> None:
        super().__init__()
        self.heading = PlainLabel()
        self.table = ObjectTable(runner)
        self.merge = QPushButton("Merge")
        self.merge.setToolTip("<qt>Give all selected objects the id of the first one.</qt>")
        self.split = QPushButton("Split")
        self.split.setToolTip("<qt>Divide the selected object by the seeds painted inside it: one stroke per part.</qt>")
        self.delete = QPushButton("Delete")
        self.delete.setToolTip("Remove the selected objects and their seeds")
        self.relabel = QPushButton("Set id")
        self.relabel.setToolTip("Give the selected object this id")
        self.new_id = QSpinBox()
        self.new_id.setRange(1, 2**31 - 1)
        self.previous = QPushButton("Previous")
        self.previous.setToolTip(with_key("Go to the object before this one.", "previous_object"))
        self.next = QPushButton("Next")
        self.next.setToolTip(with_key("Go to the object after this one.", "next_object"))
        walk = QHBoxLayout()
        walk.addWidget(self.previous)
        walk.addWidget(self.next)
        buttons = QGridLayout()
        for place, button in enumerate((self.merge, self.split, self.delete)):
            buttons.addWidget(button, 0, place)
        buttons.addWidget(self.new_id, 1, 0, 1, 2)
        buttons.addWidget(self.relabel, 1, 2)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 6, 0, 0)
        column.addWidget(self.heading)
        column.addWidget(self.table, 1)
        column.addLayout(walk)
        column.addLayout(buttons)
        for name in ("merge", "split", "delete", "relabel"):
            getattr(self, name).clicked.connect(lambda _=False, what=name: self.asked.emit(what))
        self.table.itemSelectionChanged.connect(self.enable)
        self.table.measured.connect(self.enable)
        self.enable()

    def enable(self) -> None:
        """Offer what the selection allows."""
        count = len(self.table.chosen())
        self.merge.setEnabled(count > 1)
        self.split.setEnabled(count == 1)
        self.relabel.setEnabled(count == 1)
        self.delete.setEnabled(count > 0)
        for button in (self.previous, self.next):
            button.setEnabled(bool(self.table.ids))

    def step(self, by: int) -> int | None:
        """Return the object before or after the selected one, None in an empty list."""
        ids, chosen = self.table.ids, self.table.chosen()
        if not ids:
            return None
        at = ids.index(chosen[0]) + by if chosen and chosen[0] in ids else (0 if by > 0 else -1)
        return ids[at % len(ids)]
