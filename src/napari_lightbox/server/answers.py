"""Around every request: errors become typed answers, answers get their headers, refusals are noted."""

from __future__ import annotations

import logging
from typing import Any

import anyio
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from napari_lightbox.server.audit import Audit
from napari_lightbox.server.discreet import Discreet
from napari_lightbox.server.faults import fault_response, status_of

DRAIN_SECONDS, DRAIN_BYTES = 1.0, 2**22
_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
SECURITY = (
    (b"content-security-policy", _POLICY),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
_log = logging.getLogger(__name__)


class Answers:
    """The outermost layer: nothing leaves the server but through it.

    Parameters
    ----------
    app
        The server.
    audit
        Where refusals are noted.
    hide
        Takes tokens out of answers.
    """

    def __init__(self, app: ASGIApp, audit: Audit, hide: Discreet) -> None:
        self._app = app
        self._audit = audit
        self._hide = hide

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever happens."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = Exchange(scope, receive, send)
        try:
            await self._app(scope, exchange.receive, exchange.send)
        except ClientDisconnect:
            return
        except Exception as error:
            # every failure becomes an answer that tells an outsider nothing
            if status_of(error) == 500:
                _log.error("%s %s failed", scope["method"], ascii(scope["path"]), exc_info=error)
            if exchange.status:
                raise
            await fault_response(error, self._hide)(scope, exchange.receive, exchange.send)
        finally:
            self._note(scope, exchange.status)

    def _note(self, scope: Scope, status: int) -> None:
        if status < 400:
            return
        state = scope.get("state", {})
        where = {"method": scope["method"], "path": scope["path"], "status": status}
        self._audit.write("refused", state.get("owner", ""), state.get("address", ""), **where)


class Exchange:
    """One request and its answer.

    Parameters
    ----------
    scope, receive, send
        As the web server gives them.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        headers = dict(scope["headers"])
        self.status = 0
        self._waits = b"expect" in headers
        self._read = b"transfer-encoding" not in headers and headers.get(b"content-length", b"0") == b"0"

    async def receive(self) -> Message:
        """Return what comes next, and remember whether that was all."""
        message = await self._receive()
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            self._read = True
        return message

    async def send(self, message: Message) -> None:
        """Send on, with the headers every answer has.

        When a body is refused, what is under way of it is taken and thrown away for a moment: a client that is still sending
        would meet a closed door instead of the answer.
        """
        if message["type"] == "http.response.start":
            self.status = message["status"]
            if self.status < 400:
                await self._drain()
            message = {**message, "headers": [*message.get("headers", ()), *self._extra(message)]}
        elif not message.get("more_body", False) and not self._read:
            await self._send({**message, "more_body": True})
            await self._drain()
            message = {"type": "http.response.body", "body": b"", "more_body": False}
        await self._send(message)

    def _extra(self, message: Message) -> list[tuple[bytes, bytes]]:
        extra: list[tuple[bytes, bytes]] = list(SECURITY)
        if not any(name.lower() == b"cache-control" for name, _ in message.get("headers", ())):
            extra.append((b"cache-control", b"no-store"))
        if not self._read:
            extra.append((b"connection", b"close"))
        return extra

    async def _drain(self) -> None:
        if self._waits:
            return
        left = DRAIN_BYTES
        with anyio.move_on_after(DRAIN_SECONDS):
            while left > 0 and not self._read:
                message: Any = await self.receive()
                left -= len(message.get("body", b""))
