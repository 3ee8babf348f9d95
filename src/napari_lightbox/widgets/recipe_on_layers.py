"""Run a recipe on other layers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any

from napari.layers import Image, Labels, Layer
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from napari_lightbox.contract import Recipe
from napari_lightbox.contract.recipe_edits import pruned
from napari_lightbox.errors import InputError
from napari_lightbox.widgets.form import form_layout
from napari_lightbox.widgets.layer_choice import LayerCombo
from napari_lightbox.widgets.plain_label import PlainLabel
from napari_lightbox.widgets.recipe_state import RecipeState, first_use, fits_input

if TYPE_CHECKING:
    from napari.components import ViewerModel


class LayersPanel(QWidget):  # type: ignore[misc]
    """One chooser per input; emits `asked(state)` with a recipe on the chosen layers."""

    asked = Signal(object)
    refused = Signal(object)

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__()
        self._viewer = viewer
        self._recipe: Recipe | None = None
        self._own: list[Layer | None] = []
        self._body: QWidget | None = None
        self.choosers: list[LayerCombo] = []
        self.run = QPushButton("Run on these layers")
        self.run.setToolTip("<qt>The result becomes a new layer; all others stay as they are.</qt>")
        self._column = QVBoxLayout(self)
        self._column.addWidget(QLabel("Run the recipe on other layers:"))
        self._column.addWidget(self.run)
        self._column.addStretch(1)
        self.run.clicked.connect(self.start)

    def show_recipe(self, recipe: Recipe | None, own: Sequence[Layer | None] = ()) -> None:
        """Offer choosers for the inputs of a recipe; layers that are its `own` inputs and results come last."""
        self._own = list(own)
        recipe = None if recipe is None else pruned(recipe)
        described = None if recipe is None else (recipe.inputs, [s.inputs for s in recipe.steps])
        before = None if self._recipe is None else (self._recipe.inputs, [s.inputs for s in self._recipe.steps])
        self._recipe = recipe
        if described != before:
            self._build()
        self.run.setEnabled(recipe is not None)

    def refresh(self) -> None:
        """Follow the layer list."""
        for combo in self.choosers:
            others = [layer for layer in self._viewer.layers if layer not in self._own]
            combo.refresh(self._viewer.layers, [*others, *self._own])

    def start(self) -> None:
        """Ask for a run on the chosen layers."""
        if self._recipe is None:
            return
        layers = [combo.chosen() for combo in self.choosers]
        missing = next((n for n, layer in enumerate(layers) if layer is None), None)
        if missing is not None:
            name = self._recipe.described(missing).name or f"Input {missing + 1}"
            self.refused.emit(InputError(name, "no layer is chosen", "Open or create one that can serve"))
            return
        self.asked.emit(RecipeState(self._recipe, inputs=list(layers)))

    def _build(self) -> None:
        if self._body is not None:
            self._column.removeWidget(self._body)
            self._body.deleteLater()
        self.choosers = []
        self._body = QWidget()
        rows = form_layout()
        self._body.setLayout(rows)
        recipe = self._recipe
        for number in range(recipe.input_count if recipe is not None else 0):
            assert recipe is not None
            described, spec = recipe.described(number), first_use(recipe, number)
            combo = LayerCombo(partial(_fits, spec, described))
            self.choosers.append(combo)
            label = PlainLabel(described.name or f"Input {number + 1}", wraps=False)
            label.setToolTip(f"<qt>Recorded from {escape(described.in_words()) or 'an unknown image'}</qt>")
            rows.addRow(label, combo)
        self._column.insertWidget(1, self._body)
        self.refresh()


def _fits(spec: Any, described: Any, layer: Layer) -> bool:
    return fits_input(spec, described, layer) if isinstance(layer, (Image, Labels)) or described.role else False
