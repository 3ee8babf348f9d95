"""What a batch says while it runs: a line for each file, and how far it is."""

from __future__ import annotations

import sys
import time
from typing import Self

from napari_lightbox.cli.progress import ProgressBar
from napari_lightbox.io.batch_report import Entry


class Tally:
    """Counts files and shows them on stderr.

    Parameters
    ----------
    before, to_do
        How many files were finished before, and how many are to be done now.
    """

    def __init__(self, before: int, to_do: int) -> None:
        self._before = before
        self._to_do = to_do
        self._done = 0
        self._failed = 0
        self._start = time.monotonic()
        self._bar = ProgressBar("batch")

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Take the bar away."""
        self._bar.close()

    def add(self, source: str, entry: Entry) -> None:
        """Say how a file went."""
        self._done += 1
        self._failed += entry.status == "failed"
        self._bar.close()
        place = f"[{self._before + self._done}/{self._before + self._to_do}]"
        words = entry.message.removeprefix(f"{source}: ") or f"{entry.seconds:.1f} s"
        print(f"{place} {source}: {words}", file=sys.stderr)

    def show(self, under_way: float) -> None:
        """Draw the bar; `under_way` is how much of the unfinished files is done."""
        failed = f", {self._failed} failed" if self._failed else ""
        rate = in_words(self._done / max(time.monotonic() - self._start, 1e-9))
        self._bar.update((self._done + under_way) / self._to_do, f"{self._done} of {self._to_do} files{failed}{rate}")


def in_words(per_second: float) -> str:
    """Return how many files are done in which time, nothing when it is less than one in an hour."""
    for count, unit in ((per_second, "s"), (per_second * 60, "min"), (per_second * 3600, "h")):
        if count >= 1:
            return f", {count:.{0 if count >= 10 else 1}f}/{unit}"
    return ""
