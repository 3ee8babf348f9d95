"""Choose a technique to insert into a recipe: those that fit at the place first, the others with the reason."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QButtonGroup,
    QDialog,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from napari_lightbox.contract import Recipe, Step, Technique, registry
from napari_lightbox.contract.recipe_edits import inserted
from napari_lightbox.contract.recipe_refs import Ref, written
from napari_lightbox.errors import LightboxError
from napari_lightbox.widgets.families import family
from napari_lightbox.widgets.plain_label import PlainLabel
from napari_lightbox.widgets.recipe_rows import Row
from napari_lightbox.widgets.theme import faint, theme_colours

_TECHNIQUE = Qt.ItemDataRole.UserRole


class InsertDialog(QDialog):  # type: ignore[misc]
    """A search line over the techniques; emits `chosen(recipe, step number)` with the recipe as it becomes.

    Parameters
    ----------
    recipe, row
        Where: before or behind the row.
    tag
        The tag of the new step.
    theme
        Name of napari's theme.
    """

    chosen = Signal(object, int)

    def __init__(self, recipe: Recipe, row: Row, tag: str, theme: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._faint = faint(theme_colours(theme)["text"], 0.5)
        self.setWindowTitle(f"Insert a step at {row.title}")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(360, 440)
        self._recipe = recipe
        self._row = row
        self._tag = tag
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search, for example: smooth, threshold")
        self.before, self.after = QRadioButton("Before it"), QRadioButton("Behind it")
        self.list = QListWidget()
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.reason = PlainLabel()
        self.insert = QPushButton("Insert")
        self._lay_out()
        self.search.textChanged.connect(self._filter)
        self.search.returnPressed.connect(self.accept_current)
        self.list.itemActivated.connect(lambda _: self.accept_current())
        self.list.currentItemChanged.connect(lambda _now, _before: self._explain())
        self.before.toggled.connect(self._fill)
        self.insert.clicked.connect(self.accept_current)
        self._fill()

    def choose(self, technique: str) -> None:
        """Choose a technique in the list."""
        for item in self._items():
            if item.data(_TECHNIQUE).id == technique:
                self.list.setCurrentItem(item)

    def accept_current(self) -> None:
        """Insert the chosen technique when it fits."""
        item = self.list.currentItem() or next((i for i in self._items() if not i.isHidden()), None)
        if item is None:
            return
        try:
            recipe, number = self._inserted(item.data(_TECHNIQUE))
        except LightboxError as error:
            self.reason.setText(str(error))
            return
        self.chosen.emit(recipe, number)
        self.accept()

    def _inserted(self, technique: Technique) -> tuple[Recipe, int]:
        row = self._row
        if row.is_input:
            return inserted(self._recipe, Step(technique.id, {}, (written(Ref("input", row.number)),), tag=self._tag))
        if self.after.isChecked():
            return inserted(self._recipe, Step(technique.id, {}, (written(Ref("step", row.number)),), tag=self._tag))
        first = self._recipe.steps[row.number].inputs[0]
        source = first if isinstance(first, str) else "input"
        return inserted(self._recipe, Step(technique.id, {}, (source,), tag=self._tag), before=row.number)

    def _lay_out(self) -> None:
        places = QHBoxLayout()
        group = QButtonGroup(self)
        for button in (self.before, self.after):
            group.addButton(button)
            places.addWidget(button)
        self.after.setChecked(True)
        self.before.setVisible(not self._row.is_input)
        column = QVBoxLayout(self)
        column.addWidget(self.search)
        column.addLayout(places)
        for part in (self.list, self.reason, self.insert):
            column.addWidget(part)

    def _fill(self) -> None:
        fitting, others = [], []
        for technique in registry.find(kind="technique"):
            try:
                self._inserted(technique)
            except LightboxError as error:
                others.append((technique, error.reason))
            else:
                fitting.append((technique, ""))
        self.list.clear()
        for technique, reason in [*fitting, *others]:
            item = QListWidgetItem(f"{technique.title}  ·  {family(technique.family).title}", self.list)
            item.setData(_TECHNIQUE, technique)
            item.setToolTip(f"<qt>{technique.doc}</qt>")
            if reason:
                item.setForeground(self._faint)
        self._filter(self.search.text())

    def _filter(self, text: str) -> None:
        words = text.lower().split()
        shown = []
        for item in self._items():
            technique: Technique = item.data(_TECHNIQUE)
            haystack = " ".join((technique.title, technique.id, technique.doc, *technique.synonyms)).lower()
            item.setHidden(not all(word in haystack for word in words))
            shown += [] if item.isHidden() else [item]
        self.list.setCurrentItem(shown[0] if shown and words else None)
        self._explain()

    def _explain(self) -> None:
        item = self.list.currentItem()
        if item is None:
            self.reason.setText("")
            return
        try:
            self._inserted(item.data(_TECHNIQUE))
        except LightboxError as error:
            self.reason.setText(str(error))
            self.insert.setEnabled(False)
        else:
            self.reason.setText(item.data(_TECHNIQUE).doc)
            self.insert.setEnabled(True)

    def _items(self) -> list[QListWidgetItem]:
        return [self.list.item(i) for i in range(self.list.count())]
