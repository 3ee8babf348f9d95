"""Results as Zarr arrays, readable chunk by chunk while they are computed."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from typing import Annotated

import anyio.to_thread
from fastapi import APIRouter, Query, Request, Response

from napari_lightbox.errors import BusyError, NotFoundError, WireError
from napari_lightbox.server.deps import OwnArray, Owner, Served
from napari_lightbox.server.file_part import CACHED, FilePart, etag_of, is_known, not_modified, span_of
from napari_lightbox.server.messages import PlainJson, StrictRoute
from napari_lightbox.server.services import Services
from napari_lightbox.server.store.result_array import ResultArray
from napari_lightbox.server.store.zarr_card import zarr_json

LONGEST_WAIT = 20.0
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.005, 0.1
_LOOKS = 10
_INDEX = re.compile(r"(?:0|[1-9][0-9]{0,9})(?:/(?:0|[1-9][0-9]{0,9}))*", re.ASCII)

Wait = Annotated[float, Query(ge=0.0, le=LONGEST_WAIT)]

router = APIRouter(prefix="/v1/arrays", tags=["arrays"], route_class=StrictRoute)


@router.get("/{array_id}/card")
def card(array: OwnArray) -> PlainJson:
    """Return type, shape and chunks of an array, and how many are there."""
    return PlainJson({"card": array.card.to_json(), "written": array.written()})


@router.get("/{array_id}/zarr.json")
@router.head("/{array_id}/zarr.json", include_in_schema=False)
def metadata(array: OwnArray, request: Request) -> Response:
    """Return the metadata that a Zarr reader wants."""
    text = json.dumps(zarr_json(array.card, "/"))
    etag = etag_of(array.id, text)
    if is_known(etag, request.headers.get("if-none-match")):
        return not_modified(etag)
    return Response(text, media_type="application/json", headers={"ETag": etag, **CACHED})


@router.get("/{array_id}/c", name="whole")
@router.get("/{array_id}/c/{key:path}")
@router.head("/{array_id}/c", include_in_schema=False)
@router.head("/{array_id}/c/{key:path}", include_in_schema=False)
async def chunk(array: OwnArray, request: Request, services: Served, owner: Owner, wait: Wait = LONGEST_WAIT) -> Response:
    """Return the bytes of one chunk, or of a range of it; one that is not computed yet is computed next and waited for."""
    index = index_of(array, request.path_params.get("key", ""))
    path = array.path(index)
    if not path.is_file():
        with request.app.state.crowd.seat(owner):
            await _computed(
                array, index, path.is_file, services, min(wait, services.config.limits.wait), request.app.state.stopping
            )
    try:
        status = path.stat()
    except FileNotFoundError:
        raise NotFoundError("array", "was deleted", "Run the job again") from None
    etag = etag_of(array.id, index, status.st_size, status.st_mtime_ns)
    if is_known(etag, request.headers.get("if-none-match")):
        return not_modified(etag)
    unchanged = request.headers.get("if-range") in (None, etag)
    span = span_of(request.headers.get("range"), status.st_size) if unchanged and request.method == "GET" else None
    return FilePart(path, status.st_size, span, etag)


def index_of(array: ResultArray, key: str) -> tuple[int, ...]:
    """Return the index that a key stands for.

    Raises
    ------
    NotFoundError
        There is no such chunk.
    """
    index = tuple(map(int, key.split("/"))) if _INDEX.fullmatch(key) else None if key else ()
    try:
        if index is not None:
            array.card.box(index)
            return index
    except WireError:
        pass
    raise NotFoundError("chunk", f"is not in the grid {array.card.grid}", "Ask for chunks that exist")


async def _computed(
    array: ResultArray,
    index: tuple[int, ...],
    is_there: Callable[[], bool],
    services: Services,
    wait: float,
    stopping: asyncio.Event,
) -> None:
    """Have a chunk computed next, and return when it is there.

    Raises
    ------
    BusyError
        It takes longer.
    LightboxError
        The job failed or was cancelled; it is its error.
    """
    services.wishes.ask(array.id, index)
    looks, pause, clock = 0, _SHORTEST_PAUSE, asyncio.get_running_loop().time
    deadline = clock() + wait
    while not is_there():
        looks += 1
        late = clock() >= deadline or stopping.is_set()
        if late or looks % _LOOKS == 0:
            await anyio.to_thread.run_sync(_check_going_on, array, is_there, services)
        if late:
            raise BusyError("chunk", "is not computed yet", "Ask again in a moment")
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


def _check_going_on(array: ResultArray, is_there: Callable[[], bool], services: Services) -> None:
    """Raise what ended the job, when it has ended without the chunk."""
    job = services.queue.get(array.job)
    if job.status in ("queued", "running") or is_there():
        return
    services.queue.outputs(array.job)
    raise NotFoundError("chunk", "was not computed", "Run the job again")
