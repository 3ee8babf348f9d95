"""What can be changed about the chosen row of a recipe: parameters and inputs of a step, the layer of an input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING, Any

from napari.layers import Image, Labels, Layer
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QComboBox, QLabel, QVBoxLayout, QWidget

from napari_lightbox.axes.order import spatial_axes
from napari_lightbox.contract import Recipe, Step, registry
from napari_lightbox.contract.recipe_kinds import available, describe, fits, kind_of
from napari_lightbox.contract.signature import InputSpec
from napari_lightbox.errors import LightboxError
from napari_lightbox.widgets.form import Form, form_layout, readable
from napari_lightbox.widgets.layer_choice import LayerCombo
from napari_lightbox.widgets.layers import suggest_axes, unit_names
from napari_lightbox.widgets.plain_label import PlainLabel
from napari_lightbox.widgets.recipe_rows import Row
from napari_lightbox.widgets.recipe_state import RecipeState, first_use, fits_input

if TYPE_CHECKING:
    from napari.components import ViewerModel


class StepPanel(QWidget):  # type: ignore[misc]
    """Shows one row.

    Emits `edited(step)` with the step as the form says, `connected(position, reference or layer)` when an input shall come from
    elsewhere, `chosen(number, layer)` for the layer of an input, and `refused(error)` for what cannot be.
    """

    edited = Signal(object)
    connected = Signal(int, object)
    chosen = Signal(int, object)
    refused = Signal(object)

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__()
        self._viewer = viewer
        self._shown: dict[str, Any] = {}
        self._layers: list[Layer] = []
        self._body: QWidget | None = None
        self.step: Step | None = None
        self.form: Form | None = None
        self.on: QCheckBox | None = None
        self.sources: dict[str, QComboBox] = {}
        self.layer: LayerCombo | None = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(2, 2, 6, 2)

    def show_row(self, state: RecipeState | None, row: Row | None) -> None:
        """Show a row, or nothing; the form of the same step keeps its cursor."""
        if row is not None and state is not None and not row.is_input and self._is_same(state.recipe.steps[row.number]):
            self._follow(state.recipe.steps[row.number])
            return
        self._clear()
        self._layers = list(self._viewer.layers)
        body = self._body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        if row is None or state is None:
            column.addWidget(PlainLabel("Click a step to change it."))
        elif row.is_input:
            self._show_input(column, state, row)
        else:
            self._show_step(column, state, row.number)
        column.addStretch(1)
        self._column.addWidget(body)

    def values(self) -> dict[str, Any]:
        """Return the parameters of the step: those shown that the user changed, the others as they were recorded.

        Raises
        ------
        ParameterError
            Something entered is not allowed.
        """
        assert self.step is not None
        assert self.form is not None
        entered = self.form.values()
        changed = {name: value for name, value in entered.items() if value != self._shown.get(name)}
        return {**self.step.parameters, **changed}

    def _is_same(self, step: Step) -> bool:
        old = self.step
        same = old is not None and (old.tag, old.technique, old.inputs) == (step.tag, step.technique, step.inputs)
        return same and self.form is not None and self._layers == list(self._viewer.layers)

    def _follow(self, step: Step) -> None:
        """Show other values of the same step, as after an undo."""
        assert self.form is not None
        assert self.on is not None
        technique = registry.get(step.technique)
        try:
            now = technique.complete(self.values())
        except LightboxError:
            now = {}
        self.step = step
        wanted = technique.complete(step.parameters)
        self.form.blockSignals(True)
        self.form.set_values({name: value for name, value in wanted.items() if name not in now or now[name] != value})
        self.form.blockSignals(False)
        self._shown = self.form.values()
        self.on.blockSignals(True)
        self.on.setChecked(step.on)
        self.on.blockSignals(False)

    def _show_step(self, column: QVBoxLayout, state: RecipeState, number: int) -> None:
        step = self.step = state.recipe.steps[number]
        technique = registry.get(step.technique)
        self.on = QCheckBox(technique.title)
        self.on.setToolTip("<qt>Off: the step hands its first input on (Space).</qt>")
        self.on.setChecked(step.on)
        self.on.toggled.connect(lambda on: self.edited.emit(replace(step_of(self), on=on)))
        column.addWidget(self.on)
        column.addWidget(PlainLabel(technique.doc))
        rows = form_layout()
        for position, spec in enumerate(technique.inputs):
            combo = self._source_combo(state, number, position, spec)
            if combo is not None:
                rows.addRow(QLabel(readable(spec.name)), combo)
        column.addLayout(rows)
        form = self.form = Form(technique)
        form.set_axes(_axes(state, step))
        first = state.inputs[0] if state.inputs else None
        if isinstance(first, (Image, Labels)):
            form.set_length_unit(unit_names(first)[-1])
        form.set_values(technique.complete(step.parameters))
        self._shown = form.values()
        form.changed.connect(self._take_form)
        column.addWidget(form)

    def _show_input(self, column: QVBoxLayout, state: RecipeState, row: Row) -> None:
        described, spec = state.recipe.described(row.number), first_use(state.recipe, row.number)
        column.addWidget(QLabel(f"<b>{escape(described.name or f'Input {row.number + 1}')}</b>"))
        column.addWidget(PlainLabel(" ".join(p for p in (described.in_words(), described.path) if p)))
        made = list(state.layers())
        combo = self.layer = LayerCombo(
            lambda layer: layer not in made and fits_input(spec, described, layer), none="choose a layer"
        )
        combo.refresh(self._viewer.layers, [])
        combo.choose(state.inputs[row.number])
        combo.changed.connect(lambda: self.chosen.emit(row.number, combo.chosen()))
        rows = form_layout()
        rows.addRow(QLabel("Layer"), combo)
        column.addLayout(rows)

    def _source_combo(self, state: RecipeState, number: int, position: int, spec: InputSpec) -> QComboBox | None:
        """Return a chooser of what an input may be read from, None where there is nothing to choose."""
        recipe = state.recipe
        step = recipe.steps[number]
        now = step.inputs[position] if position < len(step.inputs) else None
        if spec.role.many or spec.role.name == "model":
            return None
        offered = [r for r in available(recipe, number) if r == now or fits(spec, kind_of(recipe, r))]
        layers = [layer for layer in self._viewer.layers if _is_new(state, layer, spec)]
        if len(offered) + len(layers) + spec.optional < 2:
            return None
        combo = self.sources[spec.name] = QComboBox()
        combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        combo.setMinimumContentsLength(10)
        if spec.optional:
            combo.addItem("none", None)
        for reference in offered:
            combo.addItem(_name(recipe, reference), reference)
        for layer in layers:
            combo.addItem(f"Layer {layer.name}", layer)
        combo.setCurrentIndex(next((i for i in range(combo.count()) if combo.itemData(i) == now), -1))
        combo.activated.connect(lambda _: self.connected.emit(position, combo.currentData()))
        return combo

    def _take_form(self) -> None:
        try:
            self.edited.emit(replace(step_of(self), parameters=self.values()))
        except LightboxError as error:
            self.refused.emit(error)

    def _clear(self) -> None:
        if self._body is not None:
            self._column.removeWidget(self._body)
            self._body.hide()
            self._body.deleteLater()
        self.step = self.form = self.on = self.layer = self._body = None
        self.sources = {}
        self._shown = {}


def step_of(panel: StepPanel) -> Step:
    """Return the step that a panel shows."""
    assert panel.step is not None
    return panel.step


def changes_in_words(old: Step, new: Step) -> str:
    """Return what an edit of a step changes, for the undo list."""
    if old.on != new.on:
        return f"{new.title}: {'on' if new.on else 'off'}"
    before, after = (registry.get(s.technique).complete(s.parameters) for s in (old, new))
    differing: Mapping[str, Any] = {k: v for k, v in after.items() if before[k] != v}
    return f"{new.title}: " + ", ".join(f"{readable(k).lower()} {'automatic' if v is None else v}" for k, v in differing.items())


def _is_new(state: RecipeState, layer: Layer, spec: InputSpec) -> bool:
    from napari_lightbox.widgets.values import accepts

    return layer not in state.inputs and layer not in list(state.layers()) and accepts(spec.role.name, layer)


def _axes(state: RecipeState, step: Step) -> str:
    """Return the spatial axes that values per axis belong to."""
    first = state.inputs[0] if state.inputs else None
    known = state.recipe.described(0).axes or (suggest_axes(first)[0] if isinstance(first, (Image, Labels)) else "zyx")
    return str(step.options.get("over") or spatial_axes(known) or "yx")


def _name(recipe: Recipe, reference: str) -> str:
    if reference.startswith("step:"):
        number = int(reference[5:].partition(".")[0])
        return f"{number + 1}. {describe(recipe, reference)}"
    return describe(recipe, reference)
