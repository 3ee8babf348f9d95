"""The runner of a cluster."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import dask.array as da
from distributed import Client

from napari_lightbox.axes import Volume
from napari_lightbox.engine.local import LocalJob, LocalRunner, execute
from napari_lightbox.engine.origins import measured
from napari_lightbox.engine.request import Request
from napari_lightbox.engine.runner import Outcome
from napari_lightbox.engine.schedule import computed_by
from napari_lightbox.engine.wrap import wrapped
from napari_lightbox.server.cluster.scheduler import USUAL_PRIORITY, DistributedScheduler


class DistributedJob(LocalJob):
    """A run that a thread of this process follows and workers compute."""

    def __init__(self, request: Request, scheduler: DistributedScheduler) -> None:
        super().__init__(request)
        self._scheduler = scheduler

    def run(self) -> Outcome:
        """Run the request in the calling thread, with its blocks on the workers."""
        with computed_by(self._scheduler):
            return execute(self._in_blocks(), self.control)

    def _in_blocks(self) -> Request:
        """Return the request with every image in chunks: what lies in memory would be computed here."""
        request = self.request
        if request.preview:
            return request
        inputs = tuple(_chunked(v) for v in measured(request.inputs, self.control))
        mask = _chunked(measured([request.mask], self.control)[0])
        return replace(request, inputs=inputs, mask=mask, lazy=request.lazy and any(map(_is_lazy, request.inputs)))


class DistributedRunner(LocalRunner):
    """Runs requests on a cluster, each followed by a thread; lazy results are computed by whoever reads them.

    Parameters
    ----------
    client
        The cluster.
    workers
        Runs that may be on their way at once.
    priority
        From 0, which comes first, to 9.
    """

    def __init__(self, client: Client, workers: int = 2, priority: int = USUAL_PRIORITY) -> None:
        super().__init__(workers)
        self._scheduler = DistributedScheduler(client, priority)

    def submit(self, request: Request) -> DistributedJob:
        """Start a run and return at once."""
        job = DistributedJob(request, self._scheduler)
        self._jobs = [j for j in self._jobs if j.status in ("queued", "running")] + [job]
        self._pool.submit(job.execute)
        return job


def _chunked(value: Any) -> Any:
    if isinstance(value, list):
        return [_chunked(v) for v in value]
    return wrapped(value) if isinstance(value, Volume) else value


def _is_lazy(value: Any) -> bool:
    return isinstance(value, Volume) and isinstance(value.data, da.Array)
