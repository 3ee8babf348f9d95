"""What belongs to a viewer and not to one dock: undo history, watched layers, interaction logs, journal."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from napari.layers import Labels, Layer

from napari_lightbox.errors import LightboxError
from napari_lightbox.interaction.deltas import Delta
from napari_lightbox.interaction.history import Action, History, is_gone
from napari_lightbox.widgets.annotate.contents import content
from napari_lightbox.widgets.annotate.diary import Diary
from napari_lightbox.widgets.annotate.logbook import Logbook
from napari_lightbox.widgets.annotate.record import LayerRecord
from napari_lightbox.widgets.lifeline import Lifeline
from napari_lightbox.widgets.messages import show_failure, show_hint

if TYPE_CHECKING:
    from napari.viewer import Viewer

_sessions: dict[int, Session] = {}


class Session:
    """Lives as long as its viewer: closing a dock loses neither undo steps nor the log."""

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer
        self.history = History()
        self.records: dict[Labels, LayerRecord] = {}
        self.logbook = Logbook(self.content)
        self._diary: Diary | None = None
        self._order: list[weakref.ref[Any]] = []
        self._at = 0
        self._lifeline = Lifeline()
        self._lifeline.connect(viewer.layers.events.removed, self._on_removed)

    @property
    def next_undo(self) -> Action | None:
        """What undo would take back."""
        return next(filter(None, map(_living, reversed(self._order[: self._at]))), None)

    @property
    def next_redo(self) -> Action | None:
        """What redo would do again."""
        return next(filter(None, map(_living, self._order[self._at :])), None)

    def record(self, layer: Labels, empty: bool = False) -> LayerRecord:
        """Return the record of a layer, watching it from now on; `empty` says that it is known to hold nothing."""
        if layer not in self.records:
            self.records[layer] = LayerRecord(layer, self, empty)
        return self.records[layer]

    def content(self, layer: Layer, array: Any) -> Delta | None:
        """Return what a layer holds as a change from zeros, looking only where something can be."""
        record = self.records.get(layer) if isinstance(layer, Labels) else None
        if record is None:
            return content(array)
        return None if record.extent is None else content(array, record.extent)

    def push(self, action: Action) -> None:
        """Remember something that was done."""
        if self.history.busy:
            return
        del self._order[self._at :]
        self._order.append(weakref.ref(action))
        self._at = len(self._order)
        self.history.push(action)

    def undo(self) -> Action | None:
        """Take the last action back; what cannot be taken back any more is forgotten and said so."""
        return self._move(self.history.undo, self.next_undo, 0)

    def redo(self) -> Action | None:
        """Do the action last taken back again."""
        return self._move(self.history.redo, self.next_redo, 1)

    def undo_in(self, record: LayerRecord) -> None:
        """Answer Ctrl+Z on a layer: its last stroke, or the newest action where that is newer than its strokes."""
        newest = self.next_undo
        if record.brush.can_undo and not record.is_owner(newest):
            record.brush.undo()
        else:
            self.undo()

    def redo_in(self, record: LayerRecord) -> None:
        """Answer Ctrl+Shift+Z on a layer."""
        newest = self.next_redo
        if record.brush.can_redo and not record.is_owner(newest):
            record.brush.redo()
        else:
            self.redo()

    def hold(self, layer: Layer, held: bool) -> None:
        """Keep the record of a layer that our undo took out of the viewer."""
        if isinstance(layer, Labels) and layer in self.records:
            self.records[layer].held = held

    def diary_write(self, layer: Labels, before: Delta | None, delta: Delta) -> None:
        """Write a change to the journal, which is opened at the first one; `before` is what an unknown layer held."""
        if self._diary is None:
            self._diary = Diary()
        self._diary.write(layer, before, delta)

    def log_paint(self, record: LayerRecord, delta: Delta) -> None:
        """Tell every log that knows the layer of a change."""
        self.logbook.paint(record.layer, delta)

    def replaced(self, record: LayerRecord) -> None:
        """Take note that a layer got another array: its steps mean nothing any more."""
        self.history.discard(lambda action: getattr(action, "record", None) is record)
        self.logbook.replaced(record.layer)
        if self._diary is not None:
            self._diary.forget(record.layer)

    def close(self) -> None:
        """End with the window: a normal end needs no recovery."""
        self._lifeline.cut()
        for record in self.records.values():
            record.stop()
        self.records.clear()
        self.history.clear()
        self.logbook.clear()
        if self._diary is not None:
            self._diary.close()
            self._diary = None

    def _move(self, move: Callable[[], Action | None], expected: Action | None, step: int) -> Action | None:
        try:
            action = move()
        except LightboxError as error:
            show_failure(error)
            lost = getattr(expected, "actions", [expected])
            self.history.discard(lambda action: any(action is one for one in lost))
            return None
        if action is None:
            show_hint("Nothing to undo" if step == 0 else "Nothing to redo")
            return None
        self._at = next((i for i, ref in enumerate(self._order) if ref() is action), self._at - step) + step
        return action

    def _on_removed(self, event: Any) -> None:
        layer = event.value
        self.logbook.release(layer)
        record = self.records.get(layer)
        if record is None or record.held:
            return
        del self.records[layer]
        record.stop()
        self.history.discard_gone()
        if self._diary is not None:
            self._diary.forget(layer)


def session_of(viewer: Viewer) -> Session:
    """Return the session of a viewer, begun at the first call and ended with its window."""
    key = id(viewer)
    if key not in _sessions:
        session = _sessions[key] = Session(viewer)

        def end() -> None:
            _sessions.pop(key, None)
            session.close()

        viewer.window._qt_window.destroyed.connect(end)  # noqa: SLF001 - napari has no event for it
    return _sessions[key]


def _living(reference: weakref.ref[Any]) -> Any:
    action = reference()
    return None if action is None or is_gone(action) else action
