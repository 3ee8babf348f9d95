"""From the bytes of a chunk to its values; nothing unpacks to more than the metadata promise."""

from __future__ import annotations

import zlib
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.errors import ReadError
from napari_lightbox.server.store.zarr_layout import Coding

_SLACK = 2**16
_BLOSC_HEAD = 16
_CRC = 4


def packed_bytes(shape: tuple[int, ...], coding: Coding) -> int:
    """Return how long a chunk may be as bytes: values that do not compress grow a little."""
    size = prod(shape) * np.dtype(coding.dtype).itemsize
    return size if not coding.packers else size + size // 8 + _SLACK


def decoded(payload: bytes, shape: tuple[int, ...], coding: Coding, name: str) -> NDArray[Any]:
    """Return the values of a chunk in native byte order.

    Raises
    ------
    ReadError
        It is damaged, or holds more or less than the metadata say.
    """
    stored = np.dtype(coding.dtype)
    size = prod(shape) * stored.itemsize
    for number, packer in enumerate(reversed(coding.packers), 1):
        most = size if number == len(coding.packers) else size + size // 8 + _SLACK
        payload = _unpacked(packer, payload, most, name)
    if len(payload) != size:
        raise _damaged(name, f"has a chunk of {len(payload)} bytes instead of {size}")
    values = np.frombuffer(payload, stored)
    if stored.kind == "b":
        # a byte that is neither 0 nor 1 would be a boolean that is neither true nor false
        values = np.frombuffer(payload, np.uint8) != 0
    turned = values.reshape([shape[i] for i in coding.order]).transpose([int(i) for i in np.argsort(coding.order)])
    return turned.astype(stored.newbyteorder("="), order="C", copy=False)


def checked_crc(payload: bytes, name: str) -> bytes:
    """Return what lies before a checksum.

    Raises
    ------
    ReadError
        The checksum is another.
    """
    import google_crc32c

    content, told = payload[:-_CRC], payload[-_CRC:]
    if google_crc32c.value(content).to_bytes(_CRC, "little") != told:
        raise _damaged(name, "has a chunk with a wrong checksum")
    return content


def _unpacked(packer: str, payload: bytes, most: int, name: str) -> bytes:
    if packer == "crc32c":
        return checked_crc(payload, name)
    try:
        return _inflated(payload, most) if packer in ("gzip", "zlib") else _unblocked(packer, payload, most)
    except (zlib.error, ValueError, RuntimeError) as error:
        raise _damaged(name, "has a chunk that does not unpack to what the metadata say") from error


def _inflated(payload: bytes, most: int) -> bytes:
    """Unpack one gzip or zlib stream after another, and stop where it becomes too much."""
    content = bytearray()
    while payload:
        stream = zlib.decompressobj(wbits=47)
        content += stream.decompress(payload, most + 1 - len(content))
        if not stream.eof or len(content) > most:
            raise ValueError(len(content))
        payload = stream.unused_data
    return bytes(content)


def _unblocked(packer: str, payload: bytes, most: int) -> bytes:
    import imagecodecs

    if packer == "zstd":
        return bytes(imagecodecs.zstd_decode(payload, out=most))
    plain, packed = (int.from_bytes(payload[at : at + 4], "little") for at in (4, 12))
    # the library believes the lengths in the head
    if len(payload) < _BLOSC_HEAD or plain > most or packed != len(payload):
        raise ValueError(payload[:_BLOSC_HEAD])
    return bytes(imagecodecs.blosc_decode(payload, numthreads=1, out=most))


def _damaged(name: str, reason: str) -> ReadError:
    return ReadError(name, reason, "Copy it again from its source")
