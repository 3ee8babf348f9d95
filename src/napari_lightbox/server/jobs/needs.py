"""What a job reads: looked up when it is taken, so that what cannot be run is refused at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from napari_lightbox.errors import NotFoundError
from napari_lightbox.server.jobs.job import Job
from napari_lightbox.server.jobs.rebuild import Inputs, check

if TYPE_CHECKING:
    from napari_lightbox.server.services import Services


@dataclass
class Needs:
    """Sources that a job reads, and other jobs whose results it reads."""

    sources: set[str] = field(default_factory=set)
    jobs: set[str] = field(default_factory=set)


def needs_of(job: Job, services: Services) -> Needs:
    """Return what a job reads.

    Raises
    ------
    UnknownTechniqueError, NotFoundError, WireError
        It cannot be run, or reads what belongs to somebody else.
    """
    needs, inputs = Needs(), Inputs(job.id, services, {})

    def get(reference: str) -> Any:
        array = inputs(reference)
        kind, _, name = reference.partition(":")
        if kind == "source":
            _check_owner(job.owner in services.sources.owners(name), job, services, reference)
            needs.sources.add(name)
        if kind == "array":
            result = services.results.open(name)
            _check_owner(job.owner == result.owner, job, services, reference)
            needs.jobs.add(result.job)
        return array

    check(job.request, get)
    return needs


def _check_owner(own: bool, job: Job, services: Services, reference: str) -> None:
    if not own and not services.config.is_admin(job.owner):
        raise NotFoundError("request", f"refers to {reference[:40]!r}, which is not there", "Send the array again")
