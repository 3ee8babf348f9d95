"""An array on its way to the server: named by what it holds, its chunks sent when they are needed."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
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
from napari_lightbox.engine.schedule import compute_all, compute_blocks
from napari_lightbox.errors import InputError
from napari_lightbox.settings import settings
from napari_lightbox.wire import ArrayCard, bunch_parts, chunk_parts
from napari_lightbox.wire.hashing import hash_values
from napari_lightbox.wire.protocol import MOST_BUNCH_CHUNKS

# what is asked about together, and what then travels together: a request costs the server as much as half a megabyte
ASKED_BYTES, BUNCH_BYTES, QUICK = 2**21, 2**18, 0.1


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


Tell = Callable[[ArrayCard, Sequence[str] | None], tuple[Registration, list[int]]]


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

    Attributes
    ----------
    bunch
        How many chunks may be on their way at once: several when they are small, and quick to compute and to send.
    """

    def __init__(self, array: Any) -> None:
        self.array = array
        self.is_lazy = not isinstance(array, np.ndarray)
        itemsize = array.dtype.itemsize
        chunks = chunks_of_lazy(array.chunks, itemsize) if self.is_lazy else chunks_in_memory(array.shape, itemsize)
        self.card = ArrayCard.of(array, chunks)
        self.count = prod(self.card.grid)
        self._in_blocks = self.is_lazy and array.chunks == self.card.sizes
        self.registration: Registration | None = None
        self.bunch = 1
        size = prod(self.card.chunks) * itemsize
        self._most, self._together = (max(1, min(most // max(size, 1), MOST_BUNCH_CHUNKS)) for most in (ASKED_BYTES, BUNCH_BYTES))
        self._sent: set[int] = set()
        self._is_new = True

    @property
    def kind(self) -> Hashable:
        """What its chunks have in common with those of other arrays."""
        return self.card.kind.str, self.card.chunks

    def register(self, tell: Tell, control: Control) -> list[int]:
        """Tell the server about the array and return the chunks that it wants right away."""
        hashes = None if self.is_lazy else tuple(self._hashes(control))
        self.registration, missing = tell(self.card, hashes)
        return missing

    @property
    def id(self) -> str:
        """Its name on the server."""
        assert self.registration is not None
        return self.registration.id

    def expect(self, bunch: int) -> None:
        """Begin with as many chunks at once as such chunks could be sent before; what it found out itself counts more."""
        if self._is_new:
            self._is_new, self.bunch = False, bunch

    def send(self, connection: Connection, chunks: Sequence[int]) -> None:
        """Send chunks, but for those whose bytes the server has: from elsewhere, or because it asked before they came in."""
        begin = time.monotonic()
        self._send(connection, chunks)
        # whoever waits for the first of them must not wait long for the others
        took = time.monotonic() - begin
        more = max(self.bunch, len(chunks) * (4 if 2 * took < QUICK else 2))
        self.bunch = min(more, self._most) if took < QUICK else max(1, len(chunks) // 2)

    def _send(self, connection: Connection, chunks: Sequence[int]) -> None:
        values = dict(zip(chunks, self._chunks(chunks), strict=True))
        unsure = [number for number in chunks if self.is_lazy or number in self._sent]
        if unsure:
            told = [[number, hash_values(values[number])] for number in unsure]
            missing = numbers(connection.post(f"/v1/sources/{self.id}/known", {"chunks": told}), "missing", self.count)
            values = {number: chunk for number, chunk in values.items() if number in missing or number not in unsure}
        while values:
            bunch = {number: values.pop(number) for number in list(values)[: self._together]}
            self._put(connection, bunch)
            self._sent.update(bunch)

    def _put(self, connection: Connection, bunch: Mapping[int, NDArray[Any]]) -> None:
        if len(bunch) > 1:
            connection.put(f"/v1/sources/{self.id}/chunks", bunch_parts(bunch))
        for number, chunk in bunch.items() if len(bunch) == 1 else ():
            connection.put(f"/v1/sources/{self.id}/chunks/{number}", chunk_parts(chunk))

    def _hashes(self, control: Control) -> Iterator[str]:
        def hashed(number: int) -> str:
            control.check()
            return hash_values(*self._chunks([number]))

        with ThreadPoolExecutor(min(settings().threads, max(self.count, 1)), "lightbox-hash") as pool:
            yield from pool.map(hashed, range(self.count))

    def _chunks(self, chunks: Sequence[int]) -> list[NDArray[Any]]:
        indices = [place_of(number, self.card.grid) for number in chunks]
        parts = list(map(np.asarray, self._values(indices)))
        for index, part in zip(indices, parts, strict=True):
            shape = self.card.chunk_shape(index)
            if part.shape != shape or part.dtype.newbyteorder("<") != self.card.kind:
                raise InputError(
                    "input",
                    f"gives a chunk {part.dtype} {part.shape} where it promised {self.card.kind} {shape}",
                    "Build the dask array with the type and chunks that it really has",
                )
        return parts

    def _values(self, indices: Sequence[tuple[int, ...]]) -> list[Any]:
        if self._in_blocks:
            return compute_blocks(self.array, indices)
        parts = [self.array[self.card.box(index)] for index in indices]
        return compute_all(parts) if self.is_lazy else parts


def register(
    connection: Connection, card: ArrayCard, hashes: Sequence[str] | None, session: str | None = None
) -> tuple[Registration, list[int], bool]:
    """Tell the server about an array; returns its name there, the chunks that are missing, and whether the session holds it."""
    told = None if hashes is None else list(hashes)
    answer = connection.post("/v1/sources", {"card": card.to_json(), "hashes": told, "session": session})
    known = Registration(identity(field(answer, "id", str)), card, None if hashes is None else tuple(hashes))
    return known, numbers(answer, "missing", prod(card.grid)), answer.get("held") is True


def place_of(number: int, grid: Sequence[int]) -> tuple[int, ...]:
    """Return the index of a chunk from its number in C order."""
    index: list[int] = []
    for length in reversed(grid):
        number, i = divmod(number, length)
        index.append(i)
    return tuple(reversed(index))
