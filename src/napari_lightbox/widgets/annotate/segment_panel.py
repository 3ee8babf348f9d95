"""The rows of the Annotate dock that say what is segmented: image, seeds, engine, parameters, where, and where to."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from napari.layers import Layer
from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QFormLayout,
    QLineEdit,
    QMenu,
    QPushButton,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_lightbox.errors import AxesError
from napari_lightbox.widgets.annotate.engines import Engine
from napari_lightbox.widgets.annotate.rows import align, beside, choice, holding, label, rule, scrolling
from napari_lightbox.widgets.annotate.scope import SCOPES, Scope
from napari_lightbox.widgets.annotate.seeds import can_be_image, can_be_target, can_seed
from napari_lightbox.widgets.annotate.shortcuts import with_key
from napari_lightbox.widgets.fold import Fold
from napari_lightbox.widgets.form import Form, form_layout
from napari_lightbox.widgets.layer_choice import LayerCombo
from napari_lightbox.widgets.layers import data_shape, name_axes, suggest_axes
from napari_lightbox.widgets.messages import show_failure

WHICH = {
    "painted": "painted since the last accept",
    "all": "all objects",
    "current": "the current label",
    "listed": "these ids:",
}


_NEW_HELP = (
    "<qt>A new layer for seeds that lies exactly on the image, with the brush in hand. The arrow offers seeds made from a "
    "mask.</qt>"
)


class SegmentPanel(QWidget):  # type: ignore[misc]
    """Rows and buttons, without knowing what they do.

    Emits `image_changed`, `seeds_changed`, `engine_changed`, `scope_changed`, and `edited(engine id)` when a parameter changes.
    """

    image_changed = Signal()
    seeds_changed = Signal()
    engine_changed = Signal()
    scope_changed = Signal()
    target_changed = Signal()
    edited = Signal(str)

    def __init__(self, engines: Sequence[Engine]) -> None:
        super().__init__()
        self.engines = list(engines)
        self.forms: dict[str, Form] = {}
        self._make_source()
        self._make_engine()
        self._make_target()
        upper = QVBoxLayout()
        upper.setContentsMargins(0, 0, 0, 0)
        upper.setSpacing(6)
        upper.addLayout(self._source_rows())
        upper.addWidget(rule())
        upper.addLayout(self._engine_rows())
        upper.addWidget(self.parameters)
        upper.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 6, 0, 0)
        column.setSpacing(6)
        # many parameters scroll; what accepts stays in view
        column.addWidget(scrolling(upper), 1)
        column.addWidget(rule())
        column.addLayout(self._target_rows())
        self._show_engine()

    @property
    def axes(self) -> str:
        """Axes of the image, empty without one."""
        return self.axes_line.text().strip() if self.image.chosen() is not None else ""

    @property
    def chosen_engine(self) -> Engine:
        """The engine."""
        engine: Engine = self.engines[self.engine.currentIndex()]
        return engine

    @property
    def chosen_scope(self) -> Scope:
        """Where it works."""
        scope: Scope = list(SCOPES)[self.scope.currentIndex()]
        return scope

    @property
    def form(self) -> Form:
        """The parameters of the engine."""
        return self.forms[self.chosen_engine.id]

    def choose_engine(self, engine_id: str) -> None:
        """Choose an engine."""
        self.engine.setCurrentIndex([e.id for e in self.engines].index(engine_id))

    def choose_scope(self, scope: Scope) -> None:
        """Choose where it works."""
        self.scope.setCurrentIndex(list(SCOPES).index(scope))

    def limit_scopes(self, flat: bool) -> None:
        """Offer the volume only where there is one and the engine can look at it."""
        item = self.scope.model().item(list(SCOPES).index("volume"))
        item.setEnabled(not flat)
        if flat and self.chosen_scope == "volume":
            self.choose_scope("plane")

    def reset(self) -> None:
        """Show the engine's defaults."""
        self.form.reset()
        self.form.set_values(self.chosen_engine.defaults)

    def refresh(self, layers: Any) -> None:
        """Follow the layer list."""
        self.image.refresh(layers, list(layers.selection))
        for combo in (self.seeds, self.target):
            combo.refresh(layers, [])
        self._show_axes()

    def align(self) -> None:
        """Line the fields up."""
        align(self)

    def _make_source(self) -> None:
        self.image = LayerCombo(can_be_image)
        self.axes_line = QLineEdit()
        self.axes_label = label("Axes", "One letter per dimension: t time, z y x space, c channel or colour.")
        self.seeds = LayerCombo(can_seed, none="none yet: press New")
        self.new = QToolButton()
        self.new.setText("New")
        self.new.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)
        self.new.setToolTip(_NEW_HELP)
        self.new.setMinimumWidth(self.new.fontMetrics().horizontalAdvance("New") + 40)
        self.new.setMenu(QMenu(self.new))
        self.next_object = QPushButton("Next object")
        self.next_object.setToolTip(with_key("Paint the next object: the next free label.", "new_object"))
        self.background = QPushButton("Background")
        self.background.setToolTip(
            with_key("Paint what belongs to no object; it is never written into the result.", "background")
        )
        self.image.changed.connect(self._on_image)
        self.axes_line.editingFinished.connect(self._take_axes)
        self.seeds.changed.connect(self.seeds_changed.emit)

    def _make_engine(self) -> None:
        self.engine = choice()
        rows = QVBoxLayout()
        rows.setContentsMargins(0, 0, 0, 0)
        for engine in self.engines:
            technique = engine.technique
            self.engine.addItem(engine.name)
            self.engine.setItemData(self.engine.count() - 1, f"<qt>{technique.doc}</qt>", 3)
            form = self.forms[engine.id] = Form(technique)
            form.set_values(engine.defaults)
            form.changed.connect(lambda engine_id=engine.id: self.edited.emit(engine_id))
            rows.addWidget(form)
        held = QFormLayout()
        held.setContentsMargins(0, 0, 0, 0)
        held.addRow(holding(rows))
        self.parameters = Fold("Parameters", held)
        self.scope = choice()
        self.scope.addItems(list(SCOPES.values()))
        self.scope.setToolTip("<qt>Where the engine works after a stroke. A box leaves what was found outside as it is.</qt>")
        self.margin = QSpinBox()
        self.margin.setRange(0, 512)
        self.margin.setValue(24)
        self.margin.setSuffix(" px")
        self.margin.setMaximumWidth(96)
        self.margin.setToolTip("<qt>How far around the stroke, in pixels of the finest axis.</qt>")
        self.live = QCheckBox("Run after every stroke")
        self.live.setChecked(True)
        self.engine.currentIndexChanged.connect(self._show_engine)
        self.engine.currentIndexChanged.connect(lambda _: self.engine_changed.emit())
        self.scope.currentIndexChanged.connect(self._show_scope)
        self._show_scope()

    def _make_target(self) -> None:
        self.target = LayerCombo(can_be_target, none="a new layer")
        self.which = choice()
        self.which.addItems(list(WHICH.values()))
        self.ids = QLineEdit()
        self.ids.setPlaceholderText("such as 1, 3-5")
        self.accept = QPushButton("Accept")
        self.accept.setToolTip(with_key("Write the preview into the layer; pixels of other objects are left alone.", "accept"))
        self.discard = QPushButton("Discard")
        self.discard.setToolTip(with_key("Drop the preview; the seeds stay.", "discard"))
        self.which.currentIndexChanged.connect(self._show_which)
        self.target.changed.connect(self.target_changed.emit)
        self._show_which()

    def _source_rows(self) -> QFormLayout:
        rows = form_layout()
        rows.addRow(label("Image", "What is segmented."), self.image)
        rows.addRow(self.axes_label, self.axes_line)
        rows.addRow(label("Seeds", "A Labels, Points or Shapes layer: the label is the object."), beside(self.seeds, self.new))
        rows.addRow(label("Paint", "What the brush paints next."), beside(self.next_object, self.background, even=True))
        return rows

    def _engine_rows(self) -> QFormLayout:
        rows = form_layout()
        rows.addRow(label("Engine", "What grows the seeds into objects; all take the same seeds."), self.engine)
        rows.addRow(label("Where", "The part of the image an engine works on."), beside(self.scope, self.margin))
        rows.addRow(label("", ""), self.live)
        return rows

    def _target_rows(self) -> QFormLayout:
        rows = form_layout()
        rows.addRow(label("Accept into", "Where accepted objects are written."), self.target)
        rows.addRow(label("Objects", "Which objects are written; all others are left alone."), beside(self.which, self.ids))
        rows.addRow(label("", ""), beside(self.accept, self.discard, even=True))
        return rows

    def _show_engine(self) -> None:
        for engine_id, form in self.forms.items():
            form.setVisible(engine_id == self.chosen_engine.id)
        self.engine.setToolTip(f"<qt>{self.chosen_engine.technique.doc}</qt>")

    def _show_scope(self) -> None:
        self.margin.setVisible(self.chosen_scope == "box")
        self.scope_changed.emit()

    def _show_which(self) -> None:
        self.ids.setVisible(list(WHICH)[self.which.currentIndex()] == "listed")

    def _on_image(self) -> None:
        self._show_axes()
        self.image_changed.emit()

    def _show_axes(self) -> None:
        image: Layer | None = self.image.chosen()
        axes, guessed = "", False
        if image is not None:
            with suppress(AxesError):
                axes, guessed = suggest_axes(image)
            self.axes_line.setPlaceholderText(f"letters for {' × '.join(map(str, data_shape(image)))}")
        self.axes_line.setText(axes)
        # axes that are known need no row
        for widget in (self.axes_label, self.axes_line):
            widget.setVisible(image is not None and (guessed or not axes))

    def _take_axes(self) -> None:
        image = self.image.chosen()
        if image is None or self.axes == suggest_axes(image)[0]:
            return
        try:
            name_axes(image, self.axes)
        except AxesError as error:
            show_failure(error)
        self._on_image()
