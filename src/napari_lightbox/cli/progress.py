"""A progress bar on stderr, for anything that takes over a second."""

from __future__ import annotations

import sys
import time
from typing import TextIO

_WIDTH = 30
_PATIENCE = 1.0
_INTERVAL = 0.1


class ProgressBar:
    """Draws nothing in the first second, then one line that is redrawn in place; silent when stderr is a file."""

    def __init__(self, title: str, stream: TextIO | None = None) -> None:
        self._title = title
        self._stream = stream if stream is not None else sys.stderr
        self._start = time.monotonic()
        self._last = 0.0
        self._drawn = 0

    def update(self, fraction: float, message: str = "") -> None:
        """Show how much is done, 0 to 1."""
        now = time.monotonic()
        if not self._stream.isatty() or now - self._start < _PATIENCE or now - self._last < _INTERVAL:
            return
        self._last = now
        done = min(max(fraction, 0.0), 1.0)
        filled = round(done * _WIDTH)
        left = f" {in_words((now - self._start) * (1 - done) / done)} left" if done > 0.002 else ""
        line = f"{self._title} [{'#' * filled}{'.' * (_WIDTH - filled)}] {done:4.0%}{left} {message}"
        self._stream.write("\r" + line.ljust(self._drawn))
        self._stream.flush()
        self._drawn = len(line)

    def close(self) -> None:
        """Take the bar away."""
        if self._drawn:
            self._stream.write("\r" + " " * self._drawn + "\r")
            self._stream.flush()
            self._drawn = 0


def in_words(seconds: float) -> str:
    """Return a time in the unit that suits it."""
    if seconds < 100:
        return f"{seconds:4.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes:4d} min" if minutes < 100 else f"{minutes // 60:d} h {minutes % 60:02d} min"
