"""A result that lies on a server: fetched chunk by chunk when somebody looks at it, or as a whole."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from math import prod
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

import numpy as np
from dask._task_spec import GraphNode, Task
from numpy.typing import NDArray

from napari_lightbox.client.answers import field, identity
from napari_lightbox.client.link import Link
from napari_lightbox.engine.layers import OnDemandLayer
from napari_lightbox.errors import LightboxError
from napari_lightbox.settings import settings
from napari_lightbox.wire import ArrayCard

if TYPE_CHECKING:
    import dask.array as da

THREADS = 4
RESULT_SHARE = 0.5

Index = tuple[int, ...]


class Maker(Protocol):
    """The job that makes a result."""

    def still_making(self, error: LightboxError) -> None:
        """Return while what the server does not have yet may still come; raise `error`, or why it never will, otherwise."""

    def explain(self, error: LightboxError) -> NoReturn:
        """Raise why a result cannot be had: what ended the job, or `error` when that was something else."""

    def check(self) -> None:
        """Raise when nobody wants the result any more."""


class RemoteArray:
    """One array on the server.

    Parameters
    ----------
    link
        Way to the server.
    id
        Its name there.
    maker
        The job that makes it.
    card
        Type, shape and chunks, when the server has told them already.

    Raises
    ------
    LightboxError
        The server does not know it, or describes it in a way that cannot be.
    """

    def __init__(self, link: Link, id: str, maker: Maker, card: ArrayCard | None = None) -> None:  # noqa: A002
        self._link = link
        self._maker = maker
        self.id = identity(id)
        self.card = card or ArrayCard.from_json(field(link.connection.get(f"/v1/arrays/{self.id}/card"), "card", dict))

    @property
    def nbytes(self) -> int:
        """Bytes of the whole array."""
        return prod(self.card.shape) * self.card.kind.itemsize

    def chunk(self, index: Index) -> NDArray[Any]:
        """Return one chunk, read-only; waits for it while the job runs."""
        key = (self.id, index)
        values = self._link.cache.get(key)
        if values is None:
            values = self._fetch(index)
            values.flags.writeable = False
            self._link.cache.put(key, values, self._chunk_bytes)
        self._link.session.touch()
        return values

    def lazy(self) -> da.Array:
        """Return a dask array that fetches a chunk when it is computed."""
        import dask.array as da
        from dask.highlevelgraph import HighLevelGraph

        card = self.card
        if 0 in card.shape or not card.shape:
            return da.from_array(self.read(), name=f"remote-{self.id}")
        name = f"remote-{self.id}"
        layer = RemoteLayer(name, self)
        graph = HighLevelGraph({name: layer}, {name: set()})
        array = da.Array(graph, name, card.sizes, dtype=card.kind, meta=np.empty((0,) * len(card.shape), card.kind))
        return self._link.lies_there(array, f"array:{self.id}")

    def read(self) -> Any:
        """Return the whole array: as NumPy while it fits into half of the memory budget, else as a dask array on disk."""
        if self.nbytes > settings().memory_budget * RESULT_SHARE:
            from napari_lightbox.engine.control import Control
            from napari_lightbox.engine.materialise import materialise

            return materialise([self.lazy()], Control(lambda *_: self._maker.check()))[0]
        result = np.empty(self.card.shape, self.card.kind)

        def take(index: Index) -> None:
            self._maker.check()
            part = result[self.card.box(index)]
            if part.shape == self.card.chunks and part.flags.c_contiguous:
                self._fill(index, part)
            else:
                part[...] = self._fetch(index)

        count = prod(self.card.grid)
        if count <= 1:
            for index in self.card.indices:
                take(index)
            return result
        with ThreadPoolExecutor(min(THREADS, count), "lightbox-fetch") as pool:
            try:
                for _ in pool.map(take, self.card.indices):
                    pass
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return result

    @property
    def _chunk_bytes(self) -> int:
        return prod(self.card.chunks) * self.card.kind.itemsize

    def _fetch(self, index: Index) -> NDArray[Any]:
        """Return a chunk; those at the edges travel with padding."""
        whole = np.empty(self.card.chunks, self.card.kind)
        self._fill(index, whole)
        return whole[tuple(slice(0, n) for n in self.card.chunk_shape(index))]

    def _fill(self, index: Index, target: NDArray[Any]) -> None:
        path = "/".join((f"/v1/arrays/{self.id}/c", *map(str, index)))
        memory: Any = target.reshape(-1).view(np.uint8)
        try:
            self._link.connection.fetch(path, memoryview(memory), self._maker.still_making)
        except LightboxError as error:
            self._maker.explain(error)


class RemoteLayer(OnDemandLayer):
    """A graph layer with one task per chunk of a result."""

    def __init__(self, name: str, array: RemoteArray) -> None:
        super().__init__(name, array.card.grid)
        self.array = array

    def make(self, index: Index) -> dict[Any, GraphNode]:
        """Return the task that fetches one chunk."""
        key = (self.name, *index)
        return {key: Task(key, self.array.chunk, index)}
