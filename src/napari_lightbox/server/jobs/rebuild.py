"""A request that came over the network, with lazy arrays in place of its references."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, replace
from typing import Any

import dask.array as da
import numpy as np

from napari_lightbox.contract import registry
from napari_lightbox.engine.control import Control
from napari_lightbox.engine.encoding import decode
from napari_lightbox.engine.request import Request
from napari_lightbox.engine.schedule import compute_all
from napari_lightbox.errors import InputError, LightboxError, WireError
from napari_lightbox.server.jobs.supplies import Earlier, Pushed, ResultReader, Supply, Waiting
from napari_lightbox.server.store.read_layer import Read, lazy_array

LARGEST_BARE = 2**26
_LAZY = ("volume", "array")
Get = Callable[[str], Any]


@dataclass(frozen=True)
class Inputs:
    """Finds the arrays behind the references of one job.

    Parameters
    ----------
    job_id
        Who reads them.
    services
        Where they are.
    supplies
        Gets an entry for each array whose chunks may not be there yet.
    waiting
        Where it is given, blocks wait for their chunks by themselves, and stop with it; they cannot leave this process.
    """

    job_id: str
    services: Any
    supplies: MutableMapping[str, Supply]
    waiting: Control | None = None

    def __call__(self, reference: str) -> da.Array:
        """Return the lazy array behind a reference.

        Raises
        ------
        NotFoundError, GoneError
            There is nothing of this name.
        WireError
            It is no reference.
        """
        kind, _, name = str(reference).partition(":")
        finders: dict[str, Callable[[str], da.Array]] = {
            "source": self._source, "reference": self._reference, "array": self._result,
        }  # fmt: skip
        if kind not in finders:
            raise WireError("request", f"refers to {str(reference)[:40]!r}", "Use a client of this version")
        return finders[kind](name)

    def _source(self, name: str) -> da.Array:
        services = self.services
        source = services.sources.get(name)
        supply = Pushed(self.job_id, source, services.arrivals, services.held)
        if self.waiting is not None:
            return self._array(f"source-{name}", supply, source.reader(services.objects.folder))
        array: da.Array = services.sources.array(name)
        self.supplies[array.name] = supply
        return array

    def _reference(self, name: str) -> da.Array:
        array: da.Array = self.services.references.get(name).volume.data
        return array

    def _result(self, name: str) -> da.Array:
        result = self.services.results.open(name)
        supply = Earlier(result, self.services.table, self.services.wishes)
        return self._array(f"array-{name}", supply, ResultReader(result))

    def _array(self, name: str, supply: Supply, read: Read) -> da.Array:
        self.supplies[name] = supply
        array: da.Array = lazy_array(name, supply.card, read if self.waiting is None else Waiting(supply, read, self.waiting))
        return array


def rebuild(data: Mapping[str, Any], get: Get, control: Control) -> Request:
    """Return the request; Volumes are lazy, tables, points and the like are fetched.

    Raises
    ------
    WireError
        It is none.
    """

    def now(reference: str) -> Any:
        return compute_all([get(reference)], control)[0]

    return _decoded(data, get, now)


def check(data: Mapping[str, Any], get: Get) -> Request:
    """Return the request with empty tables and points, to find out early what is wrong with it.

    Raises
    ------
    UnknownTechniqueError, NotFoundError, WireError
        It cannot be run.
    """

    def later(reference: str) -> Any:
        array = get(reference)
        return np.broadcast_to(np.zeros((), array.dtype), array.shape)

    request = _decoded(data, get, later)
    registry.get(request.technique)
    return request


def _decoded(data: Mapping[str, Any], lazy: Get, now: Get) -> Request:
    try:
        request = Request.from_json({**data, "inputs": [], "mask": None}, lazy)
        inputs = tuple(_value(value, lazy, now) for value in data["inputs"])
        return replace(request, inputs=inputs, mask=_value(data["mask"], lazy, now))
    except LightboxError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        raise WireError("request", "cannot be read", "Use a client of this version") from None


def _value(value: Any, lazy: Get, now: Get) -> Any:
    kind = value.get("kind") if isinstance(value, Mapping) else None
    if kind == "list":
        return [_value(item, lazy, now) for item in value["items"]]
    decoded = decode(value, lazy if kind in _LAZY else now)
    if isinstance(decoded, da.Array) and decoded.nbytes > LARGEST_BARE:
        # without axes nothing can be said about the blocks of the result before all of it is there
        raise InputError("input", f"is a bare array of {decoded.nbytes} bytes", "Pass a Volume, which names its axes")
    return decoded
