"""The HTTP server as one application; nothing of it exists before somebody asks for it."""

from __future__ import annotations

import asyncio

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from napari_lightbox.server.answers import Answers
from napari_lightbox.server.auth import Doorkeeper, Tokens
from napari_lightbox.server.crowd import Crowd
from napari_lightbox.server.discreet import Discreet
from napari_lightbox.server.entrance import Entrance
from napari_lightbox.server.faults import fault_response
from napari_lightbox.server.limits import Bodies, Clock
from napari_lightbox.server.openapi import operation_id
from napari_lightbox.server.routes import (
    arrays,
    cluster,
    events,
    greeting,
    jobs,
    openapi,
    page,
    pictures,
    references,
    sessions,
    sources,
    techniques,
)
from napari_lightbox.server.services import Services

_ROUTES = (page, greeting, openapi, techniques, sources, references, jobs, events, arrays, pictures, cluster, sessions)


def make_app(services: Services, clock: Clock | None = None) -> FastAPI:
    """Return the application that answers for some services.

    Parameters
    ----------
    services
        What does the work.
    clock
        Measures slow clients; that of the machine by default.
    """
    from napari_lightbox import __version__

    config = services.config
    hide = Discreet(config.tokens.values())
    app = FastAPI(
        title="napari-lightbox",
        version=__version__,
        description="Image processing for 2D images, video, MRI and CT.",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        generate_unique_id_function=operation_id,
    )
    app.state.services = services
    app.state.crowd = Crowd(config.limits.streams)
    app.state.stopping = asyncio.Event()
    for module in _ROUTES:
        app.include_router(module.router)

    async def answer(_: Request, error: Exception) -> Response:
        return fault_response(error, hide)

    for kind in (HTTPException, RequestValidationError):
        app.add_exception_handler(kind, answer)
    # the last one added is the first one met
    app.add_middleware(Bodies, limits=config.limits, clock=clock)
    app.add_middleware(Entrance, config=config, doorkeeper=Doorkeeper(Tokens(config.tokens), config.limits))
    app.add_middleware(Answers, audit=services.audit, hide=hide)
    return app
