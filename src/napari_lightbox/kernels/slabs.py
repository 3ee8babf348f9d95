"""Split one large array over threads for kernels that release the GIL."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise

_PROCESSORS = os.cpu_count() or 1
_here = threading.local()


def run_slabs(work: Callable[[int, int], None], length: int, least: int = 1) -> None:
    """Call ``work(start, stop)`` on consecutive ranges that cover ``range(length)``, one per processor.

    Parameters
    ----------
    work
        Writes its own part of a shared output; must release the GIL to gain anything.
    length
        Number of items.
    least
        Fewest items worth a thread of their own.

    Notes
    -----
    Within a range of another call nothing is split further: the processors are shared out already.
    """
    own, *others = pairwise(slab_edges(length, least))
    if not others or getattr(_here, "shared_out", False):
        work(0, length)
        return
    waiting = [(_threads().submit(_range, work, slab), slab) for slab in others]
    try:
        _range(work, own)
    finally:
        for future, slab in waiting:
            # what no thread has begun is done here: callers that are themselves such threads never wait for each other
            if future.cancel():
                _range(work, slab)
            else:
                future.result()


def _range(work: Callable[[int, int], None], slab: tuple[int, int]) -> None:
    _here.shared_out = True
    try:
        work(*slab)
    finally:
        _here.shared_out = False


def slab_edges(length: int, least: int = 1) -> list[int]:
    """Return the borders of the ranges that `run_slabs` makes."""
    workers = max(1, min(_PROCESSORS, length // max(least, 1)))
    return [length * i // workers for i in range(workers + 1)]


def limit_threads(count: int) -> None:
    """Share arrays out between at most so many threads; for a process that has not shared out anything yet."""
    global _PROCESSORS
    _PROCESSORS = max(1, count)


@cache
def _threads() -> ThreadPoolExecutor:
    # starting threads anew costs more than many a slab takes
    return ThreadPoolExecutor(_PROCESSORS, thread_name_prefix="slab")
