"""Count what a client sends and fetches, by listening to its own HTTP library."""

from __future__ import annotations

import re
from typing import Any

from napari_lightbox.wire import chunks_of_bunch

_PUT = re.compile(r"/v1/sources/\w+/chunks(?:/(\d+))?$")
_FETCH = re.compile(r"/v1/arrays/(\w+)/c/?([\d/]*)$")


class Traffic:
    """What went over the wire since it was made (or cleared)."""

    def __init__(self, runner: Any) -> None:
        self.requests: list[Any] = []
        self.sent: list[int] = []
        connection = runner._link.connection
        connection._client.event_hooks = {"request": [self.requests.append], "response": []}
        self._put, connection.put = connection.put, self._listen

    def clear(self) -> None:
        self.requests.clear()
        self.sent.clear()

    def _listen(self, path: str, parts: Any) -> None:
        """Note the numbers of the chunks in a body, and let it go on."""
        if match := _PUT.search(path):
            numbers = [n for n, _ in chunks_of_bunch(b"".join(parts))] if match[1] is None else [int(match[1])]
            self.sent.extend(numbers)
        self._put(path, parts)

    @property
    def voxel_bytes(self) -> int:
        """Bytes of all chunks that were sent."""
        return sum(int(r.headers["Content-Length"]) for r in list(self.requests) if r.method == "PUT")

    @property
    def fetched(self) -> list[tuple[int, ...]]:
        """Indices of the chunks that were fetched, in order."""
        found = [_FETCH.search(r.url.path) for r in list(self.requests) if r.method == "GET"]
        return [tuple(map(int, filter(None, match[2].split("/")))) for match in found if match]
