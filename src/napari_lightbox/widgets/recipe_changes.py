"""What changes on layers when a recipe changes, so that it can be taken back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from napari.layers import Image, Layer

from napari_lightbox.widgets.arrival import bring_in

if TYPE_CHECKING:
    from napari.components import ViewerModel

_PLACE = ("scale", "translate", "rotate", "shear")


class Change(Protocol):
    """One change that was made."""

    @property
    def gone(self) -> bool:
        """Whether what it changed is no longer there."""

    @property
    def nbytes(self) -> int:
        """Memory it takes."""

    def undo(self) -> None:
        """Take it back."""

    def redo(self) -> None:
        """Make it again."""


@dataclass(frozen=True, eq=False)
class Look:
    """What a layer shows and where."""

    data: Any
    metadata: dict[str, Any]
    place: dict[str, Any]
    limits: tuple[float, float] | None
    visible: bool

    @classmethod
    def of(cls, layer: Layer) -> Look:
        """Return what a layer shows now; no pixel is copied."""
        limits = tuple(layer.contrast_limits) if isinstance(layer, Image) and not layer.rgb else None
        place = {name: np.array(getattr(layer, name)) for name in _PLACE} | {"affine": np.array(layer.affine.affine_matrix)}
        return cls(layer.data, dict(layer.metadata), place, limits, layer.visible)

    @property
    def nbytes(self) -> int:
        """Bytes of the pixels in memory."""
        return int(self.data.nbytes) if isinstance(self.data, np.ndarray) else 0

    def put_on(self, layer: Layer) -> None:
        """Make a layer show it."""
        if layer.data is not self.data:
            layer.data = self.data
        layer.metadata = dict(self.metadata)
        for name, value in self.place.items():
            current = layer.affine.affine_matrix if name == "affine" else getattr(layer, name)
            if np.shape(current) != np.shape(value) or not np.array_equal(current, value):
                setattr(layer, name, value)
        if self.limits is not None and tuple(layer.contrast_limits) != self.limits:
            low, high = layer.contrast_limits_range
            layer.contrast_limits_range = (min(low, self.limits[0]), max(high, self.limits[1]))
            layer.contrast_limits = self.limits
        if layer.visible != self.visible:
            layer.visible = self.visible


class LookChange:
    """A layer shows something else."""

    def __init__(self, viewer: ViewerModel, layer: Layer, before: Look, after: Look) -> None:
        self.layer = layer
        self.before = before
        self.after = after
        self._viewer = viewer

    @property
    def gone(self) -> bool:
        """Whether the layer was removed."""
        return self.layer not in self._viewer.layers

    @property
    def nbytes(self) -> int:
        """Bytes that are kept only to go back and forth."""
        return self.before.nbytes + (0 if self.layer.data is self.after.data else self.after.nbytes)

    def undo(self) -> None:
        """Show what was there before."""
        self.before.put_on(self.layer)

    def redo(self) -> None:
        """Show what came after."""
        self.after.put_on(self.layer)


class LayersChange:
    """Layers were added, or took the place of others that cannot show the result."""

    def __init__(self, viewer: ViewerModel, added: Layer, replaced: Layer | None = None) -> None:
        self._viewer = viewer
        self.added = added
        self.replaced = replaced
        self._undone = False

    @property
    def gone(self) -> bool:
        """Whether somebody else removed the layer."""
        return (self.replaced if self._undone and self.replaced is not None else self.added) not in self._viewer.layers and not (
            self._undone and self.replaced is None
        )

    @property
    def nbytes(self) -> int:
        """Bytes of the layer that is out of sight."""
        hidden = self.added if self._undone else self.replaced
        return Look.of(hidden).nbytes if hidden is not None else 0

    def undo(self) -> None:
        """Take the new layer away and put the old one back."""
        self._exchange(self.added, self.replaced)
        self._undone = True

    def redo(self) -> None:
        """Put the new layer back."""
        self._exchange(self.replaced, self.added)
        self._undone = False

    def _exchange(self, old: Layer | None, new: Layer | None) -> None:
        exchange(self._viewer, old, new)


class RecipeAction:
    """An edit of a recipe with all that followed from it."""

    def __init__(
        self, title: str, changes: Sequence[Change], before: Any, after: Any, show: Callable[[Any, Sequence[Change]], None]
    ) -> None:
        self.title = title
        self._changes = list(changes)
        self._before = before
        self._after = after
        self._show = show

    @property
    def nbytes(self) -> int:
        """Memory of the results that are out of sight."""
        return 1024 + sum(change.nbytes for change in self._changes)

    @property
    def gone(self) -> bool:
        """Whether none of its layers is left."""
        return bool(self._changes) and all(change.gone for change in self._changes)

    def undo(self) -> None:
        """Show the old results and the old recipe."""
        for change in reversed(self._changes):
            if not change.gone:
                change.undo()
        self._show(self._before, self._changes)

    def redo(self) -> None:
        """Show the new results and the new recipe."""
        for change in self._changes:
            if not change.gone:
                change.redo()
        self._show(self._after, self._changes)


def exchange(viewer: ViewerModel, old: Layer | None, new: Layer | None) -> None:
    """Put a layer where another one was, selected if that was; without an old one on top, without a new one none."""
    selected = old is None or old in viewer.layers.selection
    place = viewer.layers.index(old) if old is not None and old in viewer.layers else len(viewer.layers)
    if old is not None and old in viewer.layers:
        viewer.layers.remove(old)
    if new is not None:
        bring_in(viewer, new, place)
        if selected:
            viewer.layers.selection = {new}
