"""Arrays that clients send, chunk by chunk."""

from __future__ import annotations

import anyio.to_thread
from fastapi import APIRouter, Request, Response

from napari_lightbox.server.deps import NumberPath, Owner, OwnSource, Served
from napari_lightbox.server.faults import TooLargeError
from napari_lightbox.server.limits import declared_bytes
from napari_lightbox.server.messages import PlainJson, StrictRoute
from napari_lightbox.server.schemas import KnownOrder, SourceOrder
from napari_lightbox.server.services import Services
from napari_lightbox.wire import ArrayCard, chunks_of_bunch
from napari_lightbox.wire.protocol import MOST_BUNCH_BYTES

_FRAME = 1024

router = APIRouter(prefix="/v1/sources", tags=["sources"], route_class=StrictRoute)


@router.post("")
def register(order: SourceOrder, services: Served, owner: Owner) -> PlainJson:
    """Make room for an array, and have a session hold it; the answer says which chunks the server does not hold already."""
    card = ArrayCard.from_json(order.card.model_dump())
    source = services.sources.register(card, order.hashes, owner)
    held = order.session is not None and services.sessions.add(order.session, owner, source.id)
    missing = [] if order.hashes is None else services.sources.missing(source.id)
    return PlainJson({"id": source.id, "missing": missing, "held": held})


@router.get("/{source_id}")
def read(source: OwnSource) -> PlainJson:
    """Return the card of an array and how much of it is there."""
    return PlainJson({"card": source.card.to_json(), "present": source.present, "chunks": source.chunks})


@router.put("/{source_id}/chunks/{n}", status_code=204)
async def put_chunk(n: NumberPath, source: OwnSource, request: Request, services: Served, owner: Owner) -> Response:
    """Take in one chunk; what cannot be it, or has no room, is refused before it is read."""
    size = source.nbytes(n)
    _check_declared(request, size)
    await anyio.to_thread.run_sync(services.disk.check, owner, size)
    # joined they would be in memory twice
    parts = [part async for part in request.stream() if part]
    await anyio.to_thread.run_sync(services.sources.put_chunk, source.id, n, parts, owner)
    services.arrivals.arrived(source.id, [n])
    return Response(status_code=204)


@router.put("/{source_id}/chunks", status_code=204)
async def put_chunks(source: OwnSource, request: Request, services: Served, owner: Owner) -> Response:
    """Take in several small chunks at once; those before one that is refused are there."""
    _check_declared(request, MOST_BUNCH_BYTES)
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MOST_BUNCH_BYTES:
            raise TooLargeError("chunks", f"have more than {MOST_BUNCH_BYTES} bytes together", "Send fewer at once")
        parts.append(part)
    await anyio.to_thread.run_sync(_take_in, b"".join(parts), source.id, services, owner)
    return Response(status_code=204)


@router.post("/{source_id}/known")
def link(order: KnownOrder, source: OwnSource, services: Served, owner: Owner) -> PlainJson:
    """Enter chunks whose bytes the server holds already; the answer names those that it lacks."""
    pairs = order.pairs()
    missing = set(services.sources.link(source.id, pairs, owner))
    services.arrivals.arrived(source.id, [n for n, _ in pairs if n not in missing])
    return PlainJson({"missing": sorted(missing)})


def _take_in(body: bytes, source_id: str, services: Services, owner: str) -> None:
    services.disk.check(owner, len(body))
    came: list[int] = []
    try:
        for n, chunk in chunks_of_bunch(body):
            services.sources.put_chunk(source_id, n, chunk, owner)
            came.append(n)
    finally:
        services.arrivals.arrived(source_id, came)


def _check_declared(request: Request, size: int) -> None:
    declared = declared_bytes(request.scope)
    if declared is not None and declared > size + size // 100 + _FRAME:
        raise TooLargeError("chunk", f"has {declared} bytes on the way for {size}", "Send the chunk that was asked for")
