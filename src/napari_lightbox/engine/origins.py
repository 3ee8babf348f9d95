"""Which array an input is: by its content where a run has measured it, else by the object itself."""

from __future__ import annotations

import threading
import uuid
import weakref
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import dask.array as da
import numpy as np

from napari_lightbox.axes import Volume
from napari_lightbox.engine.content import content_hash
from napari_lightbox.engine.control import Control

MEASURED = "lightbox-content"
"""Where a Volume's metadata say what its array holds, for the length of one run."""

_session = uuid.uuid4().hex[:12]
_lock = threading.Lock()
_seen: dict[int, tuple[weakref.ref[Any], str]] = {}
_count = 0


def identity_of(value: Any, measured: str | None = None) -> str:
    """Return text that is equal for the same array and differs for another one.

    ``content:`` a hash of the values, ``lazy:`` the name of a dask array, ``object:`` this very object in this session.
    """
    if measured:
        return f"content:{measured}"
    if isinstance(value, da.Array):
        return f"lazy:{value.name}"
    return f"object:{_session}-{_number(value)}"


def measured(values: Sequence[Any], control: Control) -> tuple[Any, ...]:
    """Return the inputs of a run with each Volume that lies in memory saying what it holds."""
    return tuple(_measured(value, control) for value in values)


def with_identity(volume: Volume, control: Control | None = None) -> str:
    """Return the identity of a volume, reading its pixels when they lie in memory."""
    marked = _measured(volume, control or Control())
    return identity_of(marked.data, marked.metadata.get(MEASURED))


def comparable(one: str, other: str) -> bool:
    """Tell whether two identities are of one kind, so that a difference means another array."""
    return one.partition(":")[0] == other.partition(":")[0] != ""


def _measured(value: Any, control: Control) -> Any:
    if isinstance(value, list):
        return [_measured(v, control) for v in value]
    if not isinstance(value, Volume) or not isinstance(value.data, np.ndarray) or MEASURED in value.metadata:
        return value
    return replace(value, metadata={**value.metadata, MEASURED: content_hash(value.data, check=control.check)})


def _number(value: Any) -> str:
    """Return a number for an object: its own as long as it lives; a new one each time where that cannot be told."""
    global _count
    with _lock:
        key = id(value)
        known = _seen.get(key)
        if known is not None and known[0]() is value:
            return known[1]
        _count += 1
        number = str(_count)
        try:
            _seen[key] = (weakref.ref(value, lambda _: _forget(key)), number)
        except TypeError:
            return number
        return number


def _forget(key: int) -> None:
    known = _seen.get(key)
    if known is not None and known[0]() is None:
        del _seen[key]
