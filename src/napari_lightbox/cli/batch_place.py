"""Where the files of a batch are worked on: threads here, a server, or the workers of a cluster."""

from __future__ import annotations

from typing import Protocol

from napari_lightbox.cli.batch_file import FileTask
from napari_lightbox.io.batch_report import Entry

POLL_SECONDS = 0.1


class Place(Protocol):
    """Works on several files side by side; used from one thread."""

    def free(self) -> int:
        """Return how many more files may start now."""

    def start(self, task: FileTask) -> None:
        """Begin with a file, and return at once."""

    def finished(self) -> list[tuple[FileTask, Entry]]:
        """Return the files that are done since the last call; waits a moment when there are none.

        Raises
        ------
        LightboxError
            The place itself failed.
        """

    def under_way(self) -> float:
        """Return how much of the files that are not finished is done: the sum of their fractions."""

    def stop(self) -> None:
        """Give up what is not finished."""
