"""What this server can do."""

from __future__ import annotations

from fastapi import APIRouter

from napari_lightbox.contract import registry
from napari_lightbox.contract.schema import describe
from napari_lightbox.server.deps import TechniquePath
from napari_lightbox.server.messages import PlainJson, StrictRoute

router = APIRouter(prefix="/v1/techniques", tags=["techniques"], route_class=StrictRoute)


@router.get("")
def find() -> PlainJson:
    """Return the contracts of all techniques, sorted by family and title."""
    return PlainJson({"techniques": [describe(technique) for technique in registry.find()]})


@router.get("/{technique_id}")
def read(technique_id: TechniquePath) -> PlainJson:
    """Return the contract of one technique."""
    return PlainJson(describe(registry.get(technique_id)))
