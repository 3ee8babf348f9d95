"""Choosers of layers that follow the layer list: one layer, several layers, or a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from napari.layers import Layer
from qtpy.QtCore import QEvent, QSize, Qt, Signal
from qtpy.QtWidgets import QComboBox, QFileDialog, QHBoxLayout, QLineEdit, QListWidget, QListWidgetItem, QToolButton, QWidget

Accepts = Callable[[Layer], bool]


class LayerCombo(QComboBox):  # type: ignore[misc]
    """One of the layers that fit; `none` is the text of the empty choice, when there is one."""

    changed = Signal()

    def __init__(self, accepts: Accepts, none: str | None = None) -> None:
        super().__init__()
        self._accepts = accepts
        self._none = none
        self._layers: list[Layer] = []
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(10)
        self.setPlaceholderText("no fitting layer")
        self.currentIndexChanged.connect(self._on_index)

    def chosen(self) -> Layer | None:
        """Return the layer chosen."""
        index = self.currentIndex() - (self._none is not None)
        return self._layers[index] if 0 <= index < len(self._layers) else None

    def choose(self, layer: Layer | None) -> None:
        """Choose a layer, or the empty choice."""
        self.setCurrentIndex((self._layers.index(layer) if layer is not None else -1) + (self._none is not None))

    def refresh(self, layers: Sequence[Layer], preferred: Sequence[Layer]) -> None:
        """List the layers that fit and keep the choice; without one, take the first of `preferred`."""
        before = self.chosen()
        self._layers = [layer for layer in reversed(list(layers)) if self._accepts(layer)]
        self.blockSignals(True)
        self.clear()
        if self._none is not None:
            self.addItem(self._none)
        for layer in self._layers:
            self.addItem(layer.name)
        self.choose(before if before in self._layers else self._first_choice(preferred))
        self.blockSignals(False)
        if self.chosen() is not before:
            self.changed.emit()

    def wheelEvent(self, event: QEvent) -> None:
        """Leave the wheel to the form."""
        event.ignore()

    def _first_choice(self, preferred: Sequence[Layer]) -> Layer | None:
        if self._none is not None:
            return None
        return next((layer for layer in preferred if layer in self._layers), self._layers[0] if self._layers else None)

    def _on_index(self) -> None:
        self.changed.emit()


class LayerList(QListWidget):  # type: ignore[misc]
    """Several of the layers that fit, ticked, in layer order."""

    changed = Signal()

    def __init__(self, accepts: Accepts) -> None:
        super().__init__()
        self._accepts = accepts
        self._layers: list[Layer] = []
        self.itemChanged.connect(lambda _: self.changed.emit())

    def chosen(self) -> list[Layer]:
        """Return the ticked layers, the lowest first."""
        ticked = [self.item(i).checkState() == Qt.CheckState.Checked for i in range(self.count())]
        return [layer for layer, tick in zip(self._layers, ticked, strict=True) if tick]

    def choose(self, layers: Sequence[Layer]) -> None:
        """Tick these layers and no other."""
        for i, layer in enumerate(self._layers):
            self.item(i).setCheckState(Qt.CheckState.Checked if layer in layers else Qt.CheckState.Unchecked)

    def refresh(self, layers: Sequence[Layer], preferred: Sequence[Layer]) -> None:
        """List the layers that fit and keep what is ticked; at the start take those selected."""
        before = self.chosen() if self._layers else [layer for layer in preferred if self._accepts(layer)]
        self._layers = [layer for layer in layers if self._accepts(layer)]
        self.blockSignals(True)
        self.clear()
        for layer in self._layers:
            item = QListWidgetItem(layer.name, self)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
        self.choose(before)
        self.blockSignals(False)
        self.changed.emit()

    def sizeHint(self) -> QSize:
        """Ask for a few rows."""
        return QSize(160, 90)


class FileLine(QWidget):  # type: ignore[misc]
    """A path, typed or chosen."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.line = QLineEdit()
        browse = QToolButton()
        browse.setText("…")
        browse.setToolTip("Choose a file")
        browse.clicked.connect(self._browse)
        self.line.editingFinished.connect(self.changed.emit)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.line, 1)
        row.addWidget(browse)

    def chosen(self) -> str | None:
        """Return the path, None when empty."""
        return self.line.text().strip() or None

    def choose(self, path: str | None) -> None:
        """Show a path, or none."""
        self.line.setText(path or "")
        self.changed.emit()

    def refresh(self, layers: Sequence[Layer], preferred: Sequence[Layer]) -> None:
        """Stay as it is: files do not depend on layers."""

    def _browse(self) -> None:
        path: Any = QFileDialog.getOpenFileName(self, "Choose a file")[0]
        if path:
            self.line.setText(path)
            self.changed.emit()
