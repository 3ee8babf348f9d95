"""Sessions keep the arrays of an open window at hand."""

from __future__ import annotations

from fastapi import APIRouter, Response

from napari_lightbox.server.deps import IdPath, Owner, Served, own_source
from napari_lightbox.server.messages import PlainJson, StrictRoute
from napari_lightbox.server.schemas import Beat, SessionOrder

router = APIRouter(prefix="/v1/sessions", tags=["sessions"], route_class=StrictRoute)


@router.post("", status_code=201)
def create(order: SessionOrder, services: Served, owner: Owner) -> PlainJson:
    """Begin a session that holds some sources."""
    for source_id in order.sources:
        own_source(source_id, services, owner)
    name = services.sessions.create(owner, order.sources)
    told = {"id": name, "idle_s": services.sessions.idle, "dead_s": services.sessions.dead}
    return PlainJson(told, status_code=201)


@router.post("/{session_id}/beat", status_code=204)
def beat(session_id: IdPath, order: Beat, services: Served, owner: Owner) -> Response:
    """Tell that somebody is there, and whether anything is done."""
    services.sessions.beat(session_id, owner, order.active)
    return Response(status_code=204)


@router.post("/{session_id}/sources", status_code=204)
def hold(session_id: IdPath, order: SessionOrder, services: Served, owner: Owner) -> Response:
    """Have a session hold some sources, and no others."""
    services.sessions.hold(session_id, owner, order.sources)
    return Response(status_code=204)


@router.delete("/{session_id}", status_code=204)
def end(session_id: IdPath, services: Served, owner: Owner) -> Response:
    """End a session; its sources may go."""
    services.sessions.end(session_id, owner)
    return Response(status_code=204)
