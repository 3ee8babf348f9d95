"""How long results live: until nobody has looked at them for the length of a lease."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from napari_lightbox.server.jobs.job import Job

if TYPE_CHECKING:
    from napari_lightbox.server.services import Services

REMEMBERED = 7 * 24 * 3600.0
_SELDOM = 60.0
_log = logging.getLogger(__name__)


class Leases:
    """Gives back what nobody needs any more.

    Parameters
    ----------
    services
        Where it lies.
    clock
        Seconds since 1970.
    every
        Seconds between two looks.
    """

    def __init__(self, services: Services, clock: Callable[[], float] = time.time, every: float = 30.0) -> None:
        self._services = services
        self._clock = clock
        self._every = every
        self._touched: dict[str, float] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="lightbox-leases", daemon=True)

    def start(self) -> None:
        """Look every now and then."""
        self._thread.start()

    def close(self) -> None:
        """Look no more."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()

    def keep(self, job_id: str) -> Job:
        """Begin the lease of a finished job anew."""
        self.began(job_id)
        job = self._services.table.get(job_id)
        if not job.is_over or job.gone:
            return job
        return self._services.table.update(job_id, lease_until=self._clock() + self._services.config.limits.lease)

    def began(self, job_id: str) -> None:
        """Note that the lease of a job has just begun."""
        self._touched[job_id] = self._clock()

    def forget(self, job_id: str) -> None:
        """Note nothing more of a job that was deleted."""
        self._touched.pop(job_id, None)

    def touched(self, job_id: str) -> None:
        """Note that somebody reads the results of a job; cheap enough for every chunk."""
        if self._clock() - self._touched.get(job_id, float("-inf")) > _SELDOM:
            self.keep(job_id)

    def sweep(self) -> None:
        """Give back results, sessions and chunks whose time is over."""
        services, now = self._services, self._clock()
        needed = services.queue.needed()
        for job in services.table.expired(now):
            if job.id not in needed:
                services.results.delete(job.id)
                services.table.update(job.id, gone=True, outputs=None, lease_until=now + REMEMBERED)
                self.forget(job.id)
        for job in services.table.forgotten(now):
            services.table.delete(job.id)
        services.sessions.sweep()
        services.sources.expire(services.config.limits.session_idle)
        services.sweep_objects()

    def _work(self) -> None:
        while not self._stop.wait(self._every):
            try:
                self.sweep()
            except Exception:  # noqa: BLE001 - the next look may go well
                _log.exception("the sweep failed and is tried again")
