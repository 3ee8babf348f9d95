"""Compute graphs on a cluster."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import wait
from types import NoneType
from typing import Any

from distributed import Client, Future

from napari_lightbox.engine.control import Control
from napari_lightbox.engine.schedule import Span
from napari_lightbox.server.cluster.failures import check_open, cut_off, explained
from napari_lightbox.server.cluster.progress import Progress
from napari_lightbox.server.cluster.submission import PATIENCE_SECONDS, Submission

USUAL_PRIORITY = 5


class DistributedScheduler:
    """The workers of a cluster, as `engine.schedule.Scheduler`.

    A lost worker costs the time to compute again what it had.

    Parameters
    ----------
    client
        The cluster.
    priority
        From 0, which comes first, to 9.
    """

    def __init__(self, client: Client, priority: int = USUAL_PRIORITY) -> None:
        self.client = client
        self.priority = priority

    def at(self, priority: int) -> DistributedScheduler:
        """Return the same workers with another priority, from 0, which comes first, to 9."""
        return DistributedScheduler(self.client, priority)

    def get(
        self, graph: Mapping[Any, Any], keys: Sequence[Any], control: Control, span: Span = (0.0, 1.0), message: str = ""
    ) -> list[Any]:
        """Return the values of some keys of a graph.

        Raises
        ------
        Exception
            What a task raised.
        ServerError
            The cluster failed; the message says what to do.
        CancelledError
            Somebody asked to stop; workers finish the tasks they are at and begin no other.
        """
        values: dict[Any, Any] = {}
        with Submission(self.client, graph, keys, -self.priority) as submission:
            progress = Progress(self.client, submission.tasks, len(submission.keys), control, span, message)
            for done in submission.finished(control):
                values.update(self._taken(submission, done, control))
                progress.tell(len(values))
        return [values[key] for key in keys]

    def _taken(self, submission: Submission, done: list[Future], control: Control) -> dict[Any, Any]:
        """Return the values of finished futures by their keys, and let the workers forget them."""
        # what was computed for what it does has no value worth a journey; the news of its end tell so
        fetched = [future for future in done if future.type is not NoneType]
        values = {submission.keys[future.key]: None for future in done}
        values.update(zip((submission.keys[f.key] for f in fetched), self._fetched(fetched, control), strict=True))
        for future in done:
            future.release()
        return values

    def _fetched(self, done: list[Future], control: Control) -> list[Any]:
        if not done:
            return []
        coming = asyncio.run_coroutine_threadsafe(self.client.gather(done, asynchronous=True), self.client.loop.asyncio_loop)
        # a stop leaves the transfer alone: dask joins those of several runs into one
        while not wait([coming], PATIENCE_SECONDS).done:
            control.check()
            check_open(self.client)
        error = cut_off() if coming.cancelled() else coming.exception()
        if error is not None:
            raise explained(error)
        values: list[Any] = coming.result()
        return values
