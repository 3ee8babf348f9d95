"""Who this server is."""

from __future__ import annotations

from fastapi import APIRouter

from napari_lightbox.server.messages import PlainJson, StrictRoute
from napari_lightbox.wire import Greeting

router = APIRouter(prefix="/v1/greeting", tags=["greeting"], route_class=StrictRoute)


@router.get("", openapi_extra={"security": []})
async def read() -> PlainJson:
    """Return the version of the server and of the protocol; needs no token."""
    from napari_lightbox import __version__

    return PlainJson(Greeting(__version__).to_json())
