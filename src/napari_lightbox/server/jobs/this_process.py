"""The threads of this process in place of a cluster: enough for small servers and for tests."""

from __future__ import annotations

from typing import Any

import psutil

from napari_lightbox.engine.schedule import Threads
from napari_lightbox.settings import settings


class OwnThreads(Threads):
    """The threads of this process; they know no priorities."""

    def at(self, _: int) -> OwnThreads:
        """Return the same threads."""
        return self


class ThisProcess:
    """What a server needs to know of whoever computes, where that is the server itself."""

    def __init__(self) -> None:
        self.scheduler = OwnThreads()

    def threads(self) -> int:
        """Return how many threads compute."""
        return settings().threads

    def workers(self) -> list[dict[str, Any]]:
        """Return the only worker."""
        used = psutil.Process().memory_info().rss
        here = settings()
        return [{"name": "this process", "threads": here.threads, "memory": here.memory_budget, "used": used, "tasks": 0}]

    def close(self) -> None:
        """Do nothing: there is nothing to end."""
