"""Hand a request in: its arrays become known to the server, then the job itself."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from napari_lightbox.client.answers import JobCard, field, identity
from napari_lightbox.client.connection import Connection
from napari_lightbox.client.http import httpx
from napari_lightbox.client.inputs import Inputs, prepared
from napari_lightbox.client.link import Link
from napari_lightbox.engine.control import Control
from napari_lightbox.engine.origins import measured
from napari_lightbox.engine.request import Region, Request
from napari_lightbox.errors import GoneError, NotFoundError, WireError

_PLACE = "/v1/jobs"


@dataclass(frozen=True)
class Submission:
    """A job that the server has taken.

    Parameters
    ----------
    id
        Its name over there.
    inputs
        Where the chunks come from that it will ask for.
    described
        The request with inputs that say what they hold.
    begun
        The events of the job, when the server began to tell them at once.
    """

    id: str
    inputs: Inputs
    described: Request
    begun: httpx.Response | None = None


def submit(link: Link, request: Request, control: Control, first: Region | None, priority: int) -> Submission:
    """Hand a request in; no value of its arrays is sent yet.

    Raises
    ------
    LightboxError
        The server refuses it, or it was cancelled meanwhile.
    """
    order = {"first": None if first is None else pairs(first), "priority": priority, "key": uuid.uuid4().hex}
    request = prepared(request)
    with ThreadPoolExecutor(1, "lightbox-measure") as pool:
        described = pool.submit(_described, request, control)
        for fresh in (False, True):
            inputs = Inputs(link, control, fresh=fresh)
            # hashes of chunks and of whole volumes are taken side by side
            request.to_json(inputs.put)
            message = {**order, "request": described.result().to_json(inputs.put)}
            try:
                id, begun = _handed_in(link.connection, message)  # noqa: A001
            except (NotFoundError, GoneError, WireError):
                # what the server had before may have been cleared away
                if fresh or not inputs.used_old_names:
                    raise
            else:
                return Submission(id, inputs, described.result(), begun)
    raise AssertionError("unreachable")


def pairs(region: Region) -> list[list[Any]]:
    """Return a region as JSON-ready data."""
    return [[s.start, s.stop] for s in region]


def _handed_in(connection: Connection, message: Any) -> tuple[str, httpx.Response | None]:
    """Return the id of a job that the server took, and its events where it tells them at once."""
    told, begun = connection.begin(_PLACE, message)
    if begun is None:
        return JobCard.from_json(field(told, "job", dict)).id, None
    try:
        return identity(begun.headers.get("Location", "").removeprefix(f"{_PLACE}/")), begun
    except WireError:
        begun.close()
        raise


def _described(request: Request, control: Control) -> Request:
    mask = measured([request.mask], control)[0]
    return replace(request, inputs=measured(request.inputs, control), mask=mask)
