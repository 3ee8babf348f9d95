"""Split one large array over threads for kernels that release the GIL."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor


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
    """
    workers = max(1, min(os.cpu_count() or 1, length // max(least, 1)))
    if workers == 1:
        work(0, length)
        return
    edges = [length * i // workers for i in range(workers + 1)]
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, edges[:-1], edges[1:]))
