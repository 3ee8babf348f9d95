"""Jobs that wait and jobs that run: the urgent ones first, the old ones before the new, nobody more than a share."""

from __future__ import annotations

import logging
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from napari_lightbox.errors import BusyError, CancelledError, GoneError, QuotaError, ServerError
from napari_lightbox.server.jobs.events import Event
from napari_lightbox.server.jobs.job import Job
from napari_lightbox.server.jobs.needs import Needs, needs_of
from napari_lightbox.server.jobs.running import Running
from napari_lightbox.server.jobs.work import run_job
from napari_lightbox.wire import decode_error, encode_error

if TYPE_CHECKING:
    from napari_lightbox.server.services import Services

MOST_ATTEMPTS = 3
_log = logging.getLogger(__name__)


class JobQueue:
    """Threads that run jobs.

    Parameters
    ----------
    services
        Everything jobs need.
    workers
        Jobs that run at once.
    share
        Jobs of one owner that run at once.
    clock
        Seconds since 1970.
    """

    def __init__(self, services: Services, workers: int = 4, share: int = 3, clock: Callable[[], float] = time.time) -> None:
        self._services = services
        self._share = share
        self._clock = clock
        self._waiting: dict[str, tuple[Job, Needs]] = {}
        self._running: dict[str, Running] = {}
        self._changed = threading.Condition()
        self._closing = False
        self._threads = [threading.Thread(target=self._work, name=f"lightbox-job-{n}", daemon=True) for n in range(workers)]

    def start(self) -> None:
        """Go on with what a server before has left, and take new jobs."""
        unfinished = self._services.table.unfinished()
        self._services.tidy_work({job.id for job in unfinished})
        for job in unfinished:
            self._take_up(job)
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Stop; jobs that run are left for the next start."""
        with self._changed:
            self._closing = True
            for running in self._running.values():
                running.control.cancel()
            self._changed.notify_all()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    def submit(self, body: Mapping[str, Any], owner: str) -> Job:
        """Take a job; one with the same owner and key as before is the one from before.

        Raises
        ------
        QuotaError
            The owner has as many unfinished jobs as one may have.
        UnknownTechniqueError, NotFoundError, WireError
            It cannot be run.
        """
        table, key = self._services.table, body.get("key")
        known = None if key is None else table.by_key(owner, key)
        if known is not None:
            return known
        most = self._services.config.limits.jobs
        if table.count_unfinished(owner) >= most:
            raise QuotaError("jobs", f"of {owner} that are not finished are {most} already", "Wait, or cancel some")
        job = Job(
            id=secrets.token_hex(16),
            owner=owner,
            request=body["request"],
            key=key,
            first=body.get("first"),
            priority=int(body.get("priority", 5)),
            created=self._clock(),
        )
        needs = needs_of(job, self._services)
        added = table.add(job)
        if added.id == job.id:
            self._enter(job, needs)
        return added

    def get(self, job_id: str) -> Job:
        """Return a job as it is now.

        Raises
        ------
        NotFoundError
            There is none of this name.
        GoneError
            Its lease is over.
        """
        job = self.latest(self._services.table.get(job_id))
        if job.gone:
            raise GoneError("job", "was kept until its lease was over", "Run it again")
        return job

    def latest(self, job: Job) -> Job:
        """Return a job with what the table does not know yet."""
        with self._changed:
            running = self._running.get(job.id)
        return job if running is None or job.is_over else running.latest(job)

    def outputs(self, job_id: str) -> dict[str, Any]:
        """Return what a job gives, as the protocol tells it.

        Raises
        ------
        BusyError
            It is not known yet what it will be.
        LightboxError
            What went wrong with the job.
        """
        job = self.get(job_id)
        if job.status == "failed":
            raise decode_error(job.error)
        if job.status == "cancelled":
            raise CancelledError("job", "was cancelled", "Run it again")
        if job.outputs is None:
            raise BusyError("outputs", "are not known yet", "Ask again in a moment")
        return job.gives()

    def cancel(self, job_id: str) -> None:
        """Stop a job; one that is over stays as it is."""
        with self._changed:
            waiting = self._waiting.pop(job_id, None)
            running = self._running.get(job_id)
        if running is not None:
            running.control.cancel()
        if waiting is not None:
            self._end(waiting[0], "cancelled")

    def delete(self, job_id: str) -> None:
        """Forget a job and free what it holds; one that runs is stopped first."""
        self.cancel(job_id)
        with self._changed:
            running = self._running.get(job_id)
            if running is not None:
                running.deleted = True
                return
        self._remove(job_id)

    def keep(self, job_id: str) -> Job:
        """Keep the results of a job for another lease."""
        self.get(job_id)
        return self._services.leases.keep(job_id)

    def needed(self) -> set[str]:
        """Return the jobs whose results others still read."""
        with self._changed:
            needs = [needs for _, needs in self._waiting.values()] + [running.needs for running in self._running.values()]
        return set().union(*(n.jobs for n in needs))

    def _take_up(self, job: Job) -> None:
        if job.attempts >= MOST_ATTEMPTS:
            broken = ServerError("job", f"has ended the server {job.attempts} times", "Look into the log of the server")
            self._end(job, "failed", broken)
            return
        try:
            needs = needs_of(job, self._services)
        except Exception as error:  # noqa: BLE001 - an old job must not keep the server from starting
            self._end(job, "failed", error)
            return
        self._enter(self._services.table.update(job.id, status="queued"), needs)

    def _enter(self, job: Job, needs: Needs) -> None:
        for source in needs.sources:
            self._services.sources.pin(source, _holder(job))
        if job.first is not None:
            self._services.wishes.first(job.id, job.first)
        with self._changed:
            self._waiting[job.id] = (job, needs)
            self._changed.notify()

    def _work(self) -> None:
        while (running := self._next()) is not None:
            try:
                self._run(running)
            except Exception:  # noqa: BLE001 - the thread goes on with other jobs
                _log.exception("a job could not be ended")
            finally:
                with self._changed:
                    del self._running[running.job.id]
                    self._changed.notify_all()
                if running.deleted:
                    self._remove(running.job.id)

    def _next(self) -> Running | None:
        """Wait for a job that may run."""
        with self._changed:
            while not self._closing:
                fitting = [job for job, needs in self._waiting.values() if self._may_run(job, needs)]
                if fitting:
                    first = min(fitting, key=lambda job: (job.priority, job.created, job.id))
                    _, needs = self._waiting.pop(first.id)
                    self._running[first.id] = running = Running(first, needs, self._services)
                    return running
                self._changed.wait()
        return None

    def _may_run(self, job: Job, needs: Needs) -> bool:
        # a job that waits for the chunks of one that waits for a thread would wait for ever
        if any(other in self._waiting for other in needs.jobs):
            return False
        return sum(running.job.owner == job.owner for running in self._running.values()) < self._share

    def _run(self, running: Running) -> None:
        job, table = running.job, self._services.table
        job = table.update(job.id, status="running", started=self._clock(), attempts=job.attempts + 1)
        self._tell(job)
        try:
            running.control.check()
            run_job(job, self._services, running.control)
        except CancelledError as error:
            if self._closing and not running.deleted:
                # an orderly stop is no failed attempt
                table.update(job.id, attempts=0)
                return
            if running.control.cancelled:
                self._end(job, "cancelled")
            else:
                self._end(job, "failed", error)
        except BaseException as error:  # noqa: BLE001 - whatever happens belongs to the job
            _log.warning("job %s failed", job.id, exc_info=True)
            self._end(job, "failed", error)
        else:
            self._end(job, "done")

    def _end(self, job: Job, status: str, error: BaseException | None = None) -> None:
        """Write down how a job ended, and give back what it no longer needs."""
        services, now = self._services, self._clock()
        services.arrivals.forget(job.id)
        services.wishes.close(job.id)
        services.sources.unpin(_holder(job))
        shutil.rmtree(services.work / job.id, ignore_errors=True)
        changes: dict[str, Any] = {"status": status, "finished": now, "lease_until": now + services.config.limits.lease}
        if status == "done":
            changes |= {"fraction": 1.0}
        else:
            services.results.delete(job.id)
            changes |= {"outputs": None, "error": None if error is None else encode_error(error)}
            changes |= {} if error is None else {"message": str(error)}
        ended = services.table.update(job.id, **changes)
        services.leases.began(job.id)
        services.audit.write("finished", owner=job.owner, job=job.id, technique=job.technique, status=status)
        self._tell(ended)

    def _remove(self, job_id: str) -> None:
        self._services.results.delete(job_id)
        self._services.table.delete(job_id)
        self._services.leases.forget(job_id)

    def _tell(self, job: Job) -> None:
        self._services.events.publish(job.id, Event("state", job.card()))


def _holder(job: Job) -> str:
    return f"job-{job.id}"
