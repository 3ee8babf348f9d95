"""Editors for one parameter: each has `value`, `set_value` and the signal `changed`."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import QEvent, Qt, Signal
from qtpy.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLineEdit, QToolButton, QWidget

from napari_lightbox.contract import Parameter
from napari_lightbox.errors import ParameterError
from napari_lightbox.widgets.number_spin import NumberSpin


class Field(QWidget):  # type: ignore[misc]
    """A parameter's editor."""

    changed = Signal()

    def __init__(self, parameter: Parameter) -> None:
        super().__init__()
        self.parameter = parameter
        self.row = QHBoxLayout(self)
        self.row.setContentsMargins(0, 0, 0, 0)
        self.row.setSpacing(4)

    def value(self) -> Any:
        """Return what the user entered."""
        raise NotImplementedError

    def set_value(self, value: Any) -> None:
        """Show `value`."""
        raise NotImplementedError

    def set_suffix(self, suffix: str) -> None:
        """Show a unit behind numbers."""

    def set_axes(self, axes: str) -> None:
        """Tell which spatial axes values per axis belong to."""


class NumberField(Field):
    """A whole or real number."""

    def __init__(self, parameter: Parameter) -> None:
        super().__init__(parameter)
        self.spin = _spin(parameter)
        self.spin.valueChanged.connect(lambda _: self.changed.emit())
        self.row.addWidget(self.spin)

    def value(self) -> Any:
        """Return the number."""
        return self.spin.number()

    def set_value(self, value: Any) -> None:
        """Show a number."""
        self.spin.setValue(value)

    def set_suffix(self, suffix: str) -> None:
        """Show a unit behind the number."""
        self.spin.setSuffix(suffix)


class PerAxisField(Field):
    """One number for all spatial axes, or one per axis."""

    def __init__(self, parameter: Parameter) -> None:
        super().__init__(parameter)
        self._axes = "zyx"
        self.one = _spin(parameter)
        self.several = {letter: _spin(parameter) for letter in "zyx"}
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


class ChoiceField(Field):
    """One of a few values."""

    def __init__(self, parameter: Parameter) -> None:
        super().__init__(parameter)
        self.combo = _Combo()
        for choice in parameter.choices:
            self.combo.addItem(str(choice).replace("_", " "), choice)
        self.combo.currentIndexChanged.connect(lambda _: self.changed.emit())
        self.row.addWidget(self.combo)

    def value(self) -> Any:
        """Return the chosen value."""
        return self.parameter.choices[self.combo.currentIndex()]

    def set_value(self, value: Any) -> None:
        """Choose a value."""
        self.combo.setCurrentIndex(self.parameter.choices.index(value))


class SwitchField(Field):
    """Yes or no."""

    def __init__(self, parameter: Parameter) -> None:
        super().__init__(parameter)
        self.box = QCheckBox()
        self.box.toggled.connect(lambda _: self.changed.emit())
        self.row.addWidget(self.box)

    def value(self) -> Any:
        """Return whether the box is ticked."""
        return self.box.isChecked()

    def set_value(self, value: Any) -> None:
        """Tick the box or not."""
        self.box.setChecked(bool(value))


class TextField(Field):
    """A text, or a list written as in Python."""

    def __init__(self, parameter: Parameter) -> None:
        super().__init__(parameter)
        self.line = QLineEdit()
        self.line.editingFinished.connect(self.changed.emit)
        if parameter.kind == "sequence":
            self.line.setPlaceholderText("for example 1, 2, 3")
        self.row.addWidget(self.line)

    def value(self) -> Any:
        """Return the text or the list.

        Raises
        ------
        ParameterError
            The text is not a list.
        """
        text = self.line.text().strip()
        if self.parameter.kind == "str":
            return text
        return _read_list(self.parameter, text)

    def set_value(self, value: Any) -> None:
        """Show a text or a list."""
        self.line.setText(value if isinstance(value, str) else ", ".join(map(repr, value)))


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


class _Combo(QComboBox):  # type: ignore[misc]
    """Combo box that leaves the wheel to the form and may become narrow."""

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(8)

    def wheelEvent(self, event: QEvent) -> None:
        """Scroll the form unless the list is open."""
        event.ignore()


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


def _spin(parameter: Parameter) -> NumberSpin:
    step = parameter.range.step or (2 if parameter.odd else None)
    return NumberSpin(parameter.kind == "int", parameter.range.low, parameter.range.high, step)


def _read_list(parameter: Parameter, text: str) -> Any:
    try:
        value = ast.literal_eval(f"[{text}]")
    except (ValueError, SyntaxError) as error:
        raise ParameterError(
            parameter.name, f"{text!r} is not a list", "Write values separated by commas, such as 1, 2, 3"
        ) from error
    if len(value) == 1 and isinstance(value[0], (list, tuple)):
        inner = value[0]
        bracketed = isinstance(inner, list) or parameter.item is not None or any(isinstance(v, (list, tuple)) for v in inner)
        value = inner if bracketed else value
    return tuple(value)
