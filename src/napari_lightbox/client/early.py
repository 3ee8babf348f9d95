"""Results that are fetched while the job still writes them, so that the way back does not wait for the end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from napari_lightbox.client.remote_array import RemoteArray
from napari_lightbox.errors import LightboxError


class Early:
    """Arrays of one job on their way here, in threads of their own: whoever follows the job is not kept.

    Parameters
    ----------
    arrays
        Asks the server which arrays there will be.
    """

    def __init__(self, arrays: Callable[[], Iterable[RemoteArray]]) -> None:
        self._arrays = arrays
        self._coming: dict[str, tuple[RemoteArray, Future[Any]]] = {}
        self._begun = threading.Event()
        _start(self._begin)

    def read(self, id: str) -> Any:  # noqa: A002
        """Return an array of a job that is done, when it was on its way; None when it was not."""
        self._begun.wait()
        array, coming = self._coming.pop(id, (None, None))
        if array is None or coming is None:
            return None
        try:
            return coming.result()
        except LightboxError:
            # too early perhaps: the server had no place for more who wait, or was started again
            return array.read()

    def _begin(self) -> None:
        try:
            # what goes wrong now is tried again at the end, and told then
            with suppress(LightboxError):
                for array in self._arrays():
                    coming: Future[Any] = Future()
                    self._coming[array.id] = array, coming
                    _start(_fetch, array, coming)
        finally:
            self._begun.set()


def _start(work: Callable[..., None], *arguments: Any) -> None:
    threading.Thread(target=work, args=arguments, name="lightbox-early", daemon=True).start()


def _fetch(array: RemoteArray, coming: Future[Any]) -> None:
    try:
        coming.set_result(array.read())
    except BaseException as error:  # noqa: BLE001 - whoever takes the result learns of it
        coming.set_exception(error)
