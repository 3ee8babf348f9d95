"""One chunk of an array as bytes: exact in type, order and value, and checked before anything is allocated.

Layout, little-endian: magic (4), protocol, codec, number of axes and length of the type's name (1 each), the name, the lengths of
the axes (8 each), the length of the payload (8), the payload: values in C order.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.errors import WireError
from napari_lightbox.wire.dtypes import name_of, type_of
from napari_lightbox.wire.protocol import CODECS, MAGIC, MOST_AXES, MOST_CHUNK_BYTES, PROTOCOL, Codec

_FIXED = struct.Struct("<4sBBBB")
_LENGTH = struct.Struct("<Q")
_RESEND = "Send the chunk again"
# both counts in front fit one byte
_LONGEST_HEAD = _FIXED.size + 255 + _LENGTH.size * 256


def encode_chunk(values: Any, codec: Codec = "raw") -> bytes:
    """Return a chunk as bytes; see `chunk_parts`."""
    return b"".join(chunk_parts(values, codec))


def chunk_parts(values: Any, codec: Codec = "raw") -> tuple[bytes, bytes | memoryview]:
    """Return head and payload of a chunk; the payload of a raw one is the memory of the array where that lies as it travels.

    Parameters
    ----------
    values
        Array of any shape and byte order.
    codec
        ``"raw"`` for fast networks; ``"zlib"`` where the network is slower than a core compresses.

    Raises
    ------
    WireError
        Its type does not travel, or it is too large.
    """
    name, array = name_of(values.dtype), np.asarray(values)
    if array.ndim > MOST_AXES or array.nbytes > MOST_CHUNK_BYTES:
        raise WireError(
            "chunk", f"has {array.ndim} axes and {array.nbytes} bytes", f"Send at most {MOST_CHUNK_BYTES} bytes at once"
        )
    plain: bytes | memoryview = np.ascontiguousarray(array, np.dtype(name)).reshape(-1).view(np.uint8).data
    payload = zlib.compress(plain, 1) if codec == "zlib" else plain
    head = _FIXED.pack(MAGIC, PROTOCOL, CODECS.index(codec), array.ndim, len(name)) + name.encode("ascii")
    return b"".join((head, *(_LENGTH.pack(n) for n in array.shape), _LENGTH.pack(len(payload)))), payload


def decode_chunk(data: bytes, shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    """Return the chunk, read-only, when it is what was promised; see `payload_of`."""
    (payload,) = payload_of([data], shape, dtype)
    return np.frombuffer(payload, np.dtype(dtype).newbyteorder("<")).reshape(shape)


def payload_of(parts: Sequence[bytes], shape: tuple[int, ...], dtype: Any) -> list[memoryview]:
    """Return the values of a chunk as they came, in one or more parts, when they are what was promised.

    Parameters
    ----------
    parts
        What came over the wire, in order.
    shape, dtype
        What the card of the array says about this chunk.

    Raises
    ------
    WireError
        It is damaged, cut short, of another version, larger than it says, or another chunk.
    """
    begin = parts[0] if parts and len(parts[0]) >= _LONGEST_HEAD else b"".join(parts)[:_LONGEST_HEAD]
    codec, told, kind, start = _head(begin, sum(map(len, parts)))
    if told != tuple(shape) or kind != np.dtype(dtype).newbyteorder("<"):
        raise WireError("chunk", f"is {kind} {told}, promised was {np.dtype(dtype)} {tuple(shape)}", _RESEND)
    payload, expected = _after(parts, start), prod(told) * kind.itemsize
    if codec == "zlib":
        payload = [memoryview(_inflated(b"".join(payload), expected))]
    size = sum(map(len, payload))
    if size != expected:
        raise WireError("chunk", f"holds {size} bytes instead of {expected}", _RESEND)
    return payload


def _after(parts: Sequence[bytes], start: int) -> list[memoryview]:
    """Return what comes after the first bytes, at least one part."""
    rest: list[memoryview] = []
    for part in parts:
        if start < len(part):
            rest.append(memoryview(part)[start:])
        start = max(start - len(part), 0)
    return rest or [memoryview(b"")]


def _head(data: bytes, total: int) -> tuple[str, tuple[int, ...], np.dtype[Any], int]:
    """Return codec, shape, type and where the payload starts, of a chunk with so many bytes."""
    try:
        magic, protocol, codec, ndim, length = _FIXED.unpack_from(data)
        at = _FIXED.size + length
        name = bytes(data[_FIXED.size : at]).decode("ascii")
        lengths = struct.unpack_from(f"<{ndim + 1}Q", data, at)
    except (struct.error, UnicodeDecodeError):
        raise WireError("chunk", "is cut short or damaged", _RESEND) from None
    if magic != MAGIC or protocol != PROTOCOL or codec >= len(CODECS) or ndim > MOST_AXES:
        raise WireError("chunk", "is none of this protocol", "Use the same version of napari-lightbox on both sides")
    *shape, size = lengths
    start, dtype = at + _LENGTH.size * (ndim + 1), type_of(name)
    if prod(shape) * dtype.itemsize > MOST_CHUNK_BYTES:
        raise WireError("chunk", f"says that it is {dtype} {tuple(shape)}", f"Send at most {MOST_CHUNK_BYTES} bytes at once")
    if total - start != size:
        raise WireError("chunk", f"has {total - start} bytes after its head instead of {size}", _RESEND)
    return CODECS[codec], tuple(shape), dtype, start


def _inflated(payload: bytes, expected: int) -> bytes:
    """Decompress at most the expected bytes, so that a bomb never goes off."""
    stream = zlib.decompressobj()
    try:
        # zero would mean "without a limit"
        plain = stream.decompress(payload, expected + 1)
    except zlib.error:
        raise WireError("chunk", "does not decompress", _RESEND) from None
    if not stream.eof or stream.unused_data:
        raise WireError("chunk", "decompresses to another length than it says", _RESEND)
    return plain
