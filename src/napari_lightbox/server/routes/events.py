"""What happens to a job, as it happens."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import StreamingResponse

from napari_lightbox.server.deps import Owner, OwnJob, Served
from napari_lightbox.server.messages import StrictRoute
from napari_lightbox.server.services import Services

EVENTS = "text/event-stream"
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}

router = APIRouter(prefix="/v1/jobs", tags=["events"], route_class=StrictRoute)


@router.get("/{job_id}/events")
async def follow(job: OwnJob, request: Request, services: Served, owner: Owner) -> StreamingResponse:
    """Stream the events of a job, the present state first; ends with the job."""
    request.app.state.crowd.check(owner)
    return news(job.id, request, services, owner)


def news(job_id: str, request: Request, services: Services, owner: str, **answer: Any) -> StreamingResponse:
    """Return the events of a job as an answer that goes on until the job is over."""
    state = request.app.state

    async def stream() -> AsyncIterator[bytes]:
        with state.crowd.seat(owner):
            events = services.events.subscribe(job_id)
            async for piece in spoken(events, services.config.limits.keep_alive, state.stopping):
                # whoever listens is there, whether or not chunks come
                services.arrivals.seen(job_id)
                services.leases.touched(job_id)
                yield piece

    headers = _HEADERS | {"Location": f"/v1/jobs/{job_id}"}
    return StreamingResponse(stream(), media_type=EVENTS, headers=headers, **answer)


async def spoken(events: AsyncIterator[Any], keep_alive: float, stopping: asyncio.Event) -> AsyncIterator[bytes]:
    """Return events as lines, with a sign of life whenever nothing happened for a while."""
    coming = asyncio.ensure_future(anext(events))
    stop = asyncio.ensure_future(stopping.wait())
    try:
        while not stop.done():
            done, _ = await asyncio.wait({coming, stop}, timeout=keep_alive, return_when=asyncio.FIRST_COMPLETED)
            if not done:
                yield b": alive\n\n"
            elif coming in done:
                event = coming.result()
                yield lines_of(event.name, event.data)
                if event.is_last:
                    return
                coming = asyncio.ensure_future(anext(events))
    except StopAsyncIteration:
        return
    finally:
        stop.cancel()
        coming.cancel()
        with suppress(asyncio.CancelledError, StopAsyncIteration):
            await coming
        if hasattr(events, "aclose"):
            await events.aclose()


def lines_of(name: str, data: Any) -> bytes:
    """Return one event as it goes over the wire."""
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()
