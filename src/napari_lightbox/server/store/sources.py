"""The arrays that clients send: registered by a card, filled chunk by chunk, and still there after a restart."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from napari_lightbox.errors import NotFoundError, WireError
from napari_lightbox.server.store.disk import Disk
from napari_lightbox.server.store.hash_table import packed
from napari_lightbox.server.store.ids import new_id
from napari_lightbox.server.store.objects import Objects
from napari_lightbox.server.store.owners import Owners, Pins
from napari_lightbox.server.store.promises import check_promise, check_same, found, pair_of
from napari_lightbox.server.store.read_layer import lazy_array
from napari_lightbox.server.store.shelf import Shelf, described
from napari_lightbox.server.store.source import Source
from napari_lightbox.wire import ArrayCard, payload_of
from napari_lightbox.wire.hashing import hash_of


class Sources:
    """The arrays that clients send.

    Parameters
    ----------
    folder
        Where cards and tables lie.
    objects
        Where the bytes lie.
    disk
        Counts what users store, and sets the bounds; without one there are none.
    """

    def __init__(self, folder: Path, objects: Objects, disk: Disk | None = None) -> None:
        self.objects = objects
        self.disk = disk or Disk(folder)
        self._shelf = Shelf(folder)
        self._pins = Pins()
        self._lock = threading.RLock()
        for source in self:
            self._count(Owners(source.folder).all(), source.held())

    def __iter__(self) -> Iterator[Source]:
        """Return all that are registered."""
        return iter(self._shelf)

    def register(self, card: ArrayCard, hashes: Sequence[Any] | None, owner: str) -> Source:
        """Make room for an array; chunks that the store holds already are there at once.

        Parameters
        ----------
        card
            Type, shape and chunks.
        hashes
            One for each chunk in C order; the same array then has the same id. None when the client sends chunks on demand.
        owner
            Who sends it.

        Raises
        ------
        WireError
            The hashes are not one for each chunk.
        QuotaError, SpaceError
            What is there already is more than the user may have.
        """
        declared = None if hashes is None else packed(hashes, prod(card.grid))
        name = new_id() if declared is None else hash_of(described(card, True) + declared)
        with self.disk.room(owner, 0 if declared is None else len(declared)), self._lock:
            if name not in self._shelf:
                self._shelf.create(name, card, declared)
            source = self.get(name)
            self._own(source, owner)
        if declared is not None:
            self._enter_held(source, owner)
        return source

    def get(self, source_id: str) -> Source:
        """Return an array that was registered.

        Raises
        ------
        NotFoundError
            It was not, or is gone.
        """
        return self._shelf.get(source_id)

    def put_chunk(self, source_id: str, n: int, body: bytes | Sequence[bytes], owner: str | None = None) -> None:
        """Take in a chunk.

        Parameters
        ----------
        source_id, n
            Which chunk of which array.
        body
            What `wire.encode_chunk` made of it, in one or more parts.
        owner
            Whose quota bounds it; None looks at the disk alone.

        Raises
        ------
        NotFoundError
            The array is not registered.
        WireError
            It is damaged, another chunk than was promised, or another than was sent before.
        QuotaError, SpaceError
            It does not fit.
        """
        source = self.get(source_id)
        parts = [body] if isinstance(body, bytes) else body
        payload = payload_of(parts, source.card.chunk_shape(source.index(n)), source.card.kind)
        if source.card.kind.kind == "b" and any(np.frombuffer(part, np.uint8).max(initial=0) > 1 for part in payload):
            raise WireError("chunk", "holds booleans that are neither true nor false", "Send the chunk again")
        name, size = hash_of(*payload), source.nbytes(n)
        if check_promise(source, n, name) is None or not self.objects.has(name, size):
            with self.disk.room(owner, size):
                self.objects.put(name, *payload, checked=True)
                self._enter(source, {n: name})

    def link(self, source_id: str, pairs: Iterable[Any], owner: str | None = None) -> list[int]:
        """Enter chunks by their hashes where the store holds the bytes already; return the numbers of those it lacks.

        Raises
        ------
        NotFoundError
            The array is not registered.
        WireError
            A pair is none, or the hash is another than was promised.
        QuotaError, SpaceError
            They do not fit.
        """
        source, missing = self.get(source_id), []
        for n, name in map(pair_of, pairs):
            size = source.nbytes(n)
            check_promise(source, n, name)
            if not self.objects.hold(name, size):
                missing.append(n)
                continue
            with self.disk.room(owner, size):
                self._enter(source, {n: name})
        return missing

    def missing(self, source_id: str, chunks: Iterable[int] | None = None) -> list[int]:
        """Return which of some chunks, or of all, are not there; what the disk lost counts as never sent."""
        source = self.get(source_id)
        numbers = list(range(source.chunks) if chunks is None else map(int, chunks))
        sizes = [source.nbytes(n) for n in numbers]
        lacking = []
        for n, size, name in zip(numbers, sizes, source.table.look_up(numbers), strict=True):
            if name is None:
                lacking.append(n)
            elif not self.objects.has(name, size):
                self._enter(source, {n: None})
                lacking.append(n)
        return lacking

    def array(self, source_id: str) -> Any:
        """Return the dask array; each task reads one chunk, and fails when the chunk is not there by then."""
        source = self.get(source_id)
        self._shelf.touch(source.id)
        return lazy_array(f"source-{source.id}", source.card, source.reader(self.objects.folder))

    def owners(self, source_id: str) -> frozenset[str]:
        """Return who sent an array."""
        return Owners(self.get(source_id).folder).all()

    def pin(self, source_id: str, holder: str) -> None:
        """Keep an array for a session or a job.

        Raises
        ------
        NotFoundError
            It is not registered, or gone.
        """
        with self._lock:
            self._pins.add(self.get(source_id).id, holder)
            self._shelf.touch(source_id)

    def unpin(self, holder: str, source_id: str | None = None) -> None:
        """Let go of one array, or of all that a session or a job holds; those that nobody owns any more go."""
        for name in self._pins.drop(holder, source_id):
            with suppress(NotFoundError):
                self._shelf.touch(name)
                self._drop_if_unwanted(self.get(name))

    def delete(self, source_id: str, owner: str) -> None:
        """Take an array from its owner; it goes when nobody else owns or holds it."""
        with self._lock:
            source = self.get(source_id)
            before = Owners(source.folder).all()
            Owners(source.folder).set(before - {owner})
            self._count(before & {owner}, -source.held())
            self._drop_if_unwanted(source)

    def expire(self, idle: float, keep: Collection[str] = ()) -> list[str]:
        """Remove what nobody holds and nobody used for some seconds, but for the ids in `keep`; return what went."""
        deadline, gone = time.time() - idle, []
        for source in self:
            with self._lock:
                wanted = source.id in keep or source.id in self._pins or self._shelf.used(source.id) > deadline
                if not wanted:
                    self._count(Owners(source.folder).all(), -source.held())
                    self._shelf.remove(source.id)
                    gone.append(source.id)
        return gone

    def in_use(self) -> set[str]:
        """Return the hashes of all chunks that are there, for the sweep of the objects."""
        with self._lock:
            return set().union(*(source.table.names() for source in self))

    def _enter_held(self, source: Source, owner: str) -> None:
        """Enter the promised chunks whose bytes are there, and take out those whose bytes are gone."""
        changes = found(source, self.objects)
        more = sum(source.nbytes(n) for n, name in changes.items() if name is not None)
        with self.disk.room(owner, more):
            self._enter(source, changes)

    def _own(self, source: Source, owner: str) -> None:
        before, size = Owners(source.folder).all(), source.held()
        self._shelf.touch(source.id)
        if owner in before:
            return
        try:
            with self.disk.room(owner, size):
                Owners(source.folder).set(before | {owner})
        except BaseException:
            self._drop_if_unwanted(source)
            raise
        self._count({owner}, size)

    def _enter(self, source: Source, changes: Mapping[int, str | None]) -> None:
        """Write down which chunks came and went, and count them."""
        with self._lock:
            more = 0
            for n, name in changes.items():
                known = source.table[n]
                check_same(n, known, name)
                if known != name:
                    source.table[n] = name
                    more += source.nbytes(n) * (1 if known is None else -1)
            self._count(Owners(source.folder).all() if more else (), more)

    def _drop_if_unwanted(self, source: Source) -> None:
        with self._lock:
            if source.id not in self._pins and not Owners(source.folder).all():
                self._shelf.remove(source.id)

    def _count(self, owners: Iterable[str], nbytes: int) -> None:
        for owner in owners:
            self.disk.add(owner, nbytes)
