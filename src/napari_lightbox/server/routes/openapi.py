"""The description of the protocol."""

from __future__ import annotations

from fastapi import APIRouter, Request

from napari_lightbox.server.messages import PlainJson, StrictRoute
from napari_lightbox.server.openapi import document

router = APIRouter(tags=["openapi"], route_class=StrictRoute, include_in_schema=False)


@router.get("/v1/openapi.json")
def read(request: Request) -> PlainJson:
    """Return what can be asked, with the parameters of every technique."""
    return PlainJson(document(request.app))
