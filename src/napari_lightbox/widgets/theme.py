"""The colours of napari's theme for what we draw ourselves."""

from __future__ import annotations

from napari.utils.theme import get_theme
from qtpy.QtGui import QColor

_PARTS = ("background", "text", "foreground", "primary", "current", "warning")
_DARK = 128


def theme_colours(name: str) -> dict[str, QColor]:
    """Return the colours of a theme by what they are for: text, ground, selection, warning."""
    theme = get_theme(name)
    colours = {part: QColor(str(getattr(theme, part).as_hex())) for part in _PARTS}
    if colours["text"].lightness() < _DARK:  # napari's warning is a yellow that cannot be read on light ground
        colours["warning"] = colours["warning"].darker(210)
    return colours


def faint(colour: QColor, opacity: float) -> QColor:
    """Return a colour that lets the ground through."""
    through = QColor(colour)
    through.setAlphaF(opacity)
    return through
