"""Editors made of other editors: one value per axis, values left to the technique; and the choice of the right one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qtpy.QtWidgets import QCheckBox, QToolButton

from napari_lightbox.contract import Parameter
from napari_lightbox.widgets.fields import ChoiceField, Field, NumberField, SwitchField, TextField, spin_for


class PerAxisField(Field):
    """One number for all spatial axes, or one per axis."""

    def __init__(self, parameter: Parameter) -> None:
        super().__init__(parameter)
        self._axes = "zyx"
        self.one = spin_for(parameter)
        self.several = {letter: spin_for(parameter) for letter in "zyx"}
        self.split = QToolButton()
        self.split.setText("z y x")
        self.split.setCheckable(True)
        self.split.setToolTip("One value per axis")
        self.row.addWidget(self.one, 1)
        for letter, spin in self.several.items():
            spin.setPrefix(f"{letter} ")
            spin.setMinimumWidth(52)
            spin.valueChanged.connect(lambda _: self.changed.emit())
            self.row.addWidget(spin, 1)
        self.row.addWidget(self.split)
        self.one.valueChanged.connect(lambda _: self.changed.emit())
        self.split.toggled.connect(self._toggle)
        self._show()

    def value(self) -> Any:
        """Return one number, or a tuple in z, y, x order."""
        if not self.split.isChecked():
            return self.one.number()
        return tuple(self.several[a].number() for a in self._axes)

    def set_value(self, value: Any) -> None:
        """Show one number or one per axis."""
        single = not isinstance(value, Sequence)
        self.split.setChecked(not single)
        if single:
            self.one.setValue(value)
            return
        for letter, number in zip("zyx"[-len(value) :], value, strict=True):
            self.several[letter].setValue(number)

    def set_suffix(self, suffix: str) -> None:
        """Show a unit behind the single number."""
        self.one.setSuffix(suffix)

    def set_axes(self, axes: str) -> None:
        """Offer a value for each of these axes."""
        self._axes = axes or "yx"
        self.split.setText(" ".join(self._axes))
        self._show()

    def _toggle(self, per_axis: bool) -> None:
        if per_axis:
            for spin in self.several.values():
                spin.setValue(self.one.value())
        self._show()
        self.changed.emit()

    def _show(self) -> None:
        per_axis = self.split.isChecked()
        self.one.setVisible(not per_axis)
        for letter, spin in self.several.items():
            spin.setVisible(per_axis and letter in self._axes)


class OptionalField(Field):
    """A parameter that may be left to the technique."""

    def __init__(self, inner: Field) -> None:
        super().__init__(inner.parameter)
        self.inner = inner
        self.automatic = QCheckBox("automatic")
        self.automatic.setChecked(True)
        self.automatic.toggled.connect(self._toggle)
        inner.changed.connect(self.changed.emit)
        self.row.addWidget(self.automatic)
        self.row.addWidget(inner, 1)
        self._toggle(True)

    def value(self) -> Any:
        """Return None while it is automatic."""
        return None if self.automatic.isChecked() else self.inner.value()

    def set_value(self, value: Any) -> None:
        """Show a value, or tick "automatic" for None."""
        if value is not None:
            self.inner.set_value(value)
        self.automatic.setChecked(value is None)

    def set_suffix(self, suffix: str) -> None:
        """Show a unit behind the number."""
        self.inner.set_suffix(suffix)

    def set_axes(self, axes: str) -> None:
        """Pass the axes on."""
        self.inner.set_axes(axes)

    def _toggle(self, automatic: bool) -> None:
        self.inner.setVisible(not automatic)
        self.changed.emit()


_BY_KIND: dict[str, type[Field]] = {
    "int": NumberField,
    "float": NumberField,
    "bool": SwitchField,
    "str": TextField,
    "choice": ChoiceField,
    "sequence": TextField,
}


def make_field(parameter: Parameter) -> Field:
    """Return the editor of a parameter, showing its default."""
    field = (
        PerAxisField(parameter)
        if parameter.per_axis and parameter.kind in ("int", "float")
        else _BY_KIND[parameter.kind](parameter)
    )
    if parameter.optional:
        field = OptionalField(field)
    field.set_value(parameter.default)
    return field
