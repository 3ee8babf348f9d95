"""Find a technique by any word: title, family, synonym or what it does; third-party techniques included."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QLineEdit, QPushButton, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from napari_lightbox.contract import Technique, registry
from napari_lightbox.widgets.families import family
from napari_lightbox.widgets.technique_dock import dock_class

if TYPE_CHECKING:
    from napari.viewer import Viewer

_TECHNIQUE = Qt.ItemDataRole.UserRole


class FinderDock(QWidget):  # type: ignore[misc]
    """A search line over all techniques by family; Enter or a double click opens the dock."""

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self._viewer = napari_viewer
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search, for example: smooth, nuclei, CT")
        self.search.setClearButtonEnabled(True)
        self.tree = QTreeWidget()
        self.tree.setHeaderHidden(True)
        self.summary = QLabel()
        self.summary.setWordWrap(True)
        self.open = QPushButton("Open")
        column = QVBoxLayout(self)
        for part in (self.search, self.tree, self.summary, self.open):
            column.addWidget(part)
        self.setMinimumWidth(280)
        self._fill()
        self.search.textChanged.connect(self._filter)
        self.search.returnPressed.connect(self.open_current)
        self.tree.itemActivated.connect(lambda _item, _column: self.open_current())
        self.tree.currentItemChanged.connect(lambda _now, _before: self._describe())
        self.open.clicked.connect(self.open_current)
        self._describe()

    def found(self) -> list[Technique]:
        """Return the techniques shown."""
        return [item.data(0, _TECHNIQUE) for item in self._items() if not item.isHidden()]

    def open_current(self) -> None:
        """Open the dock of the chosen technique."""
        technique = self._current()
        if technique is not None:
            name = f"{family(technique.family).title}: {technique.title} (Lightbox)"
            self._viewer.window.add_dock_widget(dock_class(technique)(self._viewer), name=name, area="right", tabify=True)

    def _fill(self) -> None:
        groups: dict[str, QTreeWidgetItem] = {}
        for technique in registry.find(kind="technique"):
            title = family(technique.family).title
            if title not in groups:
                groups[title] = QTreeWidgetItem(self.tree, [title])
                groups[title].setFlags(Qt.ItemFlag.ItemIsEnabled)
            item = QTreeWidgetItem(groups[title], [technique.title])
            item.setToolTip(0, technique.doc)
            item.setData(0, _TECHNIQUE, technique)
        self.tree.sortItems(0, Qt.SortOrder.AscendingOrder)
        self.tree.expandAll()

    def _filter(self, text: str) -> None:
        words = text.lower().split()
        for item in self._items():
            haystack = _words_of(item.data(0, _TECHNIQUE))
            item.setHidden(not all(word in haystack for word in words))
        for i in range(self.tree.topLevelItemCount()):
            group = self.tree.topLevelItem(i)
            group.setHidden(all(group.child(j).isHidden() for j in range(group.childCount())))
        first = next((item for item in self._items() if not item.isHidden()), None)
        self.tree.setCurrentItem(first if words else None)

    def _items(self) -> list[QTreeWidgetItem]:
        groups = (self.tree.topLevelItem(i) for i in range(self.tree.topLevelItemCount()))
        return [group.child(j) for group in groups for j in range(group.childCount())]

    def _current(self) -> Technique | None:
        item = self.tree.currentItem()
        return None if item is None or item.isHidden() else item.data(0, _TECHNIQUE)

    def _describe(self) -> None:
        technique = self._current()
        self.summary.setText(technique.doc if technique is not None else "")
        self.open.setEnabled(technique is not None)


def _words_of(technique: Technique) -> str:
    parts = (technique.title, technique.id, family(technique.family).title, technique.doc, *technique.synonyms)
    return " ".join(parts).lower().replace("_", " ")
