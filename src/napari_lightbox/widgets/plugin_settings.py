"""The plugin's page in napari's preferences, and how it reaches our settings."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from napari_lightbox.settings import DEVICES, override
from napari_lightbox.widgets.lifeline import Lifeline

_RUNS = ("memory_budget", "cache_folder", "device")
_BY_ITSELF = "automatic"
_in_force = ExitStack()
_applied: dict[str, Any] = {}
_servers_here = [""]


def configurations() -> dict[str, Any]:
    """Return the manifest's configurations."""
    return {
        "runs": {
            "title": "Runs",
            "properties": {
                "memory_budget": {
                    "title": "Memory budget",
                    "type": "string",
                    "default": "",
                    "description": "How much memory a run may hold, such as 4GB. Empty: a quarter of the free memory.",
                },
                "cache_folder": {
                    "title": "Cache folder",
                    "type": "string",
                    "default": "",
                    "description": "Folder for downloads and very large results. Empty: the system's cache folder.",
                },
                "device": {
                    "title": "Device",
                    "type": "string",
                    "enum": [_BY_ITSELF, *DEVICES[1:]],
                    "default": _BY_ITSELF,
                    "description": "Where learned models run. Automatic: a GPU when there is one, else the processor.",
                },
                "servers": {
                    "title": "Known servers",
                    "type": "string",
                    "default": "",
                    "description": "Servers that runs can go to, such as lab = https://lab.example.org, added by the Server dock",
                },
            },
        },
        "preview": {
            "title": "Preview",
            "properties": {
                "live": {
                    "title": "Live preview",
                    "type": "boolean",
                    "default": False,
                    "description": "Switch the live preview of the visible slice on, in open docks and in every new one",
                },
            },
        },
    }


def read_preferences() -> None:
    """Have napari read the preferences now; their first use looks through all plugins, longer than a click should take."""
    _page("runs")


def apply_settings() -> None:
    """Put what the preferences say in force; called before every run and preview.

    Raises
    ------
    ParameterError
        A preference cannot be used; the message says which.
    """
    runs = _page("runs")
    wanted = {name: getattr(runs, name, "") for name in _RUNS}
    wanted = {name: value for name, value in wanted.items() if value not in ("", _BY_ITSELF)}
    if wanted == _applied:
        return
    _in_force.close()
    _applied.clear()
    _in_force.enter_context(override(**wanted))
    _applied.update(wanted)


def preview_at_start() -> bool:
    """Return whether new docks start with the live preview on."""
    return bool(getattr(_page("preview"), "live", False))


def follow_preview_switch(switch: Callable[[bool], Any], lifeline: Lifeline) -> None:
    """Call `switch` whenever the preference for the live preview is changed, until the lifeline is cut."""
    events = getattr(_page("preview"), "events", None)
    if events is not None and "live" in events.emitters:
        lifeline.connect(events.live, _Switch(switch))


def remembered_servers() -> str:
    """Return the known servers as they stand in the preferences."""
    return str(getattr(_page("runs"), "servers", _servers_here[0]))


def remember_servers(text: str) -> None:
    """Write the known servers to the preferences; a napari without plugin preferences knows them for this session."""
    page = _page("runs")
    if hasattr(page, "servers"):
        page.servers = text
    else:
        _servers_here[0] = text


def follow_servers(call: Callable[[Any], Any], lifeline: Lifeline) -> None:
    """Call back whenever the known servers are changed in the preferences, until the lifeline is cut."""
    events = getattr(_page("runs"), "events", None)
    if events is not None and "servers" in events.emitters:
        lifeline.connect(events.servers, _Switch(call))


class _Switch:
    """A callback that napari's events can compare and take away again."""

    def __init__(self, switch: Callable[[bool], Any]) -> None:
        self._switch = switch

    def __call__(self, event: Any) -> None:
        self._switch(bool(event.value))


def _page(name: str) -> Any:
    """Return a page of the preferences, None in a napari without plugin preferences."""
    try:
        from napari.settings import get_plugin_settings

        return getattr(get_plugin_settings("napari-lightbox"), name, None)
    except (ImportError, KeyError, AttributeError):
        return None
