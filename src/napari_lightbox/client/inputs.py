"""Hand the arrays of a request over to a server, each under the name that the server gives it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from napari_lightbox.axes import Volume
from napari_lightbox.client.link import Link
from napari_lightbox.client.sender import Owner
from napari_lightbox.client.uploading import Upload
from napari_lightbox.engine.control import Control
from napari_lightbox.engine.request import Request
from napari_lightbox.errors import InputError

LONGEST_NAME = 256


class Inputs:
    """The arrays of one request.

    Parameters
    ----------
    link
        Way to the server.
    control
        Stops the reading of large arrays.
    fresh
        Whether to send everything anew, because the server does not know the names of before any more.
    """

    def __init__(self, link: Link, control: Control, *, fresh: bool = False) -> None:
        self._link = link
        self._control = control
        self._fresh = fresh
        self._names: dict[int, tuple[str, Any]] = {}
        self._missing: list[tuple[Upload, list[int]]] = []
        self.uploads: dict[str, Upload] = {}
        self.used_old_names = False

    def put(self, array: Any) -> str:
        """Make an array known to the server and return its reference; no value is sent yet."""
        known = self._names.get(id(array))
        if known is None:
            # the array is kept, so that no other one can get its id
            known = self._names[id(array)] = self._put(_as_array(array)), array
        return known[0]

    def push(self, owner: Owner) -> None:
        """Begin to send what lies in memory here and is missing there."""
        for upload, missing in self._missing:
            self._link.sender.send(upload, missing, owner, urgent=False)
        self._missing.clear()

    def _put(self, array: Any) -> str:
        lazy = not isinstance(array, np.ndarray)
        if lazy and self._fresh:
            self._link.forget(array)
        there = self._link.reference_of(array) if lazy else None
        if there is not None:
            self.used_old_names = True
            return there
        upload = Upload(array)
        before = self._link.sent_as(array) if lazy else None
        if before is not None and before.card == upload.card:
            upload.registration = before
            self.used_old_names = True
        else:
            missing = upload.register(self._link.session.register, self._control)
            self._missing.append((upload, missing))
        assert upload.registration is not None
        if lazy:
            self._link.was_sent(array, upload.registration)
        self._link.session.hold(upload.registration)
        self.uploads[upload.id] = upload
        return f"source:{upload.id}"


def gives_lazy(request: Request) -> bool:
    """Tell whether a request asks for results that are computed when somebody looks at them."""
    return request.lazy and any(isinstance(v, Volume) and hasattr(v.data, "__dask_graph__") for v in request.inputs)


def prepared(request: Request) -> Request:
    """Return a request whose volumes can travel."""
    shortened = tuple(_each_volume(value, _short) for value in request.inputs)
    return replace(request, inputs=shortened, mask=_each_volume(request.mask, _short))


def _each_volume(value: Any, change: Callable[[Volume], Volume]) -> Any:
    if isinstance(value, (list, tuple)):
        return [_each_volume(v, change) for v in value]
    return change(value) if isinstance(value, Volume) else value


def _short(volume: Volume) -> Volume:
    return replace(volume, data=_as_array(volume.data), name=volume.name[:LONGEST_NAME])


def _as_array(array: Any) -> Any:
    """Return a NumPy or dask array."""
    if isinstance(array, np.ndarray) or hasattr(array, "__dask_graph__"):
        if not hasattr(array, "dtype"):
            raise InputError("input", f"is a {type(array).__name__}", "Pass a dask array")
        return array
    chunks = getattr(array, "chunks", None)
    if chunks is None:
        return np.asarray(array)
    import dask.array as da

    return da.from_array(array, chunks=chunks)
