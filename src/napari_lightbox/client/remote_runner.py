"""The remote runner: the same protocol as the local one, the work done by a server."""

from __future__ import annotations

import threading
import time
import weakref
from typing import Any, Self

from napari_lightbox.axes import Geometry, Volume, guess_axes
from napari_lightbox.client.answers import JobCard, JobList, asked_id, field, identity, mapping
from napari_lightbox.client.applying import apply_with
from napari_lightbox.client.connection import Connection
from napari_lightbox.client.link import Link
from napari_lightbox.client.reference import reference_array
from napari_lightbox.client.remote_job import RemoteJob
from napari_lightbox.contract import Technique, registry
from napari_lightbox.engine.local import LocalJob, LocalRunner
from napari_lightbox.engine.request import Region, Request
from napari_lightbox.errors import UnknownTechniqueError
from napari_lightbox.wire import ArrayCard

_LAST_WAIT = 5.0


class RemoteRunner:
    """Runs requests on a server; results of lazy inputs stay there until somebody looks at them.

    Previews are computed here, since they need a small part of the image only.

    Parameters
    ----------
    connection
        Way to the server.

    Raises
    ------
    LightboxError
        Nobody answers there, or it does not let us in.
    """

    def __init__(self, connection: Connection) -> None:
        self.url = connection.url
        self.greeting = connection.greet()
        self._link = Link(connection)
        self._local = LocalRunner(workers=1)
        self._jobs: weakref.WeakValueDictionary[int, RemoteJob] = weakref.WeakValueDictionary()
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        """Return where it leads."""
        return f"RemoteRunner({self.url!r})"

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def submit(
        self, request: Request, *, first: Region | None = None, priority: int = 5, lazy: bool | None = None
    ) -> RemoteJob | LocalJob:
        """Start a run and return at once.

        Parameters
        ----------
        request
            What to run.
        first
            Part of the main output that is wanted first, such as the visible slice.
        priority
            0 runs before 9.
        lazy
            Whether pixels stay on the server until somebody looks at them; by default where an input is lazy.
        """
        if request.preview and _is_known_here(request.technique):
            return self._local.submit(request)
        return self._follow(RemoteJob(self._link, request, first=first, priority=priority, lazy=lazy))

    def attach(self, job_id: str, *, lazy: bool = True) -> RemoteJob:
        """Return a job that the server has already, from this process or another one.

        What it still wants of lazy inputs can only be sent by the process that holds them.

        Parameters
        ----------
        job_id
            Its name on the server.
        lazy
            Whether its result stays on the server until somebody looks at it.
        """
        with self._lock:
            mine = next((job for job in self._jobs.values() if job.id == job_id and not job.is_over), None)
        if mine is not None:
            return mine
        job = RemoteJob(self._link, Request("", ()), id=asked_id(job_id), lazy=lazy)
        return self._follow(job)

    def card(self, job_id: str) -> JobCard:
        """Return how far a job is."""
        return JobCard.from_json(self._link.connection.get(f"/v1/jobs/{asked_id(job_id)}"))

    def jobs(self, patience: float | None = None) -> list[JobCard]:
        """Return the jobs that the server keeps for us, oldest first."""
        return list(JobList.from_json(self._link.connection.get("/v1/jobs", patience=patience)).cards)

    def newest_jobs(self, most: int, patience: float | None = None) -> JobList:
        """Return the newest jobs that the server keeps for us with all that are not over, and how many older ones there are."""
        return JobList.from_json(self._link.connection.get(f"/v1/jobs?most={most:d}", patience=patience))

    def cancel(self, job_id: str) -> JobCard:
        """Stop a job at the next chunk boundary."""
        return JobCard.from_json(self._link.connection.post(f"/v1/jobs/{asked_id(job_id)}/cancel"))

    def delete(self, job_id: str) -> None:
        """Stop a job and free its results."""
        self._link.connection.delete(f"/v1/jobs/{asked_id(job_id)}")

    def techniques(self) -> list[dict[str, Any]]:
        """Return the contracts of all techniques of the server."""
        return field(self._link.connection.get("/v1/techniques"), "techniques", list)

    def find(self, family: str | None = None, kind: str | None = None) -> list[Technique]:
        """Return the techniques that both sides have, sorted by family and title."""
        there = {entry.get("id") for entry in self.techniques() if isinstance(entry, dict)}
        return [technique for technique in registry.find(family, kind) if technique.id in there]

    def cluster(self, patience: float | None = None) -> dict[str, Any]:
        """Return the workers of the server, how many jobs wait, and how full its disk is."""
        return mapping(self._link.connection.get("/v1/cluster", patience=patience))

    def open(self, location: str) -> Volume:
        """Return a volume that the server reads itself: a path under one of its folders, or the address of an OME-Zarr.

        No value of it comes here; use it as an input.

        Raises
        ------
        AccessError
            The server may not read from there.
        """
        answer = self._link.connection.post("/v1/references", {"location": location})
        card = ArrayCard.from_json(field(answer, "card", dict))
        array = reference_array(self._link, identity(field(answer, "id", str)), card, location)
        told = answer.get("geometry")
        geometry = Geometry.of(guess_axes(card.shape), card.shape) if told is None else Geometry.from_json(told)
        return Volume(array, geometry, {"source": location}, "labels" if answer.get("role") == "labels" else "image")

    def apply(
        self,
        id: str | Technique,  # noqa: A002
        *inputs: Any,
        axes: str | None = None,
        spacing: Any = None,
        mask: Any = None,
        over: str | None = None,
        compute: bool = False,
        **parameters: Any,
    ) -> Any:
        """Run a technique on the server; takes and returns what `lb.apply` does."""
        technique = id if isinstance(id, Technique) else registry.get(id)
        return apply_with(
            self.submit, technique, inputs, parameters, axes=axes, spacing=spacing, mask=mask, over=over, compute=compute
        )

    def close(self, *, keep: bool = False) -> None:
        """Cancel what is running and free everything.

        Parameters
        ----------
        keep
            Let the server go on with what it has; `attach` finds it again.
        """
        jobs = [job for job in list(self._jobs.values()) if not job.is_over]
        for job in jobs:
            if keep:
                job.leave()
            else:
                job.cancel()
        end = time.monotonic() + _LAST_WAIT
        for job in jobs:
            job.wait(max(end - time.monotonic(), 0.0))
        for job in jobs:
            job.leave()
        self._local.close()
        self._link.close()

    def _follow(self, job: RemoteJob) -> RemoteJob:
        with self._lock:
            self._jobs[id(job)] = job
        return job.start()


def _is_known_here(technique: str) -> bool:
    try:
        registry.get(technique)
    except UnknownTechniqueError:
        return False
    return True
