"""How busy the server is."""

from __future__ import annotations

from collections import Counter

from fastapi import APIRouter

from napari_lightbox.server.deps import Owner, Served
from napari_lightbox.server.messages import PlainJson, StrictRoute

router = APIRouter(prefix="/v1/cluster", tags=["cluster"], route_class=StrictRoute)


@router.get("")
def read(services: Served, owner: Owner) -> PlainJson:
    """Return workers, jobs in numbers, and the disk; what others store is told to the admin alone."""
    counts = Counter(job.status for job in services.table.unfinished())
    disk = services.disk.describe()
    if not services.config.is_admin(owner):
        disk["used"] = {owner: disk["used"].get(owner, 0)}
    told = {"workers": services.cluster.workers(), "queued": counts["queued"], "running": counts["running"], "disk": disk}
    return PlainJson(told)
