"""Results beside each other in napari's grid, each over the image; and the viewer as it was before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from napari.layers import Image, Labels, Layer

if TYPE_CHECKING:
    from napari.components import ViewerModel


class _View(NamedTuple):
    """How the viewer showed its layers."""

    enabled: bool
    stride: int
    visible: list[Layer]
    modes: list[str]


class SideBySide:
    """Switches a viewer to the grid and back."""

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._before: _View | None = None

    def enter(self, layers: Sequence[Layer]) -> None:
        """Show pairs of a picture and a result, which lie on top of all layers, in the grid."""
        if not layers or self._before is not None:
            return
        # before napari 0.9 the grid belonged to the viewer
        grid = getattr(self._viewer, "canvas", self._viewer).grid
        others = [layer for layer in self._viewer.layers if layer not in layers and layer.visible]
        self._before = _View(grid.enabled, grid.stride, others, [str(layer.mode) for layer in others])
        for layer in self._viewer.layers:
            layer.visible = layer in layers
        # counted from the top: pairs, whatever lies below
        grid.stride = -2
        grid.enabled = True

    def leave(self, layers: Sequence[Layer]) -> None:
        """Show everything as it was, and the results above each other."""
        before, self._before = self._before, None
        if before is None:
            return
        grid = getattr(self._viewer, "canvas", self._viewer).grid
        grid.enabled, grid.stride = before.enabled, before.stride
        for layer in layers:
            layer.visible = isinstance(layer, Labels)
        # hiding a layer takes the brush away
        for layer, mode in zip(before.visible, before.modes, strict=True):
            layer.visible, layer.mode = True, mode


def copy_of(image: Layer, name: str) -> Image:
    """Return a layer that shows the same pixels, without copying them."""
    data, state, _ = image.as_layer_data_tuple()
    kept = {k: v for k, v in state.items() if k not in ("name", "metadata", "visible")}
    return Image(data, name=name, **kept)
