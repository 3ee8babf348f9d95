"""Changes as bytes: runs of pixels, packed, checked when they are read."""

from __future__ import annotations

import hashlib
import struct
import zlib
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.errors import DeltaError

_MAGIC, _FORMAT = b"LBD", 1
_HEAD = struct.Struct("<3sBB3sQ")
_MOST_AXES = 32
_LEVEL = 1


class Runs(NamedTuple):
    """Stretches of equal old and new values: first pixel in C order, length, values."""

    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    old: NDArray[Any]
    new: NDArray[Any]

    @classmethod
    def of(cls, where: NDArray[np.intp], old: NDArray[Any], new: NDArray[Any]) -> Runs:
        """Group pixels in ascending order."""
        ends = (where[1:] != where[:-1] + 1) | (old[1:] != old[:-1]) | (new[1:] != new[:-1])
        firsts = np.concatenate([[0], np.flatnonzero(ends) + 1])
        lengths = np.diff(firsts, append=len(where))
        return cls(where[firsts].astype(np.int64), lengths, old[firsts], new[firsts])

    def places(self) -> NDArray[np.int64]:
        """Return every pixel in ascending order."""
        before = np.cumsum(self.lengths) - self.lengths
        return np.repeat(self.starts - before, self.lengths) + np.arange(int(self.lengths.sum()))


def pack(runs: Runs, size: int) -> bytes:
    """Return runs of a box of `size` pixels, compressed."""
    count = _counter(size)
    gaps = np.diff(runs.starts, prepend=0)
    parts = (gaps.astype(count), runs.lengths.astype(count), runs.old, runs.new)
    return zlib.compress(b"".join(_planes(part) for part in parts), _LEVEL)


def unpack(payload: bytes, runs: int, dtype: np.dtype[Any], size: int) -> Runs:
    """Return the runs behind `pack`.

    Raises
    ------
    DeltaError
        They are cut off, leave the box or overlap.
    """
    count = _counter(size)
    wanted = runs * 2 * (count.itemsize + dtype.itemsize)
    if not 0 < runs <= size or wanted > 1100 * len(payload) + 64:
        raise _damaged("has an impossible length")
    stream = zlib.decompressobj()
    try:
        data = stream.decompress(payload, wanted + 1)
    except zlib.error as error:
        raise _damaged(f"cannot be unpacked ({error})") from error
    if len(data) != wanted or not stream.eof:
        raise _damaged("is cut off")
    gaps, data = _joined(data, runs, count)
    lengths, data = _joined(data, runs, count)
    old, data = _joined(data, runs, dtype)
    new, _ = _joined(data, runs, dtype)
    starts, lengths = np.cumsum(gaps.astype(np.int64)), lengths.astype(np.int64)
    ends = starts + lengths
    if starts[0] < 0 or lengths.min() < 1 or ends[-1] > size or (starts[1:] < ends[:-1]).any() or (old == new).any():
        raise _damaged("contradicts itself")
    return Runs(starts, lengths, old, new)


def to_bytes(box: tuple[slice, ...], dtype: np.dtype[Any], count: int, payload: bytes) -> bytes:
    """Return a change with its place and type."""
    head = _HEAD.pack(_MAGIC, _FORMAT, len(box), dtype.newbyteorder("<").str.encode(), count)
    edges = [edge for s in box for edge in (s.start, s.stop)]
    return head + struct.pack(f"<{len(edges)}q", *edges) + payload


def from_bytes(data: bytes) -> tuple[tuple[slice, ...], np.dtype[Any], int, bytes]:
    """Return place, type, number of runs and packed runs.

    Raises
    ------
    DeltaError
        Damaged, or of a newer format.
    """
    if len(data) < _HEAD.size:
        raise _damaged("is cut off")
    magic, version, ndim, name, count = _HEAD.unpack_from(data)
    if magic != _MAGIC:
        raise _damaged("is something else")
    if version > _FORMAT:
        raise DeltaError("change", f"has format {version}, this version reads {_FORMAT}", "Update napari-lightbox")
    begin = _HEAD.size + 16 * ndim
    if ndim > _MOST_AXES or len(data) <= begin:
        raise _damaged("is cut off")
    edges = struct.unpack_from(f"<{2 * ndim}q", data, _HEAD.size)
    box = tuple(slice(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True))
    if any(not 0 <= s.start < s.stop for s in box) or prod(s.stop - s.start for s in box) >= 2**62:
        raise _damaged("lies nowhere")
    return box, _dtype(name), count, data[begin:]


def fingerprint(box: tuple[slice, ...], dtype: np.dtype[Any], runs: Runs) -> str:
    """Return a hash of what changes where."""
    digest = hashlib.blake2b(repr(([(s.start, s.stop) for s in box], dtype.newbyteorder("<").str)).encode(), digest_size=16)
    for part in (runs.starts, runs.lengths, runs.old, runs.new):
        digest.update(part.astype(part.dtype.newbyteorder("<"), copy=False).tobytes())
    return digest.hexdigest()


def _dtype(name: bytes) -> np.dtype[Any]:
    try:
        dtype = np.dtype(name.decode("ascii"))
    except (TypeError, ValueError) as error:
        raise _damaged("has an unknown type") from error
    if dtype.kind not in "iub":
        raise _damaged(f"has type {dtype}")
    return dtype.newbyteorder("=")


def _counter(size: int) -> np.dtype[Any]:
    return np.dtype("<u4" if size < 2**32 else "<i8")


def _planes(values: NDArray[Any]) -> bytes:
    """Return the values byte plane by byte plane: small numbers then compress to nearly nothing."""
    little = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
    return little.view(np.uint8).reshape(len(little), -1).T.tobytes()


def _joined(data: bytes, count: int, dtype: np.dtype[Any]) -> tuple[NDArray[Any], bytes]:
    size = count * dtype.itemsize
    planes = np.frombuffer(data, np.uint8, size).reshape(dtype.itemsize, count)
    values = np.ascontiguousarray(planes.T).view(dtype.newbyteorder("<")).reshape(count)
    return values.astype(dtype, copy=False), data[size:]


def _damaged(reason: str) -> DeltaError:
    return DeltaError("change", reason, "It was damaged on the way; take the last good copy")
