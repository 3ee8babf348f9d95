"""Find a technique by any word: title, family, synonym or what it does; third-party techniques included."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QModelIndex, Qt, QTimer
from qtpy.QtWidgets import QAbstractItemView, QCheckBox, QHBoxLayout, QLabel, QLineEdit, QListView, QPushButton, QVBoxLayout

from napari_lightbox.contract import Technique, registry
from napari_lightbox.errors import LightboxError
from napari_lightbox.widgets.docked import Docked
from napari_lightbox.widgets.finder_delegate import FinderDelegate
from napari_lightbox.widgets.finder_keys import FinderKeys
from napari_lightbox.widgets.finder_layers import in_words, offers
from napari_lightbox.widgets.finder_memory import FinderMemory
from napari_lightbox.widgets.finder_model import TECHNIQUE, FinderModel
from napari_lightbox.widgets.help_dialog import help_dialog
from napari_lightbox.widgets.lifeline import Lifeline
from napari_lightbox.widgets.messages import show_failure
from napari_lightbox.widgets.shortcuts import FINDER, shortcuts_dialog
from napari_lightbox.widgets.technique_dock import dock_class
from napari_lightbox.widgets.titles import short_title

if TYPE_CHECKING:
    from napari.viewer import Viewer


_SUMMARY_LINES = 3


class FinderDock(Docked):
    """A search line over all techniques; Enter or a double click opens the dock of the chosen one."""

    def __init__(
        self, napari_viewer: Viewer, memory: FinderMemory | None = None, techniques: Sequence[Technique] | None = None
    ) -> None:
        super().__init__("Find a technique")
        self._viewer = napari_viewer
        self._memory = memory or FinderMemory()
        self._active = Lifeline()
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search, for example: smooth, nuclei, CT")
        self.search.setClearButtonEnabled(True)
        self.model = FinderModel(registry.find(kind="technique") if techniques is None else techniques, self._memory)
        self.delegate = FinderDelegate(napari_viewer.theme, self)
        self.list = _list(self.model, self.delegate)
        self.fitting = QCheckBox("Only what fits")
        self.fitting.setToolTip("<qt>Leave out what needs another kind of layer, other dimensions or a further input.</qt>")
        self.about = QLabel()
        self.summary = QLabel()
        self.summary.setWordWrap(True)
        self.summary.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.summary.setFixedHeight(_SUMMARY_LINES * self.summary.fontMetrics().lineSpacing() + 4)
        self.star, self.help, self.keys, self.open = (QPushButton(t) for t in ("☆", "Help", "Keys", "Open"))
        self._lay_out()
        self._connect()
        self._judge()
        self._describe()

    def found(self) -> list[Technique]:
        """Return the techniques shown, in the order shown."""
        return self.model.shown

    def current(self) -> Technique | None:
        """Return the chosen technique."""
        index = self.list.currentIndex()
        return index.data(TECHNIQUE) if index.isValid() else None

    def open_current(self) -> None:
        """Open the dock of the chosen technique, or bring the one that is open to the front."""
        technique = self.current()
        if technique is None:
            return
        self._keep(self._memory.opened, technique)
        name = short_title(technique)
        present = self._viewer.window.dock_widgets.get(name)
        if present is not None:
            dock = present.parent()
        else:
            dock = self._viewer.window.add_dock_widget(dock_class(technique)(self._viewer), name=name, area="right", tabify=True)
        dock.show()
        dock.raise_()

    def toggle_star(self, technique: Technique | None = None) -> None:
        """Make the chosen technique a favourite, or no longer one."""
        technique = technique or self.current()
        if technique is not None:
            self._keep(self._memory.toggle, technique)
            self._describe()

    def choose_first(self) -> None:
        """Choose the first technique shown."""
        rows = (self.model.index(r) for r in range(self.model.rowCount()))
        first = next((index for index in rows if index.data(TECHNIQUE) is not None), QModelIndex())
        self.list.setCurrentIndex(first)

    def _look(self, text: str) -> None:
        """Search; without a text the technique chosen before stays chosen."""
        chosen = self.current()
        self.model.look_for(text)
        if text.strip():
            self.choose_first()
            self.list.scrollToTop()
        else:
            self._choose(chosen)
        self._count()
        self._describe()

    def _only_fitting(self, only: bool) -> None:
        chosen = self.current()
        self.model.only_fitting(only)
        self._choose(chosen)
        self._count()
        self._describe()

    def _keep(self, step: Any, technique: Technique) -> None:
        """Change what is remembered and show it, with the same technique chosen and in sight."""
        try:
            step(technique.id)
        except (LightboxError, OSError) as error:
            show_failure(error)
        self.model.arrange()
        self._choose(technique)
        self._describe()

    def _choose(self, technique: Technique | None) -> None:
        row = self.model.row_of(technique)
        if row is not None:
            self.list.setCurrentIndex(self.model.index(row))

    def _judge(self, event: Any = None) -> None:
        """Tell anew what fits, after another layer was selected or the layers changed."""
        chosen = self.current()
        self.model.offered(*offers(self._viewer))
        self._choose(chosen)
        self._count()
        self._describe()

    def _follow_active(self, event: Any = None) -> None:
        self._active.cut()
        self._active = Lifeline()
        layer = self._viewer.layers.selection.active
        for name in ("axis_labels", "set_data", "features"):
            if layer is not None and name in layer.events:
                self._active.connect(layer.events[name], self._judge_soon)
        self._judge_soon()

    def _judge_soon(self, event: Any = None) -> None:
        self._timer.start()

    def _count(self) -> None:
        layer = self._viewer.layers.selection.active
        shown, fitting = len(self.model.shown), self.model.fitting
        said = f"{shown} shown" if layer is None else f"{shown} shown, {fitting} of {len(self.model.techniques)} fit"
        self.about.setText(said)
        self.about.setToolTip(f"<qt>For {escape(in_words(layer))}</qt>")

    def _describe(self, *_: Any) -> None:
        technique = self.current()
        self.summary.setText("" if technique is None else technique.doc)
        for button in (self.open, self.star, self.help):
            button.setEnabled(technique is not None)
        self.star.setText("★" if technique is not None and technique.id in self._memory.favourites else "☆")

    def _show_help(self) -> None:
        technique = self.current()
        if technique is not None:
            help_dialog(technique, self).show()

    def _on_theme(self, event: Any = None) -> None:
        self.delegate.use_theme(self._viewer.theme)
        self.list.viewport().update()

    def _lay_out(self) -> None:
        above, below = QHBoxLayout(), QHBoxLayout()
        above.addWidget(self.fitting)
        above.addWidget(self.about, 1, Qt.AlignmentFlag.AlignRight)
        for button, width in ((self.open, 3), (self.star, 1), (self.help, 1), (self.keys, 1)):
            below.addWidget(button, width)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 6, 6, 6)
        column.addWidget(self.search)
        column.addLayout(above)
        column.addWidget(self.list, 1)
        column.addWidget(self.summary)
        column.addLayout(below)
        self.setMinimumWidth(320)
        self.setFocusProxy(self.search)
        for button, tip in ((self.star, "Favourite"), (self.help, "What the technique does"), (self.keys, "All shortcuts")):
            button.setToolTip(tip)

    def _connect(self) -> None:
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._judge)
        layers = self._viewer.layers
        for emitter in (layers.events.inserted, layers.events.removed):
            self.lifeline.connect(emitter, self._judge_soon)
        self.lifeline.connect(layers.selection.events.active, self._follow_active)
        self.lifeline.connect(self._viewer.events.theme, self._on_theme)
        self.lifeline.at_end(self._timer.stop)
        self.lifeline.at_end(lambda: self._active.cut())
        self._follow_active()
        actions = {FINDER.open: self.open_current, FINDER.star: self.toggle_star, FINDER.help: self._show_help}
        self._keyboard = FinderKeys(self.search, self.list, actions, self.choose_first)
        self.search.textChanged.connect(self._look)
        self.list.doubleClicked.connect(lambda _: self.open_current())
        self.list.selectionModel().currentChanged.connect(self._describe)
        self.delegate.starred.connect(self.toggle_star)
        self.fitting.toggled.connect(self._only_fitting)
        self.open.clicked.connect(self.open_current)
        self.star.clicked.connect(lambda: self.toggle_star())
        self.help.clicked.connect(self._show_help)
        self.keys.clicked.connect(lambda: shortcuts_dialog(self).show())


def _list(model: FinderModel, delegate: FinderDelegate) -> QListView:
    view = QListView()
    view.setModel(model)
    view.setItemDelegate(delegate)
    view.setMouseTracking(True)
    view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    return view
