"""A file, or one range of it, as an answer that never changes."""

from __future__ import annotations

import re
from hashlib import blake2b
from pathlib import Path

import anyio
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from napari_lightbox.errors import LightboxError, NotFoundError
from napari_lightbox.server.faults import RangeError

PIECE = 2**20
CACHED = {"Cache-Control": "private, no-cache"}
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)

Span = tuple[int, int]


class FilePart(Response):
    """A file or one range of it, read piece by piece in a thread.

    Parameters
    ----------
    path
        The file.
    size
        Its size.
    span
        First byte and the one after the last; None for all.
    etag
        Its strong tag.
    """

    def __init__(self, path: Path, size: int, span: Span | None, etag: str) -> None:
        start, stop = span or (0, size)
        headers = {"ETag": etag, "Accept-Ranges": "bytes", "Content-Length": str(stop - start), **CACHED}
        if span is not None:
            headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
        self.path = path
        self.span = (start, stop)
        self.status_code = 200 if span is None else 206
        self.media_type = "application/octet-stream"
        self.background = None
        self.init_headers(headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        start, stop = self.span
        begin = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        if scope["method"] == "HEAD":
            await send(begin)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        try:
            opened = await anyio.open_file(self.path, "rb")
        except FileNotFoundError:
            raise NotFoundError("file", "was deleted", "Run the job again") from None
        async with opened as file:
            await file.seek(start)
            await send(begin)
            while start < stop:
                piece = await file.read(min(PIECE, stop - start))
                if not piece:
                    raise OSError(f"{self.path.name} ended too early")
                start += len(piece)
                await send({"type": "http.response.body", "body": piece, "more_body": start < stop})


def etag_of(*parts: object) -> str:
    """Return the strong tag of something that these parts tell from everything else."""
    return f'"{blake2b(repr(parts).encode(), digest_size=16).hexdigest()}"'


def is_known(etag: str, if_none_match: str | None) -> bool:
    """Return whether the client has this already."""
    if if_none_match is None:
        return False
    known = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return etag in known or "*" in known


def not_modified(etag: str) -> Response:
    """Return the answer for what the client has already."""
    return Response(status_code=304, headers={"ETag": etag, **CACHED})


def span_of(header: str | None, size: int) -> Span | None:
    """Return the one range that a header asks for; None when it asks for all, for several or for nothing that can be.

    Raises
    ------
    RangeError
        It begins behind the end.
    """
    match = _RANGE.fullmatch(header.strip()) if header else None
    if match is None or match[1] == match[2] == "":
        return None
    first, last = match[1], match[2]
    start = int(first) if first else max(0, size - int(last))
    stop = min(int(last) + 1, size) if first and last else size
    if first and last and int(last) < int(first):
        return None
    if start >= size:
        raise _outside(size)
    return start, stop


def _outside(size: int) -> LightboxError:
    return RangeError("range", f"begins behind the end of {size} bytes", "Ask for bytes that are there")
