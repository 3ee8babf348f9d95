"""Short titles of docks: napari cuts long ones off, and the tab needs to tell docks apart at a glance."""

from __future__ import annotations

import re

from qtpy.QtWidgets import QDockWidget, QLabel

from napari_lightbox.contract import Technique

LONGEST = 30
_BRACKETS = re.compile(r"\s*\([^()]*\)")


def short_title(technique: Technique) -> str:
    """Return what a technique's dock is called: its own name, without family and plugin.

    A name that is wider than a dock loses its remarks in brackets, and what is still too long ends at a whole word.
    """
    title = technique.title
    return title if len(title) <= LONGEST else shortened(_BRACKETS.sub("", title).strip() or title)


def shortened(text: str, longest: int = LONGEST) -> str:
    """Return a text of at most `longest` letters, cut after a word where possible."""
    if len(text) <= longest:
        return text
    head, _, _ = text[:longest].rpartition(" ")
    return (head if len(head) > longest // 2 else text[: longest - 1]).rstrip(" ,:-–") + "…"


def retitle(dock: QDockWidget, title: str) -> None:
    """Show `title` on a dock's tab and title bar; napari goes on knowing the dock by its full name."""
    full = getattr(dock, "name", "") or dock.windowTitle()
    dock.setWindowTitle(title)
    bar = dock.titleBarWidget()
    label = getattr(bar, "title", None)
    if isinstance(label, QLabel):
        label.setText(title)
        label.setToolTip(full)
