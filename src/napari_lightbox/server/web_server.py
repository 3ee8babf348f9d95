"""The web server around the application."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from napari_lightbox.errors import ParameterError
from napari_lightbox.server.config import ServerConfig
from napari_lightbox.server.entrance import ANYWHERE
from napari_lightbox.server.protocol import patient_protocol

GRACE_SECONDS = 5
_KEEP_ALIVE_SECONDS = 30
_MOST_CONNECTIONS = 1024
_BACKLOG = 512


class WebServer(uvicorn.Server):
    """A uvicorn server that tells open streams to end, and leaves signals to whoever runs it.

    Parameters
    ----------
    app
        What it serves.
    config
        How to serve it.
    """

    def __init__(self, app: FastAPI, config: ServerConfig) -> None:
        limits = config.limits
        super().__init__(
            uvicorn.Config(
                app,
                http=patient_protocol(limits.head_seconds),
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=_KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=GRACE_SECONDS,
                h11_max_incomplete_event_size=limits.header_bytes,
                limit_concurrency=_MOST_CONNECTIONS,
                ssl_certfile=config.cert,
                ssl_keyfile=config.key,
            )
        )
        self._stopping = app.state.stopping

    def stop(self) -> None:
        """End when the requests under way are answered; asked a second time, at once."""
        self.force_exit = self.should_exit
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Tell streams and waits to end, then end."""
        self._stopping.set()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


def listen(config: ServerConfig) -> socket.socket:
    """Return a socket that listens where the server is to be reached.

    Raises
    ------
    ParameterError
        The address is taken, or is none of this machine.
    """
    try:
        family = socket.getaddrinfo(config.host, config.port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.create_server((config.host, config.port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise ParameterError(
            "host and port",
            f"{config.host}:{config.port} cannot be used ({error.strerror})",
            "Stop the other server, or give another port with --port; 0 takes a free one",
        ) from error
    # asyncio does so only for sockets of its own; without it the end of an answer waits 40 ms for the client's nod to its head
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def url_of(config: ServerConfig, listening: socket.socket) -> str:
    """Return the address for clients."""
    host, port = listening.getsockname()[:2]
    if config.host in ANYWHERE:
        host = config.names[0] if config.names else socket.gethostname()
    elif config.host == "localhost":
        host = config.host
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if config.tls else 'http'}://{shown}:{port}"
