"""Parameters of the engines, undoable: what was turned in one go is one step."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from qtpy.QtCore import QObject, Signal

from napari_lightbox.errors import LightboxError
from napari_lightbox.widgets.annotate.actions import ParameterAction
from napari_lightbox.widgets.annotate.bench import Bench

_ONE_GO_SECONDS = 1.5


class Tuning(QObject):  # type: ignore[misc]
    """Emits `changed()` when the parameters of the engine in use are others."""

    changed = Signal()

    def __init__(self, bench: Bench) -> None:
        super().__init__()
        self._bench = bench
        self._last_time = 0.0
        self._values = {engine_id: form.values() for engine_id, form in bench.panel.forms.items()}
        bench.panel.edited.connect(self._on_edit)
        bench.bar.reset.clicked.connect(bench.panel.reset)

    def stop(self) -> None:
        """Forget the steps: their form goes with the dock."""
        mine = self._show
        self._bench.session.history.discard(lambda a: isinstance(a, ParameterAction) and a.show == mine)

    def _on_edit(self, engine_id: str) -> None:
        form = self._bench.panel.forms[engine_id]
        try:
            now = form.values()
        except LightboxError as error:
            self._bench.say(str(error))
            return
        before, self._values[engine_id] = self._values[engine_id], now
        if now == before:
            return
        session = self._bench.session
        newest, moment = session.next_undo, time.monotonic()
        if not session.history.busy:
            if _same_go(newest, engine_id, self._show) and moment - self._last_time < _ONE_GO_SECONDS:
                newest.after = now  # type: ignore[union-attr]
            else:
                name = next(e.name for e in self._bench.panel.engines if e.id == engine_id)
                session.push(ParameterAction(engine_id, f"parameters of {name}", before, now, self._show))
            self._last_time = moment
        if engine_id == self._bench.panel.chosen_engine.id:
            self.changed.emit()

    def _show(self, engine_id: str, values: Mapping[str, Any]) -> None:
        self._bench.panel.choose_engine(engine_id)
        self._bench.panel.forms[engine_id].set_values(values)


def _same_go(action: Any, engine_id: str, show: Any) -> bool:
    return isinstance(action, ParameterAction) and action.engine == engine_id and action.show == show
