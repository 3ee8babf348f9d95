"""Where a run goes: this computer, or a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, Qt
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QLabel, QToolButton, QWidget

from napari_lightbox.widgets.lifeline import Lifeline
from napari_lightbox.widgets.places import places
from napari_lightbox.widgets.server_dock import open_server_dock

if TYPE_CHECKING:
    from napari.viewer import Viewer

HERE = "this computer"
_MORE = "Servers…"
_LINK = "QToolButton { border: none; background: transparent; padding: 0px; text-decoration: underline; }"


class RunOn(QWidget):  # type: ignore[misc]
    """A choice of places while a server is known, else a link to the dock where one is made known."""

    def __init__(self, viewer: Viewer, lifeline: Lifeline) -> None:
        super().__init__()
        self._viewer = viewer
        self.link = QToolButton()
        self.link.setText("Run on a server…")
        self.link.setStyleSheet(_LINK)
        self.link.setCursor(Qt.CursorShape.PointingHandCursor)
        self.link.setToolTip("<qt>Connect to a Lightbox server, and let it do the work.</qt>")
        self.label = QLabel("Run on")
        self.combo = _Combo()
        self.combo.setToolTip("<qt>Where Run goes. The live preview is always computed on this computer.</qt>")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.label)
        row.addWidget(self.combo, 1)
        row.addWidget(self.link)
        row.addStretch(0)
        self.link.clicked.connect(self._open_dock)
        self.combo.activated.connect(self._on_choice)
        places().follow(self.refresh, lifeline)
        self._before: str | None = None
        self.refresh()

    def chosen(self) -> str | None:
        """Return the address of the chosen server, None for this computer."""
        return self._before

    def choose(self, address: str | None) -> None:
        """Choose a server by its address, or this computer."""
        self._before = address
        self.combo.setCurrentIndex(0 if address is None else max(self.combo.findData(address), 0))

    def refresh(self) -> None:
        """Offer the servers known now, and keep the choice while it can be kept."""
        known = places().known
        self.combo.clear()
        self.combo.addItem(HERE, None)
        for server in known:
            there = places().runner(server.address) is not None
            self.combo.addItem(server.name if there else f"{server.name} (not connected)", server.address)
        self.combo.insertSeparator(self.combo.count())
        self.combo.addItem(_MORE)
        self.choose(self._before if self._before in [server.address for server in known] else None)
        for widget in (self.label, self.combo):
            widget.setVisible(bool(known))
        self.link.setVisible(not known)

    def _on_choice(self, index: int) -> None:
        if self.combo.itemText(index) == _MORE and index == self.combo.count() - 1:
            self.choose(self._before)
            self._open_dock()
        else:
            self._before = self.combo.itemData(index)

    def _open_dock(self) -> None:
        open_server_dock(self._viewer)


class _Combo(QComboBox):  # type: ignore[misc]
    """A combo box that leaves the wheel to the form and takes no more room than it gets."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(10)

    def wheelEvent(self, event: QEvent) -> None:
        event.ignore()
