"""Editors for one simple value: each has `value`, `set_value` and the signal `changed`."""

from __future__ import annotations

import ast
from typing import Any

from qtpy.QtCore import QEvent, Qt, Signal
from qtpy.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLineEdit, QWidget

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
        self.spin = spin_for(parameter)
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


def spin_for(parameter: Parameter) -> NumberSpin:
    """Return the spin box of a numeric parameter."""
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
