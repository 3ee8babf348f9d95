"""What the jobs of one runner share: the connection, what was sent, what was fetched."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any

from napari_lightbox.client.chunk_cache import ChunkCache
from napari_lightbox.client.connection import Connection
from napari_lightbox.client.sender import Sender
from napari_lightbox.client.session import Session
from napari_lightbox.client.uploading import Registration
from napari_lightbox.settings import settings

CACHE_SHARE = 8
_MOST_NAMES = 4096


class Link:
    """Everything between this process and one server.

    Parameters
    ----------
    connection
        Way to the server.

    Raises
    ------
    LightboxError
        The server does not let us in.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.session = Session(connection)
        self.sender = Sender(connection)
        self.cache = ChunkCache(settings().memory_budget // CACHE_SHARE)
        self._references: OrderedDict[str, str] = OrderedDict()
        self._sent: OrderedDict[str, Registration] = OrderedDict()
        self._lock = threading.Lock()

    def close(self) -> None:
        """Let go of everything."""
        self.sender.close()
        self.session.close()
        self.connection.close()
        self.cache.clear()

    def lies_there(self, array: Any, reference: str) -> Any:
        """Remember that the server itself has what a dask array holds, and return the array."""
        with self._lock:
            self._references[array.name] = reference
            _trim(self._references)
        return array

    def reference_of(self, array: Any) -> str | None:
        """Return the server's own name for a dask array, None when it comes from here."""
        with self._lock:
            return self._references.get(array.name)

    def was_sent(self, array: Any, registration: Registration) -> None:
        """Remember under which name the server gets the chunks of a dask array."""
        with self._lock:
            self._sent[array.name] = registration
            _trim(self._sent)

    def sent_as(self, array: Any) -> Registration | None:
        """Return the name under which the server still has chunks of a dask array."""
        with self._lock:
            known = self._sent.get(array.name)
        return known if known is not None and self.session.holds(known.id) else None

    def forget(self, array: Any) -> None:
        """Hear that the server does not have a dask array any more."""
        with self._lock:
            self._references.pop(array.name, None)
            self._sent.pop(array.name, None)


def _trim(names: OrderedDict[str, Any]) -> None:
    while len(names) > _MOST_NAMES:
        names.popitem(last=False)
