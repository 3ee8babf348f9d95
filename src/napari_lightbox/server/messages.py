"""JSON that comes in and goes out: within limits, without numbers that are none, as plain data."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn

import anyio.to_thread
from fastapi import Request, Response
from fastapi.routing import APIRoute

from napari_lightbox.errors import WireError
from napari_lightbox.server.config import Limits

_WAY_OUT = "Use a client of this version"
_QUICK = 2**16
_LONGEST_NUMBER = 20
_NO_BRACKETS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?|[^\[\]{}"]+', re.DOTALL)


class StrictRoute(APIRoute):
    """A route that reads its JSON itself, so that no other parser meets it."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers a request."""
        answer = super().get_route_handler()
        if self.body_field is None:
            return answer

        async def handler(request: Request) -> Response:
            strict = StrictRequest(request.scope, request.receive)
            await strict.read()
            return await answer(strict)

        return handler


class StrictRequest(Request):
    """A request whose JSON was read already."""

    _read: Any = None

    async def read(self) -> None:
        """Read the JSON.

        Raises
        ------
        WireError
            It is none, or more of it than any client sends.
        """
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise WireError("message", "is not said to be JSON", "Send it with Content-Type: application/json")
        limits: Limits = self.app.state.services.config.limits
        data = await self.body()
        if len(data) > _QUICK:
            self._read = await anyio.to_thread.run_sync(parse_json, data, limits.depth)
        else:
            self._read = parse_json(data, limits.depth)

    async def json(self) -> Any:
        """Return what was read."""
        return self._read


class PlainJson(Response):
    """JSON that may hold NaN and infinity, as measured values do."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Return the text."""
        return json.dumps(content, separators=(",", ":")).encode()


def parse_json(data: bytes, depth: int) -> Any:
    """Return JSON as plain data.

    Raises
    ------
    WireError
        It is none, nested too deeply, or names something twice.
    """
    if is_deeper(data, depth):
        raise WireError("message", f"is nested more than {depth} times", _WAY_OUT)
    try:
        text = data.decode("utf-8")
        return json.loads(text, parse_constant=_no_number, parse_int=_whole, parse_float=_float, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise WireError("message", "is no JSON", _WAY_OUT) from None


def is_deeper(data: bytes, depth: int) -> bool:
    """Return whether brackets outside of texts are nested more often than `depth`, without parsing."""
    level = 0
    for sign in _NO_BRACKETS.sub(b"", data):
        level += 1 if sign in b"[{" else -1
        if level > depth:
            return True
    return False


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise WireError("message", "names something twice", _WAY_OUT)
    return values


def _no_number(text: str) -> NoReturn:
    raise WireError("message", f"holds {text}, which is no JSON number", _WAY_OUT)


def _whole(text: str) -> int:
    if len(text) > _LONGEST_NUMBER:
        raise WireError("message", "holds a number with too many digits", _WAY_OUT)
    return int(text)


def _float(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise WireError("message", "holds a number that is too large", _WAY_OUT)
    return value
