"""The form of a technique: one row per parameter, made from its contract."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFormLayout, QLabel, QVBoxLayout, QWidget

from napari_lightbox.contract import Parameter, Technique
from napari_lightbox.widgets.fields import Field
from napari_lightbox.widgets.fold import Fold
from napari_lightbox.widgets.parameter_field import make_field

_SUFFIX = {"px": " px", "degrees": "°", "seconds": " s", "frames": " frames", "dB": " dB", "HU": " HU"}
_MEANING = {"intensity": "In the grey values of the image.", "fraction": "A fraction from 0 to 1."}


class Form(QWidget):  # type: ignore[misc]
    """Rows for all parameters; emits `changed` whenever a value differs."""

    changed = Signal()

    def __init__(self, technique: Technique) -> None:
        super().__init__()
        self._technique = technique
        self._length_unit = "px"
        self.fields: dict[str, Field] = {}
        self._labels: dict[str, QLabel] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        usual, advanced = form_layout(), form_layout()
        for parameter in technique.parameters:
            self._add_row(advanced if parameter.advanced else usual, parameter)
        column.addLayout(usual)
        self.advanced = Fold("Advanced", advanced) if advanced.rowCount() else None
        if self.advanced is not None:
            column.addWidget(self.advanced)
        self._refresh()

    @property
    def labels(self) -> list[QLabel]:
        """The labels in front of the fields."""
        return list(self._labels.values())

    def values(self) -> dict[str, Any]:
        """Return all parameters, checked.

        Raises
        ------
        ParameterError
            Something entered is not allowed; the message says what is.
        """
        return self._technique.complete({name: field.value() for name, field in self.fields.items()})

    def set_values(self, values: Mapping[str, Any]) -> None:
        """Show these parameters; others stay."""
        for name, value in values.items():
            self.fields[name].set_value(value)

    def reset(self) -> None:
        """Show the defaults."""
        self.set_values({p.name: p.default for p in self._technique.parameters})

    def set_axes(self, axes: str) -> None:
        """Tell which spatial axes the technique works over."""
        for field in self.fields.values():
            field.set_axes(axes)

    def set_length_unit(self, unit: str) -> None:
        """Tell the unit of physical lengths, such as ``"mm"``."""
        self._length_unit = unit
        self._refresh()

    def _add_row(self, layout: QFormLayout, parameter: Parameter) -> None:
        field = make_field(parameter)
        label = QLabel(readable(parameter.name))
        tip = tooltip(self._technique, parameter)
        label.setToolTip(tip)
        field.setToolTip(tip)
        layout.addRow(label, field)
        self.fields[parameter.name] = field
        self._labels[parameter.name] = label
        field.changed.connect(self._on_change)

    def _on_change(self) -> None:
        self._refresh()
        self.changed.emit()

    def _refresh(self) -> None:
        for name, field in self.fields.items():
            shown = self._is_shown(field.parameter)
            field.setVisible(shown)
            self._labels[name].setVisible(shown)
            field.set_suffix(self._suffix(field.parameter))

    def _is_shown(self, parameter: Parameter) -> bool:
        condition = parameter.visible_if
        if condition is None or condition.parameter not in self.fields:
            return True
        master = self.fields[condition.parameter]
        return master.value() in condition.values and self._is_shown(master.parameter)

    def _suffix(self, parameter: Parameter) -> str:
        unit = parameter.unit
        chosen = self.fields.get("unit")
        if unit in ("px", "physical") and chosen is not None and chosen.parameter.kind == "choice":
            unit = chosen.value()
        return f" {self._length_unit}" if unit == "physical" else _SUFFIX.get(unit or "", "")


def readable(name: str) -> str:
    """Return a parameter or input name as a label."""
    text = name.replace("_", " ").strip()
    return text[:1].upper() + text[1:]


def tooltip(technique: Technique, parameter: Parameter) -> str:
    """Return the help of a parameter with its bounds and what "automatic" means."""
    parts = [technique.documentation.parameters.get(parameter.name, ""), _MEANING.get(parameter.unit or "", "")]
    low, high = parameter.range.low, parameter.range.high
    if low is not None and high is not None:
        parts.append(f"From {low:g} to {high:g}.")
    elif low is not None:
        parts.append(f"At least {low:g}.")
    if parameter.odd:
        parts.append("Odd.")
    if parameter.optional:
        parts.append("Automatic: estimated from the data.")
    return f"<qt>{' '.join(p for p in parts if p)}</qt>"


def form_layout() -> QFormLayout:
    """Return a two-column layout that wraps long rows instead of growing wide."""
    layout = QFormLayout()
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setHorizontalSpacing(8)
    layout.setVerticalSpacing(4)
    layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    layout.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
    return layout
