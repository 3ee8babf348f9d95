"""One chunk of an array as bytes: exact in type, order and value, and checked before anything is allocated.

Layout, little-endian: magic (4), protocol, codec, number of axes and length of the type's name (1 each), the name, the lengths of
the axes (8 each), the length of the payload (8), the payload: values in C order.
"""

from __future__ import annotations

import struct
import zlib
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


def encode_chunk(values: Any, codec: Codec = "raw") -> bytes:
    """Return a chunk as bytes.

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
    payload = np.ascontiguousarray(array, np.dtype(name)).tobytes()
    if codec == "zlib":
        payload = zlib.compress(payload, 1)
    head = _FIXED.pack(MAGIC, PROTOCOL, CODECS.index(codec), array.ndim, len(name)) + name.encode("ascii")
    return b"".join((head, *(_LENGTH.pack(n) for n in array.shape), _LENGTH.pack(len(payload)), payload))


def decode_chunk(data: bytes, shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    """Return the chunk, read-only, when it is what was promised.

    Parameters
    ----------
    data
        What came over the wire.
    shape, dtype
        What the card of the array says about this chunk.

    Raises
    ------
    WireError
        It is damaged, cut short, of another version, larger than it says, or another chunk.
    """
    codec, told, kind, start = _head(data)
    if told != tuple(shape) or kind != np.dtype(dtype).newbyteorder("<"):
        raise WireError("chunk", f"is {kind} {told}, promised was {np.dtype(dtype)} {tuple(shape)}", _RESEND)
    payload, expected = memoryview(data)[start:], prod(told) * kind.itemsize
    if codec == "zlib":
        payload = memoryview(_inflated(payload, expected))
    if len(payload) != expected:
        raise WireError("chunk", f"holds {len(payload)} bytes instead of {expected}", _RESEND)
    return np.frombuffer(payload, kind).reshape(told)


def _head(data: bytes) -> tuple[str, tuple[int, ...], np.dtype[Any], int]:
    """Return codec, shape, type and where the payload starts."""
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
    if len(data) - start != size:
        raise WireError("chunk", f"has {len(data) - start} bytes after its head instead of {size}", _RESEND)
    return CODECS[codec], tuple(shape), dtype, start


def _inflated(payload: memoryview, expected: int) -> bytes:
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
