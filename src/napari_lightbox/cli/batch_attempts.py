"""How often work on a file of a batch was begun and not ended, kept where the death of a process cannot take it."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Attempts:
    """One byte in a file for each attempt that did not end; a disk that refuses counts as none.

    Parameters
    ----------
    path
        The file; it is there only while there is something to count.
    """

    path: Path

    def count(self) -> int:
        """Return how many attempts did not end."""
        with suppress(OSError):
            return self.path.stat().st_size
        return 0

    def begin(self) -> None:
        """Count an attempt, as one that will not end."""
        with suppress(OSError):
            file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                os.write(file, b".")
            finally:
                os.close(file)

    def end(self) -> None:
        """Forget all attempts: this one has ended."""
        with suppress(OSError):
            self.path.unlink(missing_ok=True)
