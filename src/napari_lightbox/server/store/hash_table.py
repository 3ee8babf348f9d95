"""Which object each chunk of an array is: a file of 16 bytes for each chunk, zeros for one that is not there yet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.errors import WireError
from napari_lightbox.wire.hashing import HASH_BYTES, checked_hash

NOTHING = bytes(HASH_BYTES)


@dataclass(frozen=True)
class HashTable:
    """One table; the file may change under it, and every look sees what is there now."""

    path: Path

    def create(self, count: int) -> None:
        """Make a table without any chunk."""
        with self.path.open("xb") as file:
            file.truncate(count * HASH_BYTES)

    def __getitem__(self, n: int) -> str | None:
        """Return the hash of a chunk, None where it is not there."""
        with self.path.open("rb", buffering=0) as file:
            file.seek(n * HASH_BYTES)
            found = file.read(HASH_BYTES)
        return found.hex() if len(found) == HASH_BYTES and found != NOTHING else None

    def __setitem__(self, n: int, name: str | None) -> None:
        """Enter the hash of a chunk, or take it out."""
        with self.path.open("r+b", buffering=0) as file:
            file.seek(n * HASH_BYTES)
            file.write(NOTHING if name is None else bytes.fromhex(name))

    def look_up(self, numbers: Iterable[int]) -> list[str | None]:
        """Return the hashes of some chunks."""
        with self.path.open("rb") as file:
            found = [file.read(HASH_BYTES) for n in numbers if file.seek(n * HASH_BYTES) >= 0]
        return [None if row == NOTHING else row.hex() for row in found]

    def rows(self) -> NDArray[np.uint8]:
        """Return all of it, one row for each chunk."""
        return np.fromfile(self.path, np.uint8).reshape(-1, HASH_BYTES)

    def present(self) -> NDArray[np.intp]:
        """Return the numbers of the chunks that are there."""
        return np.flatnonzero(self.rows().any(axis=1))

    def names(self) -> set[str]:
        """Return the different hashes in it."""
        return {row.tobytes().hex() for row in np.unique(self.rows(), axis=0)} - {NOTHING.hex()}


def packed(hashes: Sequence[Any], count: int) -> bytes:
    """Return the hashes that somebody sent as the bytes of a full table.

    Raises
    ------
    WireError
        They are not one for each chunk, or something else than hashes.
    """
    if len(hashes) != count:
        raise WireError("array", f"has {count} chunks and {len(hashes)} hashes", "Give one hash for each chunk")
    rows = [bytes.fromhex(checked_hash(name)) for name in hashes]
    if NOTHING in rows:
        raise WireError("hash", "of nothing but zeros stands for a chunk that is not there", "Send the hash of the chunk")
    return b"".join(rows)
