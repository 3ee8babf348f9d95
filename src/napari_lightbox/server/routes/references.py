"""Arrays that the server reads itself."""

from __future__ import annotations

from fastapi import APIRouter

from napari_lightbox.server.deps import Served
from napari_lightbox.server.messages import PlainJson, StrictRoute
from napari_lightbox.server.schemas import ReferenceOrder

router = APIRouter(prefix="/v1/references", tags=["references"], route_class=StrictRoute)


@router.post("")
def open_reference(order: ReferenceOrder, services: Served) -> PlainJson:
    """Open a file below an allowed folder, or an OME-Zarr of an allowed host; nothing of its values is read yet."""
    reference = services.references.open(order.location)
    volume = reference.volume
    geometry = None if volume.geometry is None else volume.geometry.to_json()
    return PlainJson({"id": reference.id, "card": reference.card.to_json(), "geometry": geometry, "role": volume.role})
