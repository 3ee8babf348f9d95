"""The inputs of a technique: one chooser per input, and the axes of the first."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from napari.layers import Image, Labels, Layer
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QLabel, QLineEdit, QWidget

from napari_lightbox.contract import Technique
from napari_lightbox.contract.signature import InputSpec
from napari_lightbox.errors import AxesError, InputError
from napari_lightbox.widgets.form import form_layout, readable
from napari_lightbox.widgets.layer_choice import FileLine, LayerCombo, LayerList
from napari_lightbox.widgets.layers import data_shape, name_axes, suggest_axes
from napari_lightbox.widgets.messages import show_failure
from napari_lightbox.widgets.values import accepts, input_value

if TYPE_CHECKING:
    from napari.components import ViewerModel

_GUESSED = "Axes (guessed)"
Chooser = LayerCombo | LayerList | FileLine
_AXES_HELP = "<qt>One letter per dimension: t time, z y x space, c channel or colour. Written to the layer's axis labels.</qt>"


class Inputs(QWidget):  # type: ignore[misc]
    """Choosers for all inputs; emits `changed` when another layer or other axes are meant."""

    changed = Signal()

    def __init__(self, technique: Technique, viewer: ViewerModel) -> None:
        super().__init__()
        self._technique = technique
        self._viewer = viewer
        self.choosers: dict[str, Chooser] = {}
        rows = form_layout()
        self.setLayout(rows)
        for spec in technique.inputs:
            chooser = _chooser(spec)
            self.choosers[spec.name] = chooser
            label = QLabel(readable(spec.name))
            help_text = f"<qt>{technique.documentation.parameters.get(spec.name, '')}</qt>"
            label.setToolTip(help_text)
            chooser.setToolTip(help_text)
            rows.addRow(label, chooser)
        self.axes_line = QLineEdit()
        self.axes_label = QLabel("Axes")
        for widget in (self.axes_line, self.axes_label):
            widget.setToolTip(
                "<qt>One letter per dimension: t time, z y x space, c channel or colour. Written to the layer's axis labels.</qt>"
            )
        self.axes_label.setMinimumWidth(self.axes_label.fontMetrics().horizontalAdvance(_GUESSED))
        rows.addRow(self.axes_label, self.axes_line)
        self.refresh()
        self._show_axes()
        self.axes_line.editingFinished.connect(self._take_axes)
        for chooser in self.choosers.values():
            chooser.changed.connect(self._on_choice)

    @property
    def labels(self) -> list[QLabel]:
        """The labels in front of the choosers."""
        return list(self.findChildren(QLabel))

    @property
    def first(self) -> Layer | None:
        """The layer that sets the grid."""
        chosen = next(iter(self.choosers.values())).chosen()
        return (chosen[0] if chosen else None) if isinstance(chosen, list) else chosen

    @property
    def axes(self) -> str:
        """The axes of the first input, empty without one."""
        return self.axes_line.text().strip() if self._has_axes() else ""

    def layers(self, *roles: str) -> list[Layer]:
        """Return the layers chosen for inputs of these roles, every layer without roles."""
        found: list[Layer] = []
        for spec in self._technique.inputs:
            chosen = self.choosers[spec.name].chosen()
            if not roles or spec.role.name in roles:
                found += chosen if isinstance(chosen, list) else [chosen] if isinstance(chosen, Layer) else []
        return found

    def values(self) -> tuple[Any, ...]:
        """Return what the engine gets, in declared order.

        Raises
        ------
        InputError
            A layer is missing.
        """
        return tuple(self._value(spec) for spec in self._technique.inputs)

    def refresh(self) -> None:
        """Follow the layer list."""
        selected = list(self._viewer.layers.selection)
        taken: list[Layer] = []
        for name, chooser in self.choosers.items():
            rest = [layer for layer in reversed(list(self._viewer.layers)) if layer not in selected]
            free = [layer for layer in [*selected, *rest] if layer not in taken]
            free.sort(key=lambda layer: bool(taken) and name not in layer.name.lower())
            chooser.refresh(self._viewer.layers, selected if isinstance(chooser, LayerList) else free)
            chosen = chooser.chosen()
            taken += [chosen] if isinstance(chosen, Layer) else []

    def _value(self, spec: InputSpec) -> Any:
        chosen = self.choosers[spec.name].chosen()
        if not chosen:
            if spec.optional:
                return None
            raise InputError(readable(spec.name), "no layer is chosen", f"Open or create one that can serve as {spec.role.name}")
        if isinstance(chosen, str):
            return chosen
        first = self.first
        if isinstance(chosen, list):
            return [input_value(spec, layer, layer, self.axes if layer is first else suggest_axes(layer)[0]) for layer in chosen]
        return input_value(spec, chosen, first, self.axes)

    def _has_axes(self) -> bool:
        return isinstance(self.first, (Image, Labels))

    def _show_axes(self) -> None:
        shown = self._has_axes()
        self.axes_line.setVisible(shown)
        self.axes_label.setVisible(shown)
        if not shown:
            return
        axes, guessed = "", False
        with suppress(AxesError):
            axes, guessed = suggest_axes(self.first)
        lengths = " × ".join(map(str, data_shape(self.first)))
        self.axes_label.setText(_GUESSED if guessed else "Axes")
        self.axes_line.setText(axes)
        self.axes_line.setPlaceholderText(f"letters for {lengths}")

    def _take_axes(self) -> None:
        if not self._has_axes() or self.axes == suggest_axes(self.first)[0]:
            return
        try:
            name_axes(self.first, self.axes)
        except AxesError as error:
            show_failure(error)
        self._show_axes()
        self.changed.emit()

    def _on_choice(self) -> None:
        self._show_axes()
        self.changed.emit()


def _chooser(spec: InputSpec) -> Chooser:
    if spec.role.name == "model":
        return FileLine()
    fits = partial(accepts, spec.role.name)
    if spec.role.many:
        return LayerList(fits)
    return LayerCombo(fits, none=("whole image" if spec.role.name == "mask" else "none") if spec.optional else None)
