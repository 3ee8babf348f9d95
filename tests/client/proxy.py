"""A TCP proxy that cuts connections where a test wants it."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress


class Proxy:
    """Stands between a client and the server on a port of 127.0.0.1."""

    def __init__(self, port: int) -> None:
        self._upstream = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self._left: dict[str, int | None] = {"up": None, "down": None}
        self._every = self._times = 0
        self.cuts = 0
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def cut(self, direction: str, after: int, times: int = 1) -> None:
        """Cut a connection after so many more bytes went up or down, and again after as many, so many times."""
        with self._lock:
            self._every, self._times = after, times
            self._left = {"up": None, "down": None, direction: after}

    def close(self) -> None:
        # merely closed, it would let in one more: the thread that waits for it goes on waiting
        _end(self._listening)
        self.cut_all()

    def cut_all(self) -> None:
        """Cut every connection now."""
        with self._lock:
            sockets, self._open = self._open, set()
        for line in sockets:
            _end(line)

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self._upstream))
            except OSError:
                _end(near)
                continue
            with self._lock:
                self._open |= {near, far}
            for source, target, direction in ((near, far, "up"), (far, near, "down")):
                threading.Thread(target=self._pump, args=(source, target, direction), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, direction: str) -> None:
        with suppress(OSError):
            while data := source.recv(2**16):
                allowed = self._allowed(direction, len(data))
                target.sendall(data[:allowed])
                if allowed < len(data):
                    break
        _end(source)
        _end(target)
        with self._lock:
            self._open -= {source, target}

    def _allowed(self, direction: str, size: int) -> int:
        """Return how many of so many bytes may pass."""
        with self._lock:
            left = self._left[direction]
            if left is None or self._times == 0:
                return size
            if size <= left:
                self._left[direction] = left - size
                return size
            self._times -= 1
            self.cuts += 1
            self._left[direction] = self._every
            return left


def _end(line: socket.socket) -> None:
    with suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)
    line.close()
