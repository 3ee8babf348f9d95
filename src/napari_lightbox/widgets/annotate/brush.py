"""The brush of a Labels layer: every stroke, and every undo and redo of one, as a net change.

The only file that reads napari's own undo history, which has no public face: a stroke comes with an event, undoing it does not.
"""

# ruff: noqa: SLF001

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from napari.layers import Labels

from napari_lightbox.interaction.deltas import Delta
from napari_lightbox.widgets.lifeline import Lifeline

Kind = Literal["paint", "undo", "redo"]


class _Edit(NamedTuple):
    """Pixels, and their values before and after."""

    where: tuple[Any, ...]
    old: Any
    new: Any


class Brush:
    """Listens to one Labels layer.

    Parameters
    ----------
    layer
        Layer that is painted.
    heard
        Called with (kind, net change, ids that came or went) after a stroke, fill or polygon, and when napari took one
        back or did it again.
    replaced
        Called when somebody gave the layer another array.
    """

    def __init__(self, layer: Labels, heard: Callable[[Kind, Delta, frozenset[int]], Any], replaced: Callable[[], Any]) -> None:
        self._layer = layer
        self._heard = heard
        self._replaced = replaced
        self._data = layer.data
        self._redo_length = len(layer._redo_history)
        self._lifeline = Lifeline()
        self._lifeline.connect(layer.events.paint, self._on_paint)
        self._lifeline.connect(layer.events.set_data, self.look)
        self._lifeline.connect(layer.events.data, self.look)
        self.stop = self._lifeline.cut

    @property
    def can_undo(self) -> bool:
        """Whether napari has a stroke to take back."""
        return bool(self._layer._undo_history)

    @property
    def can_redo(self) -> bool:
        """Whether napari has a stroke to do again."""
        return bool(self._layer._redo_history)

    def undo(self) -> None:
        """Let napari take its last stroke back."""
        self._layer.undo()
        self.look()

    def redo(self) -> None:
        """Let napari do a stroke again."""
        self._layer.redo()
        self.look()

    def forget(self) -> None:
        """Clear napari's history: what it would restore is no longer what the pixels were."""
        self._layer._reset_history()
        self._redo_length = 0

    def look(self, event: Any = None) -> None:
        """Notice an undo, a redo or another array."""
        layer = self._layer
        if layer.data is not self._data:
            self._data = layer.data
            self.forget()
            self._replaced()
            return
        before, self._redo_length = self._redo_length, len(layer._redo_history)
        if self._redo_length == before + 1:
            self._hear("undo", list(layer._redo_history[-1]))
        elif self._redo_length == before - 1 and layer._undo_history and not layer._block_history:
            self._hear("redo", list(layer._undo_history[-1]))

    def _on_paint(self, event: Any) -> None:
        self._redo_length = len(self._layer._redo_history)
        self._hear("paint", list(event.value))

    def _hear(self, kind: Kind, atoms: Sequence[Any]) -> None:
        # from the atoms alone: for a fill or a polygon the event comes before the pixels have changed
        dtype = np.dtype(self._layer.data.dtype)
        edits = [_edit(atom, dtype) for atom in atoms]
        if kind == "undo":
            edits = [_Edit(e.where, e.new, e.old) for e in edits]
        if not edits:
            return
        where = tuple(np.concatenate(axis) for axis in zip(*(e.where for e in edits), strict=True))
        old, new = np.concatenate([e.old for e in edits]), np.concatenate([e.new for e in edits])
        delta = Delta.of_pixels(where, old, new)
        if delta is not None:
            self._heard(kind, delta, frozenset(np.unique(np.concatenate([old, new])).tolist()))


def _edit(atom: Any, dtype: np.dtype[Any]) -> _Edit:
    """Return the pixels of one entry of napari's history, each with its old and its new value."""
    if not hasattr(atom, "slice_key"):
        indices, old, new = atom
        where = tuple(np.asarray(i).reshape(-1) for i in indices)
        old = np.asarray(old, dtype).reshape(-1)
    else:
        starts = [part.start for part in atom.slice_key]
        changed = np.ones(atom.old_values.shape, bool) if atom.mask is None else atom.mask
        where = tuple(i + start for i, start in zip(np.nonzero(changed), starts, strict=True))
        old, new = np.asarray(atom.old_values, dtype).reshape(-1), atom.new_value
    return _Edit(where, old, np.broadcast_to(np.asarray(new, dtype), old.shape))
