"""What must be undone when a dock goes: connections, timers, running jobs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any


class Lifeline:
    """A list of undo steps that runs once, the last step first."""

    def __init__(self) -> None:
        self._steps: list[Callable[[], Any]] = []
        self.is_cut = False

    def connect(self, emitter: Any, callback: Callable[..., Any]) -> None:
        """Connect a napari event and disconnect it at the end."""
        emitter.connect(callback)
        self._steps.append(partial(emitter.disconnect, callback))

    def at_end(self, step: Callable[[], Any]) -> None:
        """Run `step` at the end."""
        self._steps.append(step)

    def cut(self) -> None:
        """Undo everything; Qt objects and emitters that are gone already need nothing."""
        self.is_cut = True
        while self._steps:
            with suppress(RuntimeError, ValueError):
                self._steps.pop()()
