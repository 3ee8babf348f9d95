"""A store in a folder, and arrays to put into it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from napari_lightbox.server.store import Disk, Objects, Results, Source, Sources
from napari_lightbox.wire import ArrayCard, encode_chunk
from napari_lightbox.wire.hashing import hash_values

KINDS = ["|b1", "|i1", "|u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8", "<f2", "<f4", "<f8", "<c8", "<c16"]


@dataclass
class Store:
    folder: Path
    objects: Objects
    sources: Sources
    results: Results
    disk: Disk

    def restarted(self, **limits) -> Store:
        return make_store(self.folder, **limits)


def make_store(folder: Path, **limits) -> Store:
    disk = Disk(folder, **limits)
    objects = Objects(folder / "objects")
    return Store(folder, objects, Sources(folder / "sources", objects, disk), Results(folder / "results", disk), disk)


def values_of(kind: str, shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Any bits at all: NaN with payloads and the largest numbers too."""
    dtype, size = np.dtype(kind), int(np.prod(shape, dtype=int))
    random = np.random.default_rng(seed)
    if dtype.kind == "b":
        return random.integers(0, 2, shape).astype(bool)
    return np.frombuffer(random.bytes(size * dtype.itemsize), dtype).reshape(shape)


def hashes_of(data: np.ndarray, card: ArrayCard) -> list[str]:
    return [hash_values(data[card.box(index)]) for index in card.indices]


def send(
    store: Store,
    data: np.ndarray,
    chunks: tuple[int, ...],
    *,
    owner: str = "ada",
    declared: bool = True,
    only: object = None,
    codec: str = "raw",
) -> Source:
    """Register an array and send its chunks, or only those with some numbers."""
    card = ArrayCard.of(data, chunks)
    source = store.sources.register(card, hashes_of(data, card) if declared else None, owner)
    for n, index in enumerate(card.indices):
        if only is None or n in only:
            store.sources.put_chunk(source.id, n, encode_chunk(data[card.box(index)], codec), owner)
    return source
