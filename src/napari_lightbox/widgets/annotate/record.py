"""One Labels layer under watch: every change goes to the undo history, the interaction logs and the journal."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from napari.layers import Labels

from napari_lightbox.engine.request import Region
from napari_lightbox.errors import LightboxError
from napari_lightbox.interaction.deltas import Delta
from napari_lightbox.widgets.annotate.actions import PixelAction, StrokeAction
from napari_lightbox.widgets.annotate.brush import Brush, Kind
from napari_lightbox.widgets.annotate.contents import content
from napari_lightbox.widgets.annotate.scope import joined

if TYPE_CHECKING:
    from napari_lightbox.widgets.annotate.session import Session

_NAPARI_STEPS = 100
Listener = Callable[[Delta, frozenset[int] | None], Any]


class LayerRecord:
    """Watches a layer from the moment it is first worked on until it leaves the viewer.

    Parameters
    ----------
    layer
        The layer.
    session
        Owner of history, logs and journal.
    empty
        Whether the layer is known to hold nothing.

    Attributes
    ----------
    before
        What the layer held when the journal knew nothing of it, as a change from zeros; None for nothing.
    extent
        Box outside which the layer holds zeros; None when it holds nothing.
    """

    def __init__(self, layer: Labels, session: Session, empty: bool = False) -> None:
        self.layer = layer
        self.held = False
        self.before = None if empty else content(layer.data)
        self.extent: Region | None = self.before.box if self.before is not None else None
        self._session = session
        self._listeners: list[Listener] = []
        self._done: deque[StrokeAction] = deque(maxlen=_NAPARI_STEPS)
        self._undone: deque[StrokeAction] = deque(maxlen=_NAPARI_STEPS)
        self._skip: StrokeAction | None = None
        self.brush = Brush(layer, self._on_brush, self._on_replaced)
        layer.bind_key("Control-Z", lambda _: session.undo_in(self), overwrite=True)
        layer.bind_key("Control-Shift-Z", lambda _: session.redo_in(self), overwrite=True)

    @property
    def gone(self) -> bool:
        """Whether the layer left the viewer for good."""
        return not self.held and self.layer not in self._session.viewer.layers

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call back with (change, ids or None for unknown ones) after every change; returns the function that ends it."""
        self._listeners.append(listener)

        def end() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return end

    def is_owner(self, action: Any) -> bool:
        """Tell whether an action is a stroke on this layer."""
        return isinstance(action, StrokeAction) and action.record is self

    def apply(self, deltas: Iterable[Delta]) -> None:
        """Make changes, all or none; napari's own undo of this layer begins anew after them.

        Raises
        ------
        DeltaError
            The pixels are not what the changes expect.
        """
        done: list[Delta] = []
        try:
            for delta in deltas:
                delta.redo(self.layer.data)
                done.append(delta)
        except LightboxError:
            for delta in reversed(done):
                delta.undo(self.layer.data)
            raise
        self.written(done)

    def written(self, deltas: Sequence[Delta], logged: bool = True) -> None:
        """Take note of changes already made in the array; `logged` says whether the logs shall hear of the pixels."""
        self.brush.forget()
        self._done.clear()
        self._undone.clear()
        self.layer.refresh()
        for delta in deltas:
            self._note(delta, None, logged)

    def secure(self) -> None:
        """Write what the layer holds to the journal now, and not only with its first change."""
        before, self.before = self.before, None
        if before is not None:
            self._session.diary_write(self.layer, None, before)

    def undo_stroke(self, action: StrokeAction) -> bool:
        """Let napari take a stroke back; false when it cannot."""
        if self._skip is action:
            return True
        if not self._done or self._done[-1] is not action or not self.brush.can_undo:
            return False
        self.brush.undo()
        return True

    def redo_stroke(self, action: StrokeAction) -> bool:
        """Let napari paint a stroke again; false when it cannot."""
        if self._skip is action:
            return True
        if not self._undone or self._undone[-1] is not action or not self.brush.can_redo:
            return False
        self.brush.redo()
        return True

    def stop(self) -> None:
        """Watch no longer."""
        self.brush.stop()
        self._listeners.clear()
        self.layer.bind_key("Control-Z", None)
        self.layer.bind_key("Control-Shift-Z", None)

    def _on_brush(self, kind: Kind, delta: Delta, ids: frozenset[int]) -> None:
        self._note(delta, ids, logged=True)
        if kind == "paint":
            stroke = StrokeAction(f"stroke in {self.layer.name}", self, [delta])
            self._done.append(stroke)
            self._undone.clear()
            self._session.push(stroke)
            return
        source, target = (self._done, self._undone) if kind == "undo" else (self._undone, self._done)
        stroke_or_none = source.pop() if source else None
        if stroke_or_none is not None:
            target.append(stroke_or_none)
        if self._session.history.busy:
            return
        self._follow_napari(kind, stroke_or_none, delta)

    def _follow_napari(self, kind: Kind, stroke: StrokeAction | None, delta: Delta) -> None:
        """Keep our history in step with a stroke that napari took back or painted again on its own."""
        session = self._session
        next_one = session.next_undo if kind == "undo" else session.next_redo
        if stroke is None or next_one is not stroke:
            session.push(PixelAction(f"{kind} of a stroke in {self.layer.name}", self, [delta]))
            return
        self._skip = stroke
        try:
            session.undo() if kind == "undo" else session.redo()
        finally:
            self._skip = None

    def _on_replaced(self) -> None:
        self._done.clear()
        self._undone.clear()
        self.before = content(self.layer.data)
        self.extent = self.before.box if self.before is not None else None
        self._session.replaced(self)

    def _note(self, delta: Delta, ids: frozenset[int] | None, logged: bool) -> None:
        if logged:
            self._session.log_paint(self, delta)
        self._session.diary_write(self.layer, self.before, delta)
        self.before = None
        self.extent = joined(self.extent, delta.box)
        for listener in list(self._listeners):
            listener(delta, ids)
