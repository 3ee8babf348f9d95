"""The keys of the Annotate dock, in one place; napari's own keys are left alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app_model.types import KeyBinding

if TYPE_CHECKING:
    from napari.components import ViewerModel


@dataclass(frozen=True)
class Shortcut:
    """One key and what it does."""

    name: str
    key: str
    text: str

    @property
    def shown(self) -> str:
        """The key as people read it."""
        return self.key.replace("Control", "Ctrl").replace("-", "+")


SHORTCUTS = {
    shortcut.name: shortcut
    for shortcut in (
        Shortcut("run", "Shift-R", "Run the engine"),
        Shortcut("accept", "Shift-Enter", "Accept the preview"),
        Shortcut("discard", "Shift-Backspace", "Discard the preview"),
        Shortcut("new_object", "Shift-N", "Next free label: begin a new object"),
        Shortcut("background", "Shift-G", "Paint background"),
        Shortcut("previous_object", ",", "Previous object"),
        Shortcut("next_object", ".", "Next object"),
        Shortcut("undo", "Control-Alt-Z", "Undo the last step of any kind"),
        Shortcut("redo", "Control-Alt-Shift-Z", "Redo"),
    )
}


def with_key(text: str, name: str) -> str:
    """Return a tooltip that ends with the key."""
    return f"<qt>{text} <b>{SHORTCUTS[name].shown}</b></qt>"


def bind(viewer: ViewerModel, actions: Mapping[str, Callable[[], Any]]) -> Callable[[], None]:
    """Bind the keys to these actions in a viewer; returns the function that takes them away again."""
    bound: dict[KeyBinding, Callable[..., Any]] = {}
    for name, action in actions.items():
        key = KeyBinding.from_str(_for_app_model(SHORTCUTS[name].key))
        handler = _handler(action)
        viewer.bind_key(key, handler, overwrite=True)
        bound[key] = handler

    def unbind() -> None:
        for key, handler in bound.items():
            if viewer.keymap.get(key) is handler:
                viewer.bind_key(key, None)

    return unbind


def help_html() -> str:
    """Return all keys as a table, with what napari's own undo does beside ours."""
    rows = "".join(f"<tr><td><b>{s.shown}</b>&nbsp;&nbsp;</td><td>{s.text}</td></tr>" for s in SHORTCUTS.values())
    return f"<table>{rows}</table><p>{UNDO_HELP}</p>"


UNDO_HELP = (
    "Ctrl+Z with a Labels layer selected takes back its last brush stroke, as always in napari; when something newer than its "
    "strokes was done to it here (an accept, a merge), Ctrl+Z takes that back. Ctrl+Alt+Z goes back through everything in order: "
    "strokes, accepts, merges, parameters, new layers."
)


def _handler(action: Callable[[], Any]) -> Callable[[Any], None]:
    def run(_: Any) -> None:
        action()

    return run


def _for_app_model(key: str) -> str:
    return key.replace("Control", "Ctrl").replace("-", "+")
