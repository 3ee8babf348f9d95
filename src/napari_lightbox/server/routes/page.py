"""The page: three files of this package and nothing else."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from fastapi import APIRouter, Response

from napari_lightbox.server.deps import not_there
from napari_lightbox.server.messages import StrictRoute

_TYPES = {
    "index.html": "text/html; charset=utf-8",
    "page.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "jobs.js": "text/javascript; charset=utf-8",
    "speak.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}

router = APIRouter(tags=["page"], route_class=StrictRoute, include_in_schema=False)


@router.get("/")
async def index() -> Response:
    """Return the page."""
    return _file("index.html")


@router.get("/web/{name}")
async def part(name: str) -> Response:
    """Return a part of the page."""
    if name not in _TYPES:
        raise not_there("file")
    return _file(name)


def _file(name: str) -> Response:
    return Response(_content(name), media_type=_TYPES[name])


@cache
def _content(name: str) -> bytes:
    return (files("napari_lightbox.server") / "web" / name).read_bytes()
