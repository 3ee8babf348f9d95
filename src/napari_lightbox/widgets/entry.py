"""What the manifest's commands point at: ``entry.<technique id>`` is the dock class of that technique."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.viewer import Viewer

    from napari_lightbox.widgets.technique_dock import TechniqueDock


def __getattr__(name: str) -> Callable[[Viewer], TechniqueDock]:
    """Return the dock class of the technique with this id."""
    from napari_lightbox.contract import registry
    from napari_lightbox.errors import UnknownTechniqueError

    if name.startswith("_"):
        raise AttributeError(name)
    try:
        technique = registry.get(name)
    except UnknownTechniqueError as error:
        raise AttributeError(str(error)) from error
    from napari_lightbox.widgets.technique_dock import dock_class

    return dock_class(technique)
