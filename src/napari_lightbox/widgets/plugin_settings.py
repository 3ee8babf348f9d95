"""The plugin's page in napari's preferences, and how it reaches our settings."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from napari_lightbox.settings import override

_in_force = ExitStack()
_applied: dict[str, Any] = {}


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
            },
        },
        "preview": {
            "title": "Preview",
            "properties": {
                "live": {
                    "title": "Live preview",
                    "type": "boolean",
                    "default": False,
                    "description": "Switch the live preview of the visible slice on in every new dock",
                },
            },
        },
    }


def apply_settings() -> None:
    """Put what the preferences say in force; called before every run.

    Raises
    ------
    ParameterError
        A preference cannot be used; the message says which.
    """
    runs = _page("runs")
    wanted = {name: getattr(runs, name) for name in ("memory_budget", "cache_folder") if getattr(runs, name, "")}
    if wanted == _applied:
        return
    _in_force.close()
    _applied.clear()
    _in_force.enter_context(override(**wanted))
    _applied.update(wanted)


def preview_at_start() -> bool:
    """Return whether new docks start with the live preview on."""
    return bool(getattr(_page("preview"), "live", False))


def _page(name: str) -> Any:
    """Return a page of the preferences, None in a napari without plugin preferences."""
    try:
        from napari.settings import get_plugin_settings

        return getattr(get_plugin_settings("napari-lightbox"), name, None)
    except (ImportError, KeyError, AttributeError):
        return None
