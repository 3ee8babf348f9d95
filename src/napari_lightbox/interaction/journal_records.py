"""Journals as bytes: a header, then records of length, checksum, kind and payload, so that a torn end is noticed."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from napari_lightbox.axes import Geometry
from napari_lightbox.errors import ReadError
from napari_lightbox.interaction.deltas import Delta

ENDING = ".lightbox-journal"
FORMAT = 1
HEADER = struct.Struct("<4sI")
_MAGIC = b"LBXJ"
_RECORD = struct.Struct("<IIc")
_LENGTH = struct.Struct("<I")
OWNER, BEGIN, CHANGE, RELEASED = b"O", b"B", b"C", b"R"


class Record(NamedTuple):
    """One record and where it ends in the file."""

    kind: bytes
    payload: bytes
    end: int


class Begin(NamedTuple):
    """A target as it was when the journal began, and how many changes led there."""

    name: str
    geometry: Geometry
    dtype: np.dtype[Any]
    changes: int
    initial: Delta | None


def header() -> bytes:
    """Return what a journal starts with."""
    return HEADER.pack(_MAGIC, FORMAT)


def record(kind: bytes, payload: bytes) -> bytes:
    """Return a record as bytes."""
    return _RECORD.pack(len(payload), zlib.crc32(kind + payload), kind) + payload


def begin_record(begin: Begin) -> bytes:
    """Return the record that begins a target."""
    data = {
        "name": begin.name,
        "geometry": begin.geometry.to_json(),
        "dtype": begin.dtype.str,
        "changes": begin.changes,
    }
    return record(BEGIN, _with_head(json.dumps(data).encode(), b"" if begin.initial is None else begin.initial.to_bytes()))


def change_record(name: str, delta: Delta) -> bytes:
    """Return the record of a change."""
    return record(CHANGE, _with_head(name.encode(), delta.to_bytes()))


def owner_record(owner: Mapping[str, Any]) -> bytes:
    """Return the record that says whose journal it is."""
    return record(OWNER, json.dumps(owner).encode())


def read_begin(payload: bytes) -> Begin:
    """Return what `begin_record` holds."""
    head, rest = _split(payload)
    data = json.loads(head)
    initial = Delta.from_bytes(rest) if rest else None
    return Begin(data["name"], Geometry.from_json(data["geometry"]), np.dtype(data["dtype"]), data["changes"], initial)


def read_change(payload: bytes) -> tuple[str, Delta]:
    """Return what `change_record` holds."""
    head, rest = _split(payload)
    return head.decode(), Delta.from_bytes(rest)


def read_records(path: Path, file: BinaryIO, stop: int | None = None) -> Iterator[Record]:
    """Yield the records up to the first that is cut off or damaged.

    Raises
    ------
    ReadError
        Not a journal, or of a newer format.
    """
    data = file.read(HEADER.size)
    if len(data) < HEADER.size and (_MAGIC + bytes(4)).startswith(data[:4]):
        return
    magic, version = HEADER.unpack(data.ljust(HEADER.size))
    if magic != _MAGIC:
        raise ReadError(str(path), "is not a journal", f"Give a file that ends in {ENDING}")
    if version > FORMAT:
        raise ReadError(str(path), f"has format {version}, this version reads {FORMAT}", "Update napari-lightbox")
    size = file.seek(0, 2)
    size = size if stop is None else min(size, stop)
    position = HEADER.size
    file.seek(position)
    while position + _RECORD.size <= size:
        length, checksum, kind = _RECORD.unpack(file.read(_RECORD.size))
        position += _RECORD.size + length
        if position > size:
            return
        payload = file.read(length)
        if zlib.crc32(kind + payload) != checksum:
            return
        yield Record(kind, payload, position)


def _with_head(head: bytes, rest: bytes) -> bytes:
    return _LENGTH.pack(len(head)) + head + rest


def _split(payload: bytes) -> tuple[bytes, bytes]:
    (length,) = _LENGTH.unpack_from(payload)
    begin = _LENGTH.size
    return payload[begin : begin + length], payload[begin + length :]
