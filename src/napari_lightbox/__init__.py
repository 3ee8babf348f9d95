"""napari-lightbox: lazy image processing for napari, the command line and scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_lightbox.axes import Geometry, Volume
    from napari_lightbox.client.connect import connect
    from napari_lightbox.contract.values import Table
    from napari_lightbox.engine.apply import apply
    from napari_lightbox.engine.catalogue import find, technique
    from napari_lightbox.io.formats import read, write

__version__ = "0.1.0"

__all__ = ["Geometry", "Table", "Volume", "__version__", "apply", "connect", "find", "read", "technique", "write"]

_HOMES = {
    "Geometry": "napari_lightbox.axes",
    "Volume": "napari_lightbox.axes",
    "Table": "napari_lightbox.contract.values",
    "apply": "napari_lightbox.engine.apply",
    "connect": "napari_lightbox.client.connect",
    "find": "napari_lightbox.engine.catalogue",
    "technique": "napari_lightbox.engine.catalogue",
    "read": "napari_lightbox.io.formats",
    "write": "napari_lightbox.io.formats",
}


def __getattr__(name: str) -> Any:
    """Load a public name at its first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'napari_lightbox' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the public names."""
    return __all__
