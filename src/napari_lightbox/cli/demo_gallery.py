"""The last part of the demo: its layers in napari, opened for a person or written as screenshots."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_lightbox.axes import Volume


def show_gallery(folder: Path, volumes: Sequence[Volume], *, screenshots: bool) -> list[Path]:
    """Show volumes in napari, with docks open; return the screenshots that were written.

    Nothing happens, but for a line that says why, without the gui extra or without a display.
    """
    if find_spec("napari") is None:
        print("napari is not installed; to see the results: pip install 'napari-lightbox[gui]'")
        return []
    if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        print("There is no display; to write screenshots of napari: xvfb-run -a lightbox demo --screenshots")
        return []
    import napari

    viewer = napari.Viewer(show=True, title="Lightbox demo")
    for volume in volumes:
        add_layer(viewer, volume)
    if not screenshots:
        napari.run()
        return []
    path = folder / "napari.png"
    viewer.screenshot(path=str(path), canvas_only=False, flash=False)
    viewer.close()
    print(f"Screenshot: {path}")
    return [path]


def add_layer(viewer: Any, volume: Volume) -> Any:
    """Add a volume to a viewer with its place in the world."""
    from napari.layers import Layer

    from napari_lightbox.io.layers import layer_data

    return viewer.add_layer(Layer.create(*layer_data(volume)))
