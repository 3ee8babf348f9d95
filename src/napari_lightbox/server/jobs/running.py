"""A job while it runs: how far it is, told to whoever listens and now and then to the table."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from napari_lightbox.engine.control import Control
from napari_lightbox.server.jobs.events import Event
from napari_lightbox.server.jobs.job import Job
from napari_lightbox.server.jobs.needs import Needs

if TYPE_CHECKING:
    from napari_lightbox.server.services import Services

EVERY = 0.5


class Running:
    """A job that runs.

    Parameters
    ----------
    job, needs
        What runs, and what it reads.
    services
        Where it is told how far it is.
    """

    def __init__(self, job: Job, needs: Needs, services: Services) -> None:
        self.job = job
        self.needs = needs
        self.control = Control(self._reported)
        self.deleted = False
        self._services = services
        self._fraction = 0.0
        self._message = ""
        # the table knows already that it began
        self._saved = time.monotonic()
        self._lock = threading.Lock()

    def latest(self, job: Job) -> Job:
        """Return the job as it is now."""
        with self._lock:
            return replace(job, status="running", fraction=self._fraction, message=self._message)

    def _reported(self, fraction: float, message: str) -> None:
        with self._lock:
            # lanes report side by side; what was done stays done
            self._fraction = max(self._fraction, fraction)
            self._message = message or self._message
            now = time.monotonic()
            saving = now - self._saved > EVERY
            if saving:
                self._saved = now
            latest = replace(self.job, status="running", fraction=self._fraction, message=self._message)
        self._services.events.publish(self.job.id, Event("state", latest.card()))
        if saving:
            self._services.table.update(self.job.id, fraction=latest.fraction, message=latest.message)
