"""Count what a client sends and fetches, by listening to its own HTTP library."""

from __future__ import annotations

import re
from typing import Any

_PUT = re.compile(r"/v1/sources/(\w+)/chunks/(\d+)$")
_FETCH = re.compile(r"/v1/arrays/(\w+)/c/?([\d/]*)$")


class Traffic:
    """What went over the wire since it was made (or cleared)."""

    def __init__(self, runner: Any) -> None:
        self.requests: list[Any] = []
        runner._link.connection._client.event_hooks = {"request": [self.requests.append], "response": []}

    def clear(self) -> None:
        self.requests.clear()

    @property
    def sent(self) -> list[int]:
        """Numbers of the chunks that were sent, in order."""
        found = [_PUT.search(r.url.path) for r in list(self.requests) if r.method == "PUT"]
        return [int(match[2]) for match in found if match]

    @property
    def voxel_bytes(self) -> int:
        """Bytes of all chunks that were sent."""
        return sum(int(r.headers["Content-Length"]) for r in list(self.requests) if r.method == "PUT")

    @property
    def fetched(self) -> list[tuple[int, ...]]:
        """Indices of the chunks that were fetched, in order."""
        found = [_FETCH.search(r.url.path) for r in list(self.requests) if r.method == "GET"]
        return [tuple(map(int, filter(None, match[2].split("/")))) for match in found if match]
