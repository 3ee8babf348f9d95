"""What can be undone: pixels of a Labels layer, strokes, new layers, parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from napari.layers import Layer

from napari_lightbox.interaction.deltas import Delta
from napari_lightbox.widgets.arrival import bring_in

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_lightbox.widgets.annotate.record import LayerRecord


class PixelAction:
    """Pixels of one layer changed."""

    def __init__(self, title: str, record: LayerRecord, deltas: Sequence[Delta]) -> None:
        self.title = title
        self.record = record
        self.deltas = tuple(deltas)

    @property
    def nbytes(self) -> int:
        """Memory of the changes."""
        return sum(delta.nbytes for delta in self.deltas)

    @property
    def gone(self) -> bool:
        """Whether the layer is no longer there."""
        return self.record.gone

    def undo(self) -> None:
        """Restore the old pixels."""
        self.record.apply([delta.inverse for delta in reversed(self.deltas)])

    def redo(self) -> None:
        """Set the new pixels again."""
        self.record.apply(self.deltas)


class StrokeAction(PixelAction):
    """A stroke of napari's brush, which napari itself can take back as long as nothing else touched the layer."""

    def undo(self) -> None:
        """Take the stroke back, through napari where it can."""
        if not self.record.undo_stroke(self):
            super().undo()

    def redo(self) -> None:
        """Paint the stroke again, through napari where it can."""
        if not self.record.redo_stroke(self):
            super().redo()


class LayerAction:
    """A layer of ours was added to the viewer."""

    nbytes = 256

    def __init__(self, title: str, viewer: ViewerModel, layer: Layer, hold: Callable[[Layer, bool], Any]) -> None:
        self.title = title
        self._viewer = viewer
        self._layer = layer
        self._hold = hold
        self._taken_away = False
        self._place = 0

    @property
    def gone(self) -> bool:
        """Whether somebody else removed the layer."""
        return not self._taken_away and self._layer not in self._viewer.layers

    def undo(self) -> None:
        """Take the layer away; it is kept for redo."""
        self._taken_away = True
        self._hold(self._layer, True)
        self._place = self._viewer.layers.index(self._layer)
        self._viewer.layers.remove(self._layer)

    def redo(self) -> None:
        """Show the layer again where it was."""
        place = min(self._place, len(self._viewer.layers))
        self._viewer.layers.selection.active = bring_in(self._viewer, self._layer, place)
        self._hold(self._layer, False)
        self._taken_away = False


class ParameterAction:
    """Parameters of an engine changed."""

    nbytes = 1024

    def __init__(self, engine: str, title: str, before: Mapping[str, Any], after: Mapping[str, Any], show: Any) -> None:
        self.engine = engine
        self.title = title
        self.before = dict(before)
        self.after = dict(after)
        self.show = show
        self.gone = False

    def undo(self) -> None:
        """Show the old values."""
        self.show(self.engine, self.before)

    def redo(self) -> None:
        """Show the new values."""
        self.show(self.engine, self.after)
