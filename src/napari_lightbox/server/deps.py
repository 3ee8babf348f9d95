"""What routes ask for: the services, who is asking, and things that belong to whoever asks."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path, Request
from pydantic import BeforeValidator

from napari_lightbox.errors import NotFoundError
from napari_lightbox.server.jobs.job import Job
from napari_lightbox.server.schemas import TECHNIQUE
from napari_lightbox.server.services import Services
from napari_lightbox.server.store.result_array import ResultArray
from napari_lightbox.server.store.source import Source
from napari_lightbox.server.values import ID

_MOST_DIGITS = 12


def whole_number(text: str) -> int:
    """Return the number of something, in the one way that the protocol writes it."""
    if not (text.isascii() and text.isdigit()) or len(text) > _MOST_DIGITS or (text[0] == "0" and text != "0"):
        raise ValueError("is no number")
    return int(text)


async def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


async def _owner(request: Request) -> str:
    """Return the name that the entrance found behind the token."""
    owner: str = request.state.owner
    return owner


async def _address(request: Request) -> str:
    address: str = request.state.address
    return address


Served = Annotated[Services, Depends(_services)]
Owner = Annotated[str, Depends(_owner)]
Address = Annotated[str, Depends(_address)]
IdPath = Annotated[str, Path(pattern=ID)]
TechniquePath = Annotated[str, Path(pattern=TECHNIQUE)]
NumberPath = Annotated[int, BeforeValidator(whole_number), Path(ge=0)]


def own_job(job_id: IdPath, services: Served, owner: Owner) -> Job:
    """Return a job of whoever asks; those of others are as good as not there."""
    job = services.queue.get(job_id)
    if job.owner != owner and not services.config.is_admin(owner):
        raise not_there("job")
    services.leases.touched(job_id)
    return job


def own_array(array_id: IdPath, services: Served, owner: Owner) -> ResultArray:
    """Return a result of whoever asks."""
    array = services.results.open(array_id)
    own_job(array.job, services, owner)
    return array


def own_source(source_id: IdPath, services: Served, owner: Owner) -> Source:
    """Return a source of whoever asks; those of others are as good as not there."""
    source = services.sources.get(source_id)
    if owner not in services.sources.owners(source_id) and not services.config.is_admin(owner):
        raise not_there("source")
    return source


def not_there(what: str) -> NotFoundError:
    """Return the error for what is not there, or not for whoever asks."""
    return NotFoundError(what, "is not there", "Use an id that this server gave to you")


OwnJob = Annotated[Job, Depends(own_job)]
OwnArray = Annotated[ResultArray, Depends(own_array)]
OwnSource = Annotated[Source, Depends(own_source)]
