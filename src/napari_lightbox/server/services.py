"""Everything a server works with, in one value; the order in which it begins and ends."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from napari_lightbox.engine.remembered import Remembered
from napari_lightbox.engine.schedule import Scheduler
from napari_lightbox.server.audit import Audit
from napari_lightbox.server.config import ServerConfig
from napari_lightbox.server.jobs.arrivals import Arrivals
from napari_lightbox.server.jobs.events import Event, Events
from napari_lightbox.server.jobs.held import Held
from napari_lightbox.server.jobs.leases import Leases
from napari_lightbox.server.jobs.paces import KINDS
from napari_lightbox.server.jobs.queue import JobQueue
from napari_lightbox.server.jobs.staged import ROOM
from napari_lightbox.server.jobs.table import JobTable
from napari_lightbox.server.jobs.this_process import ThisProcess
from napari_lightbox.server.jobs.wishes import Wishes
from napari_lightbox.server.sessions import Sessions
from napari_lightbox.server.store.disk import Disk
from napari_lightbox.server.store.objects import Objects
from napari_lightbox.server.store.placing import private_folder
from napari_lightbox.server.store.references import References
from napari_lightbox.server.store.results import Results
from napari_lightbox.server.store.sources import Sources

if TYPE_CHECKING:
    from napari_lightbox.server.cluster.start import Cluster

SOON = 60.0


@dataclass
class Services:
    """What routes and jobs share.

    Parameters
    ----------
    config
        How the server is set up.
    cluster
        Who computes.
    work
        Folder for small files of jobs that run.
    room
        Bytes of chunks that one job asks for at once.
    """

    config: ServerConfig
    cluster: Cluster | ThisProcess
    disk: Disk
    objects: Objects
    sources: Sources
    references: References
    results: Results
    table: JobTable
    events: Events
    arrivals: Arrivals
    held: Held
    wishes: Wishes
    paces: Remembered
    sessions: Sessions
    audit: Audit
    work: Path
    room: int
    queue: JobQueue
    leases: Leases

    @property
    def threads(self) -> int:
        """Threads of all workers together."""
        return max(1, self.cluster.threads())

    def scheduler(self, priority: int) -> Scheduler:
        """Return who computes the tasks of a job."""
        return self.cluster.scheduler.at(priority)

    def present(self, job_id: str) -> Sequence[Event]:
        """Return the events that tell a new listener where a job stands."""
        job = self.queue.latest(self.table.get(job_id))
        self.arrivals.seen(job_id)
        told = [] if job.outputs is None else [Event("outputs", job.gives())]
        return [Event("state", job.card()), *self.arrivals.wanted(job_id), *told]

    def sweep_objects(self) -> None:
        """Free the bytes of chunks that no source names any more."""
        # found before it looks: what comes in meanwhile is younger than the time of grace
        self.objects.sweep(self.sources.in_use(), SOON)

    def tidy_work(self, unfinished: Collection[str]) -> None:
        """Remove what jobs that are over left behind."""
        for folder in self.work.iterdir():
            if folder.name not in unfinished:
                shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        """End everything; jobs that run are left for the next start."""
        self.leases.close()
        self.queue.close()
        self.results.close()
        self.table.close()
        self.audit.close()


def open_services(
    config: ServerConfig,
    cluster: Cluster | None = None,
    *,
    workers: int = 4,
    share: int = 3,
    room: int = ROOM,
    clock: Callable[[], float] = time.time,
    ticks: Callable[[], float] = time.monotonic,
) -> Services:
    """Open the folder of a server, and go on with the jobs that are not finished.

    Parameters
    ----------
    config
        How the server is set up.
    cluster
        Who computes; None stands for the threads of this process.
    workers, share
        Jobs that run at once, of all owners and of one.
    room
        Bytes of chunks that one job asks for at once.
    clock, ticks
        Seconds since 1970, and seconds that only go forward.
    """
    limits, folder = config.limits, private_folder(Path(config.folder))
    disk = Disk(folder, limits.least_free, limits.quota)
    objects = Objects(folder / "objects")
    sources = Sources(folder / "sources", objects, disk)
    # in a list, since what is made here knows the whole that is made of it
    whole: list[Services] = []
    events = Events(lambda job_id: whole[0].present(job_id))
    services = Services(
        config=config,
        cluster=ThisProcess() if cluster is None else cluster,
        disk=disk,
        objects=objects,
        sources=sources,
        references=References(config.roots, config.hosts, folder),
        results=Results(folder / "results", disk),
        table=JobTable(folder / "jobs.sqlite"),
        events=events,
        arrivals=Arrivals(sources, events, limits.session_dead, ticks),
        held=Held(sources, disk, room, lambda: whole[0].sweep_objects()),
        wishes=Wishes(),
        paces=Remembered(KINDS),
        sessions=Sessions(sources, limits.session_idle, limits.session_dead, ticks),
        audit=Audit(folder, config.tokens.values()),
        work=private_folder(folder / "work"),
        room=room,
        queue=None,  # type: ignore[arg-type]
        leases=None,  # type: ignore[arg-type]
    )
    services.queue, services.leases = JobQueue(services, workers, share, clock), Leases(services, clock)
    whole.append(services)
    services.queue.start()
    services.leases.start()
    return services
