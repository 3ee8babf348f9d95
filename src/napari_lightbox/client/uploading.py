"""An array on its way to the server: named by what it holds, its chunks sent when they are needed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.client.answers import field, identity, numbers
from napari_lightbox.client.connection import Connection
from napari_lightbox.client.grid import chunks_in_memory, chunks_of_lazy
from napari_lightbox.engine.control import Control
from napari_lightbox.engine.schedule import compute_all
from napari_lightbox.errors import InputError
from napari_lightbox.settings import settings
from napari_lightbox.wire import ArrayCard, chunk_parts
from napari_lightbox.wire.hashing import hash_values


@dataclass(frozen=True)
class Registration:
    """What a server knows an array by.

    Parameters
    ----------
    id
        Its name over there.
    card
        Type, shape and chunks.
    hashes
        What each chunk holds; None for arrays that are computed chunk by chunk.
    """

    id: str
    card: ArrayCard
    hashes: tuple[str, ...] | None = None


class Upload:
    """An array whose chunks a server may ask for.

    Parameters
    ----------
    array
        NumPy or dask array.

    Raises
    ------
    LightboxError
        An array of a kind that does not travel.
    """

    def __init__(self, array: Any) -> None:
        self.array = array
        self.is_lazy = not isinstance(array, np.ndarray)
        itemsize = array.dtype.itemsize
        chunks = chunks_of_lazy(array.chunks, itemsize) if self.is_lazy else chunks_in_memory(array.shape, itemsize)
        self.card = ArrayCard.of(array, chunks)
        self.count = prod(self.card.grid)
        self.registration: Registration | None = None
        self._sent: set[int] = set()

    def register(self, connection: Connection, control: Control) -> list[int]:
        """Tell the server about the array and return the chunks that it wants right away."""
        hashes = None if self.is_lazy else tuple(self._hashes(control))
        self.registration, missing = register(connection, self.card, hashes)
        return missing

    @property
    def id(self) -> str:
        """Its name on the server."""
        assert self.registration is not None
        return self.registration.id

    def send(self, connection: Connection, number: int) -> None:
        """Send one chunk, unless the server has its bytes already: from elsewhere, or because it asked before they came in."""
        values = self._chunk(number)
        if self.is_lazy or number in self._sent:
            answer = connection.post(f"/v1/sources/{self.id}/known", {"chunks": [[number, hash_values(values)]]})
            if number not in numbers(answer, "missing", self.count):
                return
        connection.put(f"/v1/sources/{self.id}/chunks/{number}", chunk_parts(values))
        self._sent.add(number)

    def _hashes(self, control: Control) -> Iterator[str]:
        def hashed(number: int) -> str:
            control.check()
            return hash_values(self._chunk(number))

        with ThreadPoolExecutor(min(settings().threads, max(self.count, 1)), "lightbox-hash") as pool:
            yield from pool.map(hashed, range(self.count))

    def _chunk(self, number: int) -> NDArray[Any]:
        index = place_of(number, self.card.grid)
        part, shape = self.array[self.card.box(index)], self.card.chunk_shape(index)
        if self.is_lazy:
            part = np.asarray(*compute_all([part]))
        if part.shape != shape or part.dtype.newbyteorder("<") != self.card.kind:
            raise InputError(
                "input",
                f"gives a chunk {part.dtype} {part.shape} where it promised {self.card.kind} {shape}",
                "Build the dask array with the type and chunks that it really has",
            )
        values: NDArray[Any] = part
        return values


def register(connection: Connection, card: ArrayCard, hashes: Sequence[str] | None) -> tuple[Registration, list[int]]:
    """Tell the server about an array; returns its name there and the chunks that are missing."""
    told = None if hashes is None else list(hashes)
    answer = connection.post("/v1/sources", {"card": card.to_json(), "hashes": told})
    known = Registration(identity(field(answer, "id", str)), card, None if hashes is None else tuple(hashes))
    return known, numbers(answer, "missing", prod(card.grid))


def place_of(number: int, grid: Sequence[int]) -> tuple[int, ...]:
    """Return the index of a chunk from its number in C order."""
    index: list[int] = []
    for length in reversed(grid):
        number, i = divmod(number, length)
        index.append(i)
    return tuple(reversed(index))
