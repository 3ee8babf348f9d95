"""Work that is no single run, followed and cancelled like one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from napari_lightbox.engine.control import Control
from napari_lightbox.engine.local import LocalJob
from napari_lightbox.engine.request import Request
from napari_lightbox.engine.runner import Outcome

Work = Callable[[Control], Mapping[str, Any]]


class BackgroundJob(LocalJob):
    """Calls a function in a thread of its own; what the function returns are the outputs.

    The function reports to and is stopped by the `Control` it is given.
    """

    def __init__(self, work: Work, name: str = "work") -> None:
        super().__init__(Request("", ()))
        self._work = work
        self._name = name

    def start(self) -> BackgroundJob:
        """Start the thread and return at once."""
        threading.Thread(target=self.execute, name=f"lightbox-{self._name}", daemon=True).start()
        return self

    def run(self) -> Outcome:
        """Call the function in the calling thread."""
        return Outcome(dict(self._work(self.control)), {})
