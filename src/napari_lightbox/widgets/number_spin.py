"""One spin box for whole and real numbers that shows as many digits as there are."""

from __future__ import annotations

from qtpy.QtCore import QEvent, Qt
from qtpy.QtGui import QValidator
from qtpy.QtWidgets import QDoubleSpinBox, QWidget

_DIGITS = 12
_UNBOUNDED = 1e15


class NumberSpin(QDoubleSpinBox):  # type: ignore[misc]
    """Spin box without fixed decimals: 0.5, 1e-05 and 65535 are shown as such.

    Parameters
    ----------
    whole
        Only whole numbers.
    low, high, step
        Bounds, both inclusive, and increment; None leaves a bound open and lets the increment follow the value.
    """

    def __init__(
        self, whole: bool, low: float | None, high: float | None, step: float | None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._whole = whole
        self.setDecimals(0 if whole else _DIGITS)
        self.setRange(-_UNBOUNDED if low is None else low, _UNBOUNDED if high is None else high)
        if step is not None or whole:
            self.setSingleStep(step or 1)
        else:
            self.setStepType(QDoubleSpinBox.StepType.AdaptiveDecimalStepType)
        self.setKeyboardTracking(False)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumWidth(70)

    def number(self) -> int | float:
        """Return the value as the Python type it stands for."""
        return int(self.value()) if self._whole else float(f"{self.value():.10g}")

    def textFromValue(self, value: float) -> str:
        """Return the digits Qt shows."""
        return f"{value:.0f}" if self._whole else f"{value:.10g}"

    def valueFromText(self, text: str) -> float:
        """Return the number behind what was typed."""
        return float(self._digits(text))

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        """Accept what Python reads as a number within the bounds."""
        digits = self._digits(text)
        try:
            number = float(digits)
        except ValueError:
            begun = not digits.strip("0123456789.eE+-")
            return (QValidator.State.Intermediate if begun else QValidator.State.Invalid), text, position
        if self._whole and not number.is_integer():
            return QValidator.State.Invalid, text, position
        inside = self.minimum() <= number <= self.maximum()
        return (QValidator.State.Acceptable if inside else QValidator.State.Intermediate), text, position

    def wheelEvent(self, event: QEvent) -> None:
        """Let the form scroll unless the box has the focus."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()

    def _digits(self, text: str) -> str:
        return text.removesuffix(self.suffix()).strip().replace(",", ".")
