"""What a crash left behind, offered quietly at the top of the dock: restore or discard."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.layers import Labels
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout

from napari_lightbox.interaction.journal import pending, recover
from napari_lightbox.interaction.recovery import Recovered, discard
from napari_lightbox.widgets.annotate.diary import journal_folder
from napari_lightbox.widgets.annotate.task import Task
from napari_lightbox.widgets.arrival import bring_in, select_soon
from napari_lightbox.widgets.placement import placed

if TYPE_CHECKING:
    from napari.components import ViewerModel


class RecoveryBanner(QFrame):  # type: ignore[misc]
    """Hidden unless journals wait. Emits `restored(layers)`, `failed(error)`."""

    restored = Signal(object)
    failed = Signal(object)

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__()
        self._viewer = viewer
        self._paths: list[Path] = []
        self._task: Task | None = None
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.restore = QPushButton("Restore")
        self.restore.setToolTip("Open the labels as they were after the last complete stroke")
        self.discard = QPushButton("Discard")
        self.discard.setToolTip("Delete what was left behind")
        buttons = QHBoxLayout()
        buttons.addWidget(self.restore)
        buttons.addWidget(self.discard)
        column = QVBoxLayout(self)
        column.addWidget(self.text)
        column.addLayout(buttons)
        self.restore.clicked.connect(self._restore)
        self.discard.clicked.connect(self._discard)
        self.look()

    @property
    def busy(self) -> bool:
        """Whether labels are being restored."""
        return self._task is not None and self._task.running

    def look(self) -> None:
        """Offer what is there."""
        self._paths = pending(journal_folder())
        count = len(self._paths)
        sessions = "An earlier session" if count == 1 else f"{count} earlier sessions"
        self.text.setText(f"{sessions} ended without closing napari. Its labels can be restored." if count else "")
        self.setVisible(bool(count))

    def stop(self) -> None:
        """Restore no more."""
        if self._task is not None:
            self._task.release()

    def _restore(self) -> None:
        paths = list(self._paths)

        def read(control: Any) -> list[Recovered]:
            found: list[Recovered] = []
            for path in paths:
                control.check()
                found += recover(path)
            return found

        self._enable(False)
        self._task = Task(read, "recovery")
        self._task.finished.connect(self._show)
        self._task.failed.connect(self._fail)
        self._task.start()

    def _show(self, found: list[Recovered]) -> None:
        layers = []
        for item in found:
            title = f"{item.name} (recovered)"
            layers.append(bring_in(self._viewer, Labels(item.volume.data, name=title, **placed(item.volume.geometry))))
        select_soon(self._viewer, layers)
        # a journal goes only once its labels are in the viewer, where a new journal follows them
        self.restored.emit(layers)
        self._discard()

    def _fail(self, error: Exception) -> None:
        self._enable(True)
        self.failed.emit(error)

    def _discard(self) -> None:
        for path in self._paths:
            discard(path)
        self._enable(True)
        self.look()

    def _enable(self, on: bool) -> None:
        self.restore.setEnabled(on)
        self.discard.setEnabled(on)
