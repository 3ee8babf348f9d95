"""Results that are fetched while the job still writes them, so that the way back does not wait for the end."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import Any

from napari_lightbox.client.remote_array import RemoteArray
from napari_lightbox.errors import LightboxError


class Early:
    """Arrays of one job on their way here."""

    def __init__(self) -> None:
        self._coming: dict[str, tuple[RemoteArray, Future[Any]]] = {}

    def begin(self, array: RemoteArray) -> None:
        """Begin to fetch an array, and return at once."""
        coming: Future[Any] = Future()
        self._coming[array.id] = array, coming
        threading.Thread(target=_fetch, args=(array, coming), name="lightbox-early", daemon=True).start()

    def read(self, id: str) -> Any:  # noqa: A002
        """Return an array of a job that is done, when it was on its way; None when it was not, or did not come."""
        array, coming = self._coming.pop(id, (None, None))
        if array is None or coming is None:
            return None
        try:
            return coming.result()
        except LightboxError:
            # too early perhaps: the server had no place for more who wait, or was started again
            return array.read()


def _fetch(array: RemoteArray, coming: Future[Any]) -> None:
    try:
        coming.set_result(array.read())
    except BaseException as error:  # noqa: BLE001 - whoever takes the result learns of it
        coming.set_exception(error)
