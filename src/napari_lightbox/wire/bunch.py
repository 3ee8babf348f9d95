"""Several small chunks of one array as one body, because a request costs more than a few kilobytes.

Layout, little-endian: for each chunk its number (8) and its length (8), then the chunk as in `wire.chunk`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import Any

from napari_lightbox.errors import WireError
from napari_lightbox.wire.chunk import chunk_parts
from napari_lightbox.wire.protocol import MOST_BUNCH_CHUNKS

_RECORD = struct.Struct("<QQ")


def bunch_parts(chunks: Mapping[int, Any]) -> list[bytes | memoryview]:
    """Return chunks by their numbers as bytes, in parts that follow each other."""
    parts: list[bytes | memoryview] = []
    for number, values in chunks.items():
        head, payload = chunk_parts(values)
        parts += [_RECORD.pack(number, len(head) + len(payload)), head, payload]
    return parts


def chunks_of_bunch(body: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield number and bytes of each chunk.

    Raises
    ------
    WireError
        It is cut short, or holds more chunks than may travel together.
    """
    at = count = 0
    while at < len(body):
        start, count = at + _RECORD.size, count + 1
        if start > len(body):
            raise WireError("chunks", "are cut short", "Send them again")
        number, length = _RECORD.unpack_from(body, at)
        at = start + length
        if at > len(body):
            raise WireError("chunks", f"are cut short: number {number} says that it has {length} bytes", "Send them again")
        if count > MOST_BUNCH_CHUNKS:
            raise WireError("chunks", f"are more than {MOST_BUNCH_CHUNKS}", "Send fewer at once")
        yield number, body[start:at]
