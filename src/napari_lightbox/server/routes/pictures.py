"""Results as pictures, for the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from napari_lightbox.errors import BusyError, NotFoundError
from napari_lightbox.server.deps import OwnJob, Served
from napari_lightbox.server.faults import NotYetError
from napari_lightbox.server.messages import StrictRoute
from napari_lightbox.server.picture import picture_of

SIZE, MOST_SIZE = 256, 512

Size = Annotated[int, Query(ge=16, le=MOST_SIZE)]
Name = Annotated[str | None, Query(max_length=100)]

router = APIRouter(prefix="/v1/jobs", tags=["pictures"], route_class=StrictRoute)


@router.get("/{job_id}/picture.png")
def read(job: OwnJob, services: Served, output: Name = None, size: Size = SIZE) -> Response:
    """Return the middle plane of an output as PNG; the first one that can be shown by default."""
    try:
        outputs = services.queue.outputs(job.id)["outputs"]
    except BusyError as error:
        raise NotYetError(error.subject, error.reason, error.way_out) from None
    value = shown(outputs, output)
    array = services.results.open(str(value["data"]).removeprefix("array:"))
    if 0 in array.card.shape:
        raise NotFoundError("picture", "cannot be made of nothing", "Choose another output")
    axes = value["geometry"]["axes"] if value["kind"] == "volume" else ""
    return Response(picture_of(array, axes, value.get("role", "image"), size), media_type="image/png")


def shown(outputs: Mapping[str, Any], name: str | None) -> Mapping[str, Any]:
    """Return the output to show.

    Raises
    ------
    NotFoundError
        There is none that a picture can be made of.
    """
    for own, value in outputs.items():
        if name in (None, own) and isinstance(value, Mapping) and value.get("kind") in ("volume", "array"):
            return value
    raise NotFoundError("picture", "cannot be made of this output", "Choose an output that is an image or labels")
