"""What a client said about the chunks of an array, and whether it keeps to it."""

from __future__ import annotations

from typing import Any

from napari_lightbox.errors import WireError
from napari_lightbox.server.store.objects import Objects
from napari_lightbox.server.store.source import Source
from napari_lightbox.wire.hashing import checked_hash


def pair_of(pair: Any) -> tuple[int, str]:
    """Return the number and the hash of a chunk that somebody sent.

    Raises
    ------
    WireError
        They are none.
    """
    if not isinstance(pair, (list, tuple)) or len(pair) != 2:
        raise WireError("chunks", "are not pairs of a number and a hash", "Use a client of this version")
    return pair[0], checked_hash(pair[1])


def check_promise(source: Source, n: int, name: str) -> str | None:
    """Refuse other bytes than were promised, or than were there before; return what was there before.

    Raises
    ------
    WireError
        They are other bytes.
    """
    if source.declared and source.promises[n] != name:
        raise WireError("chunk", f"{n} is not what was promised", "Send the array again with the hashes of what it holds now")
    known = source.table[n]
    check_same(n, known, name)
    return known


def check_same(n: int, known: str | None, name: str | None) -> None:
    """Refuse to replace a chunk: whoever has read it would be wrong.

    Raises
    ------
    WireError
        Other bytes are there.
    """
    if known is not None and name not in (None, known):
        raise WireError("chunk", f"{n} is not what was sent before", "Send the array again under a new id")


def found(source: Source, objects: Objects) -> dict[int, str | None]:
    """Return the promised chunks that are held but not entered, by their hashes, and None for those that got lost."""
    changes: dict[int, str | None] = {}
    for n, (wanted, known, size) in enumerate(zip(source.promises.rows(), source.table.rows(), source.sizes(), strict=True)):
        name, there = wanted.tobytes().hex(), known.any()
        if there and not objects.has(name, int(size)):
            changes[n] = None
        elif not there and objects.hold(name, int(size)):
            changes[n] = name
    return changes
