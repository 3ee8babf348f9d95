"""One array that a client sends: its card, its chunks so far, and how a task reads one of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.errors import NotFoundError, ServerError, WireError
from napari_lightbox.server.store.hash_table import HashTable
from napari_lightbox.server.store.objects import object_path
from napari_lightbox.wire import ArrayCard

Index = tuple[int, ...]


@dataclass(frozen=True)
class Source:
    """One array that a client sends.

    Parameters
    ----------
    id
        Its name in the store.
    card
        Type, shape and chunks.
    folder
        Where the store keeps its tables.
    declared
        Whether the hashes of all chunks were told beforehand; otherwise the client sends chunks when it is asked for them.
    """

    id: str
    card: ArrayCard
    folder: Path
    declared: bool

    @property
    def chunks(self) -> int:
        """Number of chunks."""
        return prod(self.card.grid)

    @property
    def present(self) -> int:
        """Number of chunks that are there."""
        return len(self.table.present())

    @property
    def table(self) -> HashTable:
        """The hashes of the chunks that are there."""
        return HashTable(self.folder / "hashes")

    @property
    def promises(self) -> HashTable:
        """The hashes that were told beforehand."""
        return HashTable(self.folder / "declared")

    def index(self, n: Any) -> Index:
        """Return the index of a chunk in the grid from its number in C order.

        Raises
        ------
        WireError
            There is no such chunk.
        """
        if type(n) is not int or not 0 <= n < self.chunks:
            raise WireError("chunk", f"{str(n)[:40]} is not one of {self.chunks}", "Ask for chunks that exist")
        return tuple(int(i) for i in np.unravel_index(n, self.card.grid)) if self.card.grid else ()

    def number(self, index: Index) -> int:
        """Return the number in C order of a chunk."""
        return number_of(self.card, index)

    def nbytes(self, n: int) -> int:
        """Return the size of a chunk."""
        return prod(self.card.chunk_shape(self.index(n))) * self.card.kind.itemsize

    def sizes(self) -> NDArray[np.int64]:
        """Return the size of every chunk."""
        sides = (np.array(sizes, np.int64) for sizes in self.card.sizes)
        return reduce(lambda whole, side: np.multiply.outer(whole, side), sides, np.array(self.card.kind.itemsize)).reshape(-1)

    def held(self) -> int:
        """Return the size of all chunks that are there."""
        return int(self.sizes()[self.table.present()].sum())

    def reader(self, objects: Path) -> ChunkReader:
        """Return what reads its chunks, wherever the folders of the store can be seen."""
        return ChunkReader(self.folder / "hashes", objects, self.card)


@dataclass(frozen=True)
class ChunkReader:
    """Reads one chunk; travels to workers as a few paths and opens nothing before it is called."""

    table: Path
    objects: Path
    card: ArrayCard

    def __call__(self, index: Index) -> NDArray[Any]:
        """Return a chunk, read-only.

        Raises
        ------
        NotFoundError
            It has not arrived.
        ServerError
            The store lost it.
        """
        shape, n = self.card.chunk_shape(index), number_of(self.card, index)
        try:
            name = HashTable(self.table)[n]
        except FileNotFoundError:
            raise NotFoundError("source", "was deleted", "Send the array again") from None
        if name is None:
            raise NotFoundError("source", f"lacks chunk {n}", "Send it, then run the job again")
        try:
            payload = object_path(self.objects, name).read_bytes()
        except FileNotFoundError:
            payload = b""
        if len(payload) != prod(shape) * self.card.kind.itemsize:
            raise ServerError("source", f"lost chunk {n}: its file is missing or cut off", "Send the array again")
        return np.frombuffer(payload, self.card.kind).reshape(shape)


def number_of(card: ArrayCard, index: Index) -> int:
    """Return the number in C order of a chunk."""
    n = 0
    for i, length in zip(index, card.grid, strict=True):
        n = n * length + i
    return n
