"""napari's dask cache, kept whole while others compute.

napari enters its cache while it draws a lazy layer, and dask hands what is entered to whichever computation begins next, in any
thread. The cache knows the state of one computation only: with two at once one of them ends in a `KeyError`
(https://github.com/dask/dask/issues/10396).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache, partial
from typing import Any

from dask.callbacks import Callback
from napari.utils import resize_dask_cache

_HOOKS = ("_start", "_pretask", "_posttask", "_finish")


@cache
def keep_drawing_cache_whole() -> None:
    """Have napari's cache serve one computation at a time from now on."""
    one_at_a_time(resize_dask_cache())


def one_at_a_time(callback: Callback) -> None:
    """Have a dask callback hear of one computation until it ends; others that begin meanwhile go on without it."""
    turn = _Turn()
    for name in _HOOKS:
        setattr(callback, name, partial(turn.call, name, getattr(callback, name)))


class _Turn:
    """Which thread's computation is heard; dask calls all hooks of a computation in the thread that asked for it."""

    def __init__(self) -> None:
        self._thread: int | None = None
        self._lock = threading.Lock()

    def call(self, name: str, hook: Callable[..., Any], *arguments: Any) -> None:
        me = threading.get_ident()
        with self._lock:
            if name == "_start" and self._thread is None:
                self._thread = me
            if self._thread != me:
                return
        hook(*arguments)
        if name == "_finish":
            with self._lock:
                self._thread = None
