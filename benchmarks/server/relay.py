"""A relay on loopback that counts the bytes between a client and a server, both ways."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

PIECE = 2**18


class Relay:
    """Passes connections on to a port and counts.

    Parameters
    ----------
    port
        Where the server listens on 127.0.0.1.
    """

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self.up = self.down = 0

    @property
    def url(self) -> str:
        """Address for the client."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def take(self) -> tuple[int, int]:
        """Return the bytes to the server and back since the last call."""
        with self._lock:
            counted, self.up, self.down = (self.up, self.down), 0, 0
        return counted

    def __enter__(self) -> Self:
        """Begin."""
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        """Hang up."""
        for line in [self._listener, *self._open]:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
            line.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                self._open += [client, server]
                for source, goal, is_up in ((client, server, True), (server, client, False)):
                    threading.Thread(target=self._pass_on, args=(source, goal, is_up), daemon=True).start()

    def _pass_on(self, source: socket.socket, goal: socket.socket, is_up: bool) -> None:
        with suppress(OSError):
            while piece := source.recv(PIECE):
                with self._lock:
                    if is_up:
                        self.up += len(piece)
                    else:
                        self.down += len(piece)
                goal.sendall(piece)
        for line in (source, goal):
            with suppress(OSError):
                line.shutdown(socket.SHUT_WR if line is goal else socket.SHUT_RD)
