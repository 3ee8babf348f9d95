"""The Annotate dock: paint, look, accept, correct."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.layers import Labels, Layer
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QDialog, QFileDialog, QHBoxLayout, QMenu, QPushButton, QTabWidget, QTextBrowser, QVBoxLayout

from napari_lightbox.errors import LightboxError
from napari_lightbox.widgets.annotate import shortcuts
from napari_lightbox.widgets.annotate.bar import LiveBar
from napari_lightbox.widgets.annotate.bench import Bench
from napari_lightbox.widgets.annotate.compare import Comparison
from napari_lightbox.widgets.annotate.engines import engines
from napari_lightbox.widgets.annotate.log_files import Opened, opener, save_log, show_opened
from napari_lightbox.widgets.annotate.objects_panel import ObjectsPanel
from napari_lightbox.widgets.annotate.proofreading import Proofreading
from napari_lightbox.widgets.annotate.recovery_banner import RecoveryBanner
from napari_lightbox.widgets.annotate.segment_panel import SegmentPanel
from napari_lightbox.widgets.annotate.segmenting import Segmenting
from napari_lightbox.widgets.annotate.session import session_of
from napari_lightbox.widgets.annotate.task import Task
from napari_lightbox.widgets.docked import Docked
from napari_lightbox.widgets.layers import volume_of
from napari_lightbox.widgets.runners import shared_runner

if TYPE_CHECKING:
    from napari.viewer import Viewer

_FILTER = "Interaction logs (*.lightbox-log)"


class AnnotateDock(Docked):
    """Seeds in, objects out, with any engine; every step can be undone, saved and replayed.

    Strokes, log and undo steps stay with the viewer when it is closed.
    """

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__("Annotate")
        # napari hands plugins a proxy that hides what its own undo keeps
        self.viewer = getattr(napari_viewer, "__wrapped__", napari_viewer)
        self.session = session_of(self.viewer)
        self._task: Task | None = None
        runner = shared_runner()
        self.banner = RecoveryBanner(self.viewer)
        self.panel = SegmentPanel(engines())
        self.objects = ObjectsPanel(runner)
        self.bar = LiveBar()
        self.bench = Bench(self.viewer, self.session, runner, self.panel, self.bar)
        self.segmenting = Segmenting(self.bench)
        self.proofreading = Proofreading(self.bench, self.objects, self.segmenting.painting)
        self.comparison = Comparison(self.viewer, runner, self.panel.engines, self.segmenting.plan)
        self._make_footer()
        self._lay_out()
        self._connect()
        self.panel.refresh(self.viewer.layers)
        self.segmenting.follow()
        self._show_history()

    @property
    def busy(self) -> bool:
        """Whether anything is on its way."""
        task = self._task is not None and self._task.running
        parts = (self.segmenting, self.proofreading, self.comparison, self.banner)
        return task or any(part.busy for part in parts)

    def save_log(self, path: str | Path) -> None:
        """Write the interaction log of the image."""
        try:
            written = save_log(self.session, self.panel.image.chosen(), path)
        except LightboxError as error:
            self.bench.fail(error)
        else:
            self.bench.say(f"Log saved as {written.name}.")

    def open_log(self, path: str | Path) -> None:
        """Replay a log on the image and go on where it ends."""
        image = self.panel.image.chosen()
        if image is None:
            self.bench.say("Open the image the log was made on first.")
            return
        self.bench.say("Replaying the log…")
        self._task = Task(opener(path, volume_of(image, self.panel.axes)), "replay")
        self._task.finished.connect(partial(self._take_log, image))
        self._task.failed.connect(self.bench.fail)
        self._task.progressed.connect(lambda fraction, _: self.bench.say(f"Replaying the log… {fraction:.0%}"))
        self._task.start()

    def help_dialog(self) -> QDialog:
        """Return a window with the keys, not yet shown."""
        dialog = QDialog(self)
        dialog.setWindowTitle("Annotate")
        dialog.resize(480, 460)
        browser = QTextBrowser()
        browser.setHtml(f"<h3>Annotate</h3>{_HELP}{shortcuts.help_html()}")
        QVBoxLayout(dialog).addWidget(browser)
        return dialog

    def showEvent(self, event: QEvent) -> None:
        """Line the fields up once the window's font is known."""
        super().showEvent(event)
        self.panel.align()

    def _make_footer(self) -> None:
        self.undo = QPushButton("Undo")
        self.redo = QPushButton("Redo")
        self.log = QPushButton("Log")
        self.log.setToolTip("<qt>Everything that was painted, run and accepted for this image; replays to the same labels.</qt>")
        menu = QMenu(self.log)
        menu.addAction("Save log…", self._ask_save)
        menu.addAction("Open log…", self._ask_open)
        self.log.setMenu(menu)

    def _lay_out(self) -> None:
        self.tabs = QTabWidget()
        for title, page in (("Segment", self.panel), ("Objects", self.objects), ("Compare", self.comparison)):
            self.tabs.addTab(page, title)
        footer = QHBoxLayout()
        footer.setSpacing(4)
        for button in (self.undo, self.redo, self.log):
            footer.addWidget(button, 1)
        column = QVBoxLayout(self)
        column.addWidget(self.banner)
        column.addWidget(self.tabs, 1)
        column.addWidget(self.bar)
        column.addLayout(footer)
        self.setMinimumWidth(330)

    def _connect(self) -> None:
        layers = self.viewer.layers.events
        for emitter in (layers.inserted, layers.removed, layers.reordered):
            self.lifeline.connect(emitter, self._follow_layers)
        for part in (self.segmenting, self.proofreading, self.banner):
            self.lifeline.at_end(part.stop)
        self.lifeline.at_end(self.comparison.clear)
        self.lifeline.at_end(self._stop_task)
        self.lifeline.at_end(self.session.history.subscribe(self._show_history))
        self.lifeline.at_end(shortcuts.bind(self.viewer, self._actions()))
        self.undo.clicked.connect(self.session.undo)
        self.redo.clicked.connect(self.session.redo)
        self.bar.help.clicked.connect(lambda: self.help_dialog().show())
        self.banner.restored.connect(self._take_recovered)
        self.banner.failed.connect(self.bench.fail)
        self.comparison.failed.connect(self.bench.fail)
        self.comparison.chosen.connect(self.segmenting.take_winner)
        self.segmenting.accepted.connect(self.objects.table.refresh)

    def _actions(self) -> dict[str, Any]:
        return {
            "run": self.segmenting.run,
            "accept": self.segmenting.accept,
            "discard": self.segmenting.accepting.discard,
            "new_object": self.segmenting.painting.next_object,
            "background": self.segmenting.painting.paint_background,
            "previous_object": lambda: self.proofreading.walk(-1),
            "next_object": lambda: self.proofreading.walk(1),
            "undo": self.session.undo,
            "redo": self.session.redo,
        }

    def _follow_layers(self, event: Any = None) -> None:
        self.panel.refresh(self.viewer.layers)

    def _show_history(self) -> None:
        history = self.session.history
        for button, title, name in ((self.undo, history.undo_title, "undo"), (self.redo, history.redo_title, "redo")):
            button.setEnabled(title is not None)
            what = f"{name.capitalize()} {title}." if title else f"Nothing to {name}."
            button.setToolTip(shortcuts.with_key(what, name))

    def _take_log(self, image: Layer, opened: Opened) -> None:
        seeds, target = show_opened(self.session, image, opened)
        if seeds is not None:
            self.panel.seeds.choose(seeds)
        if target is not None:
            self.panel.target.choose(target)
        self.bench.say("The log was replayed; go on where it ended.")

    def _take_recovered(self, layers: list[Labels]) -> None:
        for layer in layers:
            self.session.record(layer).secure()
        self.bench.say(f"Restored {', '.join(layer.name for layer in layers)}.")

    def _stop_task(self) -> None:
        if self._task is not None:
            self._task.release()

    def _ask_save(self) -> None:
        path = QFileDialog.getSaveFileName(self, "Save the interaction log", "", _FILTER)[0]
        if path:
            self.save_log(path)

    def _ask_open(self) -> None:
        path = QFileDialog.getOpenFileName(self, "Open an interaction log", "", _FILTER)[0]
        if path:
            self.open_log(path)


_HELP = (
    "<p>Press <b>New</b> for a seeds layer, paint a stroke inside an object and one on the background, and look at the preview. "
    "Paint more where it is wrong. <b>Accept</b> writes it into a Labels layer; <b>Next object</b> goes on with the next one. "
    "In <b>Objects</b>, click an object to come back to it.</p>"
)
