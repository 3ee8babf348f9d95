"""Hand a request in: its arrays become known to the server, then the job itself."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from napari_lightbox.client.answers import JobCard, field
from napari_lightbox.client.inputs import Inputs, prepared
from napari_lightbox.client.link import Link
from napari_lightbox.engine.control import Control
from napari_lightbox.engine.origins import measured
from napari_lightbox.engine.request import Region, Request
from napari_lightbox.errors import GoneError, NotFoundError, WireError


@dataclass(frozen=True)
class Submission:
    """A job that the server has taken.

    Parameters
    ----------
    card
        What the server says about it.
    inputs
        Where the chunks come from that it will ask for.
    described
        The request with inputs that say what they hold.
    """

    card: JobCard
    inputs: Inputs
    described: Request


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
                card = JobCard.from_json(field(link.connection.post("/v1/jobs", message), "job", dict))
            except (NotFoundError, GoneError, WireError):
                # what the server had before may have been cleared away
                if fresh or not inputs.used_old_names:
                    raise
            else:
                return Submission(card, inputs, described.result())
    raise AssertionError("unreachable")


def pairs(region: Region) -> list[list[Any]]:
    """Return a region as JSON-ready data."""
    return [[s.start, s.stop] for s in region]


def _described(request: Request, control: Control) -> Request:
    mask = measured([request.mask], control)[0]
    return replace(request, inputs=measured(request.inputs, control), mask=mask)
