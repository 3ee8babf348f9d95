"""Jobs: submit, look after, cancel, take the outputs, delete."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from napari_lightbox.errors import BusyError
from napari_lightbox.server.deps import Address, Owner, OwnJob, Served
from napari_lightbox.server.faults import NotYetError
from napari_lightbox.server.jobs.job import Job
from napari_lightbox.server.limits import SMALL, declared_bytes
from napari_lightbox.server.messages import PlainJson, StrictRoute
from napari_lightbox.server.orders import bytes_of, check_order
from napari_lightbox.server.routes.events import EVENTS, news
from napari_lightbox.server.schemas import JobOrder, RegionOrder
from napari_lightbox.server.services import Services

MOST_LISTED = 10_000

Most = Annotated[int | None, Query(ge=1, le=MOST_LISTED)]
router = APIRouter(prefix="/v1/jobs", tags=["jobs"], route_class=StrictRoute)


@router.post("", status_code=201)
def submit(order: JobOrder, request: Request, services: Served, owner: Owner, address: Address) -> Response:
    """Take a job; the same key again gives the same job. Who accepts a stream of events is told at once what happens to it."""
    check_order(order.request, services, owner)
    job = services.queue.submit(order.body(), owner)
    size = bytes_of(order.request, services)
    services.audit.write("submitted", owner, address, job=job.id, technique=job.technique, bytes_in=size)
    if _may_follow(request, owner):
        return news(job.id, request, services, owner, status_code=201)
    return PlainJson({"job": job.card()}, status_code=201)


@router.get("")
def find(services: Served, owner: Owner, most: Most = None) -> PlainJson:
    """Return the jobs of whoever asks, for the admin those of all, and how many older ones there are.

    With `most` the newest ones, and all that are not over.
    """
    whose = None if services.config.is_admin(owner) else owner
    jobs = services.table.list(whose, most)
    older = 0 if most is None else max(0, services.table.count(whose) - len(jobs))
    return PlainJson({"jobs": [services.queue.latest(job).card() for job in jobs], "older": older})


@router.get("/{job_id}")
def read(job: OwnJob) -> PlainJson:
    """Return how far a job is."""
    return PlainJson(job.card())


@router.post("/{job_id}/cancel")
def cancel(job: OwnJob, services: Served, owner: Owner, address: Address) -> PlainJson:
    """Stop a job at the next chunk."""
    services.queue.cancel(job.id)
    _note("cancelled", job, services, owner, address)
    return PlainJson(services.queue.get(job.id).card())


@router.delete("/{job_id}", status_code=204)
def delete(job: OwnJob, services: Served, owner: Owner, address: Address) -> Response:
    """Stop a job and free what it holds."""
    services.queue.delete(job.id)
    _note("deleted", job, services, owner, address)
    return Response(status_code=204)


@router.post("/{job_id}/keep")
def keep(job: OwnJob, services: Served) -> PlainJson:
    """Begin the lease of the results anew."""
    return PlainJson(services.queue.keep(job.id).card())


@router.post("/{job_id}/first", status_code=204)
def first(order: RegionOrder, job: OwnJob, services: Served) -> Response:
    """Have the blocks of a part of the main output computed next."""
    services.wishes.first(job.id, order.region)
    return Response(status_code=204)


@router.get("/{job_id}/outputs")
def outputs(job: OwnJob, services: Served) -> PlainJson:
    """Return the outputs, with an array id in place of each array; they may still be on their way."""
    try:
        return PlainJson(services.queue.outputs(job.id))
    except BusyError as error:
        raise NotYetError(error.subject, error.reason, error.way_out) from None


def _may_follow(request: Request, owner: str) -> bool:
    # a large order holds a place until it is answered, so its answer must come to an end
    size = declared_bytes(request.scope)
    small = size is not None and size <= SMALL
    return small and EVENTS in request.headers.get("accept", "") and request.app.state.crowd.has_seat(owner)


def _note(event: str, job: Job, services: Services, owner: str, address: str) -> None:
    services.audit.write(event, owner, address, job=job.id, technique=job.technique)
