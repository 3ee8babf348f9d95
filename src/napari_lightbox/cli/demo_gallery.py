"""The last part of the demo: its layers in napari with a dock open, for a person or as screenshots."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_lightbox.axes import Volume

_WINDOW = (1500, 900)


@dataclass(frozen=True)
class Scene:
    """Layers from bottom to top, the technique whose dock is open, and the point in the world to look at (the middle if None)."""

    name: str
    volumes: Sequence[Volume]
    technique: str
    focus: tuple[float, ...] | None = None


def show_gallery(folder: Path, scenes: Sequence[Scene], *, screenshots: bool) -> list[Path]:
    """Open each scene in a viewer of its own; with `screenshots` write pictures instead of waiting for the person.

    Nothing happens, but for a line that says why, without the gui extra or without a display.
    """
    if find_spec("napari") is None:
        print("napari is not installed; to see the results: pip install 'napari-lightbox[gui]'")
        return []
    if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        print("There is no display; to write screenshots of napari: xvfb-run -a lightbox demo --screenshots")
        return []
    import napari

    if not screenshots:
        for scene in scenes:
            open_scene(scene)
        napari.run()
        return []
    written = []
    for scene in scenes:
        viewer = open_scene(scene)
        path = folder / f"napari-{scene.name}.png"
        viewer.screenshot(path=str(path), canvas_only=False, flash=False)
        viewer.close()
        print(f"  {path.name}")
        written.append(path)
    return written


def open_scene(scene: Scene) -> Any:
    """Return a viewer that shows a scene."""
    import napari
    from qtpy.QtWidgets import QApplication

    from napari_lightbox.contract import registry
    from napari_lightbox.widgets.results import Origin, array_layer
    from napari_lightbox.widgets.technique_dock import dock_class

    viewer = napari.Viewer(title=f"Lightbox demo: {scene.name}")
    viewer.window.resize(*_WINDOW)
    for volume in scene.volumes:
        layer = viewer.add_layer(array_layer(volume, volume.name, Origin(None, "")))
        if volume.role == "labels" and volume is not scene.volumes[-1]:
            layer.contour = 1
    focus = scene.focus or viewer.layers[0].extent.world.mean(axis=0)
    viewer.dims.point = tuple(focus)
    viewer.camera.center = tuple(focus)[-2:]
    technique = registry.get(scene.technique)
    viewer.window.add_dock_widget(dock_class(technique)(viewer), name=technique.title)
    for _ in range(20):
        QApplication.processEvents()
    return viewer
