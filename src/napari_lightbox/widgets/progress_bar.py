"""A thin line that says how far a run is."""

from __future__ import annotations

from qtpy.QtWidgets import QProgressBar

_STEPS = 1000
_HEIGHT = 6


class ProgressBar(QProgressBar):  # type: ignore[misc]
    """Shows a fraction; drawn with everything else in the window, not at once."""

    def __init__(self) -> None:
        super().__init__()
        self.setRange(0, _STEPS)
        self.setTextVisible(False)
        self.setMaximumHeight(_HEIGHT)

    def show_fraction(self, fraction: float) -> None:
        """Show how much is done, from 0 to 1."""
        # Qt draws a new value at once, and beside an OpenGL canvas that means the whole window: tens of milliseconds each
        self.setUpdatesEnabled(False)
        self.setValue(round(_STEPS * fraction))
        self.setUpdatesEnabled(True)
