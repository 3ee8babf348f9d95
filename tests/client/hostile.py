"""A tiny server that speaks the protocol as far as it likes."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from napari_lightbox import __version__

Answer = Callable[[BaseHTTPRequestHandler], None]
CARD = {"id": "j1", "technique": "invert_intensity", "status": "done", "fraction": 1.0, "message": "", "error": None}
GEOMETRY = {"axes": "yx", "shape": [4, 6], "affine": [[1, 0, 0], [0, 1, 0], [0, 0, 1]], "units": ["pixel", "pixel"]}
VOLUME = {"kind": "volume", "data": "array:a1", "geometry": GEOMETRY, "role": "image", "name": "x"}


def say(value: Any, status: int = 200, **headers: str) -> Answer:
    """Answer with JSON."""
    return say_bytes(json.dumps(value).encode(), status, **headers)


def say_error(kind: str, status: int, **headers: str) -> Answer:
    return say({"error": kind, "subject": "a", "reason": "b", "way_out": "c"}, status, **headers)


def say_bytes(body: bytes, status: int = 200, length: int | None = None, **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)
        if length is not None and length > len(body):
            handler.close_connection = True

    return answer


def say_for_ever(piece: bytes, kind: str = "application/octet-stream", **headers: str) -> Answer:
    """Answer without an end, in chunks."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        for name, value in {"Content-Type": kind, **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        with suppress(OSError):
            while True:
                handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))

    return answer


def say_events(*events: tuple[str, Any]) -> Answer:
    text = "".join(f"event: {name}\ndata: {json.dumps(data)}\n\n" for name, data in events)
    return say_bytes(text.encode(), Content_Type="text/event-stream")


class Hostile:
    """A server whose answers can be replaced one by one; without that it is honest and has one small job."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {
            "GET /v1/greeting": say({"version": __version__, "protocol": 1}),
            "POST /v1/sessions": say({"id": "s1", "idle_s": 60, "dead_s": 60}),
            "POST /v1/sessions/s1/sources": say_bytes(b"", 204),
            "DELETE /v1/sessions/s1": say_bytes(b""),
            "POST /v1/sources": say({"id": "i1", "missing": [0]}),
            "PUT /v1/sources/i1/chunks/0": say_bytes(b""),
            "POST /v1/jobs": say({"job": {**CARD, "status": "queued", "fraction": 0.0}}, 201),
            "POST /v1/jobs/j1/cancel": say(CARD),
            "GET /v1/jobs/j1/events": say_events(("state", CARD)),
            "GET /v1/jobs/j1/outputs": say({"outputs": {"result": VOLUME}, "provenance": {}, "complete": True, "preview": False}),
            "GET /v1/arrays/a1/card": say({"card": {"dtype": "|u1", "shape": [4, 6], "chunks": [4, 6]}, "written": 1}),
            "GET /v1/arrays/a1/c/0/0": say_bytes(bytes(24)),
        }
        self.seen: list[tuple[str, str]] = []
        hostile = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                return

            def handle_any(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                name = f"{self.command} {self.path.partition('?')[0]}"
                hostile.seen.append((name, self.headers.get("Authorization", "")))
                with suppress(OSError):
                    hostile.answers.get(name, say_error("NotFoundError", 404))(self)

            do_GET = do_POST = do_PUT = do_DELETE = handle_any

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
