"""Reads one block of a Zarr array from a folder or a web server, whole chunks, whole shards or chunks inside large shards."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from math import ceil, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.errors import ReadError
from napari_lightbox.server.store.files import Files
from napari_lightbox.server.store.zarr_codecs import checked_crc, decoded, packed_bytes
from napari_lightbox.server.store.zarr_layout import Layout, Shards

Index = tuple[int, ...]
_ENTRY = 16
_CRC = 4
_ABSENT = 2**64 - 1


@dataclass(frozen=True)
class ZarrReader:
    """Reads blocks; travels to workers as a description.

    Parameters
    ----------
    files
        Where the files are.
    path
        Where the array lies among them; empty for the top.
    layout
        How it is stored.
    identity
        Text that changes with the metadata.
    """

    files: Files
    path: str
    layout: Layout
    identity: str

    def __call__(self, index: Index) -> NDArray[Any]:
        """Return a block.

        Raises
        ------
        ReadError
            It is damaged or does not come.
        AccessError
            It leads somewhere else.
        """
        layout, shards = self.layout, self.layout.shards
        inside = tuple(slice(0, n) for n in layout.card.chunk_shape(index))
        if layout.coding is not None:
            key = self._key(index)
            payload = self.files.get(key, packed_bytes(layout.stored, layout.coding))
            whole = None if payload is None else decoded(payload, layout.stored, layout.coding, self.files.name)
        elif shards is not None and layout.card.chunks == layout.stored:
            whole = self._shard(index, shards)
        else:
            whole = self._in_shard(index, shards) if shards is not None else None
        return self._empty(layout.card.chunk_shape(index)) if whole is None else whole[inside]

    def _key(self, index: Index) -> str:
        return "/".join(part for part in (self.path, self.layout.key(index)) if part)

    def _empty(self, shape: tuple[int, ...]) -> NDArray[Any]:
        return np.full(shape, np.frombuffer(self.layout.fill, self.layout.card.kind)[0])

    def _shard(self, index: Index, shards: Shards) -> NDArray[Any] | None:
        grid = _grid(self.layout.stored, shards)
        size = _table_size(grid, shards)
        most = size + prod(grid) * packed_bytes(shards.inner, shards.coding)
        content = self.files.get(self._key(index), most)
        if content is None:
            return None
        table = _table(content[-size:] if shards.at_end else content[:size], grid, shards, self.files.name)
        whole = self._empty(self.layout.stored)
        for inner in product(*map(range, grid)):
            start, count = map(int, table[inner])
            if start == count == _ABSENT:
                continue
            payload = content[start : start + count]
            box = tuple(slice(i * n, (i + 1) * n) for i, n in zip(inner, shards.inner, strict=True))
            whole[box] = decoded(payload, shards.inner, shards.coding, self.files.name)
        return whole

    def _in_shard(self, index: Index, shards: Shards) -> NDArray[Any] | None:
        grid = _grid(self.layout.stored, shards)
        key = self._key(tuple(i // g for i, g in zip(index, grid, strict=True)))
        table = _table_at(self, key, grid, shards)
        if table is None:
            return None
        start, count = map(int, table[tuple(i % g for i, g in zip(index, grid, strict=True))])
        if start == count == _ABSENT:
            return None
        if count > packed_bytes(shards.inner, shards.coding):
            raise ReadError(self.files.name, f"has a chunk of {count} bytes in {key}", "Copy it again from its source")
        payload = self.files.part(key, start, count) if count else b""
        return None if payload is None else decoded(payload, shards.inner, shards.coding, self.files.name)


@lru_cache(maxsize=256)
def _table_at(reader: ZarrReader, key: str, grid: Index, shards: Shards) -> NDArray[np.uint64] | None:
    """Return the table of a large shard; the chunks in it are asked for one after another."""
    size = _table_size(grid, shards)
    payload = reader.files.part(key, -size if shards.at_end else 0, size)
    return None if payload is None else _table(payload, grid, shards, reader.files.name)


def _grid(stored: tuple[int, ...], shards: Shards) -> Index:
    return tuple(ceil(n / c) for n, c in zip(stored, shards.inner, strict=True))


def _table_size(grid: Index, shards: Shards) -> int:
    return _ENTRY * prod(grid) + (_CRC if shards.checked else 0)


def _table(payload: bytes, grid: Index, shards: Shards, name: str) -> NDArray[np.uint64]:
    if len(payload) != _table_size(grid, shards):
        raise ReadError(name, "has a shard that is cut off", "Copy it again from its source")
    content = checked_crc(payload, name) if shards.checked else payload
    return np.frombuffer(content, "<u8").reshape(*grid, 2)
