"""All keys in one list: the docks act by it, the Keys window and the page in the guide are written from it.

``python -m napari_lightbox.widgets.shortcuts > docs/guide/shortcuts.md`` writes the page.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, fields
from html import escape
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QDialog, QTextBrowser, QVBoxLayout, QWidget

from napari_lightbox.widgets.annotate.shortcuts import SHORTCUTS as ANNOTATE


@dataclass(frozen=True)
class Shortcut:
    """One shortcut.

    Parameters
    ----------
    keys
        Keys as Qt names them, any of which will do; empty for a gesture that `shown` describes.
    what
        What it does.
    shown
        Words for the keys where their names do not say enough.
    """

    keys: tuple[str, ...]
    what: str
    shown: str = ""

    @property
    def named(self) -> str:
        """The keys as people read them."""
        return self.shown or " or ".join(self.keys)


@dataclass(frozen=True)
class _Finder:
    search: Shortcut = Shortcut((), "Search by name, synonym, family or what it does", "any letter")
    move: Shortcut = Shortcut((), "Go through the techniques", "Up, Down, PgUp, PgDown")
    open: Shortcut = Shortcut(("Return", "Enter"), "Open the chosen technique")
    clear: Shortcut = Shortcut(("Escape",), "Clear the search")
    star: Shortcut = Shortcut(("Ctrl+D",), "Make it a favourite, or no longer one")
    help: Shortcut = Shortcut(("F1",), "Show what the technique does")


@dataclass(frozen=True)
class _Tables:
    go: Shortcut = Shortcut((), "Fly to the object of a row", "click, or Up and Down")
    more: Shortcut = Shortcut((), "Select more rows; their objects are highlighted", "Shift or Ctrl + click")
    drag: Shortcut = Shortcut((), "Select the rows of a range or a rectangle in the plot", "drag in the plot")
    copy: Shortcut = Shortcut(("Ctrl+C",), "Copy the selected rows, all rows when none is selected")
    all: Shortcut = Shortcut(("Ctrl+A",), "Select all rows shown")
    none: Shortcut = Shortcut(("Escape",), "Select no row")
    filter: Shortcut = Shortcut(("Ctrl+F",), "Go to the filter")


@dataclass(frozen=True)
class _Recipe:
    insert: Shortcut = Shortcut(("Insert",), "Insert a step before or behind the chosen one")
    switch: Shortcut = Shortcut(("Space",), "Switch the chosen step off or on")
    remove: Shortcut = Shortcut(("Delete",), "Remove the chosen step")
    up: Shortcut = Shortcut(("Alt+Up",), "Move the chosen step up")
    down: Shortcut = Shortcut(("Alt+Down",), "Move the chosen step down")


FINDER = _Finder()
TABLES = _Tables()
RECIPE = _Recipe()
_NAPARI = (
    Shortcut(("Ctrl+Z",), "Undo in a Labels layer, results written into it included"),
    Shortcut(("Ctrl+Shift+Z",), "Redo in a Labels layer"),
)


def matches(shortcut: Shortcut, event: Any) -> bool:
    """Tell whether a key event is one of a shortcut's keys."""
    modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    pressed = QKeySequence(_number(modifiers) | _number(event.key()))
    return any(pressed == QKeySequence(keys) for keys in shortcut.keys)


def all_shortcuts() -> dict[str, tuple[Shortcut, ...]]:
    """Return all shortcuts by the place where they hold."""
    sections = {"Find a technique": _members(FINDER), "Tables": _members(TABLES), "Recipe": _members(RECIPE)}
    sections["Annotate"] = tuple(Shortcut((s.shown,), s.text) for s in ANNOTATE.values())
    return sections | {"Labels layers (napari)": _NAPARI}


def as_html() -> str:
    """Return all shortcuts as tables."""
    parts = []
    for place, shortcuts in all_shortcuts().items():
        rows = "".join(f"<tr><td><b>{escape(s.named)}</b>&nbsp;&nbsp;</td><td>{escape(s.what)}</td></tr>" for s in shortcuts)
        parts.append(f"<h3>{escape(place)}</h3><table cellpadding='2'>{rows}</table>")
    return "".join(parts)


def as_markdown() -> str:
    """Return all shortcuts as a page of the guide."""
    lines = ["# Shortcuts", ""]
    for place, shortcuts in all_shortcuts().items():
        lines += [f"## {place}", "", "| Keys | What they do |", "|---|---|"]
        lines += [*(f"| {s.named} | {s.what} |" for s in shortcuts), ""]
    return "\n".join(lines)


def shortcuts_dialog(parent: QWidget) -> QDialog:
    """Return a window with all shortcuts, not yet shown."""
    dialog = QDialog(parent)
    dialog.setWindowTitle("Shortcuts")
    dialog.resize(520, 560)
    browser = QTextBrowser()
    browser.setHtml(as_html())
    QVBoxLayout(dialog).addWidget(browser)
    return dialog


def _members(group: Any) -> tuple[Shortcut, ...]:
    return tuple(getattr(group, field.name) for field in fields(group))


def _number(value: Any) -> int:
    """Return what a Qt flag stands for, whichever binding made it."""
    return int(getattr(value, "value", value))


if __name__ == "__main__":
    sys.stdout.write(as_markdown())
