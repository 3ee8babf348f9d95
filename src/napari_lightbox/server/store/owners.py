"""Who sent an array, on disk; and who works with it, for as long as the server runs."""

from __future__ import annotations

import json
import threading
from pathlib import Path

from napari_lightbox.server.store.placing import place


class Owners:
    """The names beside an array: all who sent it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "owners.json"

    def all(self) -> frozenset[str]:
        """Return who sent the array."""
        try:
            return frozenset(json.loads(self.path.read_text("utf-8")))
        except FileNotFoundError:
            return frozenset()

    def set(self, owners: frozenset[str]) -> None:
        """Write down who sent the array."""
        place(self.path, json.dumps(sorted(owners)).encode())


class Pins:
    """Which arrays are held by which sessions and jobs."""

    def __init__(self) -> None:
        self._held: dict[str, set[str]] = {}
        self._lock = threading.Lock()

    def add(self, name: str, holder: str) -> None:
        """Hold an array."""
        with self._lock:
            self._held.setdefault(holder, set()).add(name)

    def drop(self, holder: str, name: str | None = None) -> set[str]:
        """Let go of one array or of all that somebody holds; return those that were held."""
        with self._lock:
            held = self._held.get(holder, set())
            gone = set(held) if name is None else held & {name}
            held -= gone
            if not held:
                self._held.pop(holder, None)
        return gone

    def __contains__(self, name: object) -> bool:
        """Return whether anybody holds an array."""
        with self._lock:
            return any(name in held for held in self._held.values())
