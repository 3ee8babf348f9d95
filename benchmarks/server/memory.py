"""Peak memory of a process and its children: sampled, and as the kernel's own high-water marks."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

STEP = 0.01
LOOK_FOR_CHILDREN = 0.5


def tree(pid: int) -> list[psutil.Process]:
    """Return a process and all processes below it."""
    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def resident(processes: Iterable[psutil.Process]) -> int:
    """Return the memory of some processes together, without those that ended meanwhile."""
    total = 0
    for process in processes:
        try:
            total += process.memory_info().rss
        except psutil.Error:
            continue
    return total


class PeakMemory:
    """Watches a process and its children between two moments.

    `peak` is their resident memory together, sampled every hundredth of a second; `high` is the sum of what each of them held at
    most (VmHWM), not necessarily at the same moment.

    Parameters
    ----------
    pid
        The process at the top.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.peak = self.high = 0

    @property
    def most(self) -> int:
        """The larger one of both ways to measure it."""
        return max(self.peak, self.high)

    def __enter__(self) -> Self:
        """Begin."""
        processes = tree(self._pid)
        for process in processes:
            _forget_high_water(process.pid)
        self.peak = resident(processes)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        """End."""
        self._over.set()
        self._thread.join()
        self.high = sum(_high_water(process.pid) for process in tree(self._pid))

    def _watch(self) -> None:
        processes, looked = tree(self._pid), time.monotonic()
        while not self._over.wait(STEP):
            if time.monotonic() - looked > LOOK_FOR_CHILDREN:
                processes, looked = tree(self._pid), time.monotonic()
            self.peak = max(self.peak, resident(processes))


def _forget_high_water(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def _high_water(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0
