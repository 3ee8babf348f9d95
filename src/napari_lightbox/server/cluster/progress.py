"""How far the tasks of a graph are."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

from distributed import Client
from distributed.utils import key_split_group

from napari_lightbox.engine.control import Control
from napari_lightbox.engine.schedule import Span
from napari_lightbox.server.cluster.on_scheduler import tasks_left

EVERY_SECONDS = 0.5


class Progress:
    """Tells a control which part of a graph is done.

    Only wanted keys are heard of when they finish, so the scheduler is asked for the tasks behind them now and then.

    Parameters
    ----------
    client, tasks, keys
        The cluster, what it computes, and how many keys of that are wanted.
    control, span, message
        Whom to tell, between which fractions, in which words.
    """

    def __init__(
        self, client: Client, tasks: Mapping[Any, Any], keys: int, control: Control, span: Span = (0.0, 1.0), message: str = ""
    ) -> None:
        self._client = client
        self._groups = sorted({key_split_group(key) for key in tasks})
        self._keys = keys
        self._total = self._left = max(len(tasks), 1)
        self._control = control
        self._span = span
        self._message = message
        self._most = 0.0
        self._question: Future[int | None] | None = None
        self._next = time.monotonic() + EVERY_SECONDS

    def tell(self, done: int) -> None:
        """Report, with so many of the wanted keys done."""
        left = self._keys - done
        if left and self._total > self._keys:
            self._ask()
            left = max(left, self._left)
        self._most = max(self._most, 1 - left / self._total)
        begin, end = self._span
        self._control.report(begin + (end - begin) * self._most, self._message)

    def _ask(self) -> None:
        question = self._question
        if question is not None and question.done():
            self._question = None
            if not question.cancelled() and question.exception() is None and (answer := question.result()) is not None:
                self._left = min(answer, self._total)
        if self._question is None and time.monotonic() >= self._next:
            self._next = time.monotonic() + EVERY_SECONDS
            asking = self._client.run_on_scheduler(tasks_left, self._groups, asynchronous=True)
            self._question = asyncio.run_coroutine_threadsafe(asking, self._client.loop.asyncio_loop)
