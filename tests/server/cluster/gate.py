"""Work that stands still until a test lets it go on."""

from __future__ import annotations

import os
import time
import uuid
from pathlib import Path
from typing import Any


class Gate:
    """Holds tasks up, which leave a mark with the process they run in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def open(self) -> None:
        (self.folder / "open").touch()

    def __call__(self, value: Any) -> Any:
        (self.folder / f"{os.getpid()}-{uuid.uuid4().hex}").touch()
        while not (self.folder / "open").exists():
            time.sleep(0.01)
        return value

    @property
    def held_up(self) -> list[int]:
        """The process of each task that came by."""
        return [int(path.name.partition("-")[0]) for path in self.folder.iterdir() if path.name != "open"]


def wait_for(condition: Any, patience: float = 60) -> Any:
    """Return the first true answer."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        answer = condition()
        if answer:
            return answer
        time.sleep(0.02)
    raise AssertionError("it never came true")
