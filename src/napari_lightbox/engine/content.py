"""A hash of what an array holds: the same for NumPy, dask and zarr arrays however they are stored, taken slab by slab."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from math import prod
from typing import Any

import numpy as np

Box = tuple[slice, ...]
SLAB_BYTES = 2**25
_DIGITS = 32


def content_hash(data: Any, box: Box | None = None, check: Callable[[], None] | None = None) -> str:
    """Return a hash of type, shape and values of (a box of) an array; at most a few slabs are in memory at once.

    `check` is called between slabs and may raise to stop.
    """
    box = box if box is not None else tuple(slice(0, n) for n in data.shape)
    dtype = np.dtype(data.dtype).newbyteorder("<")
    shape = [s.stop - s.start for s in box]
    # processors of today have instructions for SHA-256: twice as fast as BLAKE2b
    digest = hashlib.sha256(f"{dtype.str} {shape}".encode())
    for part in _slabs(box, dtype.itemsize, getattr(data, "chunks", None)):
        if check is not None:
            check()
        values = np.asarray(data[part])
        digest.update(np.ascontiguousarray(values, dtype).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()[:_DIGITS]


def _slabs(box: Box, itemsize: int, chunks: Any, axis: int = 0) -> Iterator[Box]:
    """Cut a box in C order into parts of about `SLAB_BYTES`, along chunk borders where there are chunks."""
    shape = [s.stop - s.start for s in box]
    if prod(shape) * itemsize <= SLAB_BYTES or axis == len(box):
        yield box
        return
    row = prod(shape[axis + 1 :]) * itemsize
    for first, last in _steps(box[axis], max(1, SLAB_BYTES // max(row, 1)), None if chunks is None else chunks[axis]):
        part = (*box[:axis], slice(first, last), *box[axis + 1 :])
        if last - first == 1 and row > SLAB_BYTES:
            yield from _slabs(part, itemsize, chunks, axis + 1)
        else:
            yield part


def _steps(span: slice, step: int, chunks: Any) -> Iterator[tuple[int, int]]:
    """Yield stretches of at most `step`, ending at chunk borders where a chunk is not longer than that."""
    borders = _borders(chunks, span.stop)
    first = span.start
    while first < span.stop:
        last = min(first + step, span.stop)
        inside = borders[(borders > first) & (borders <= last)] if borders.size else borders
        if inside.size and last < span.stop:
            last = int(inside[-1])
        yield first, last
        first = last


def _borders(chunks: Any, length: int) -> Any:
    if chunks is None:
        return np.empty(0, int)
    if isinstance(chunks, (int, np.integer)):
        return np.arange(chunks, length + chunks, chunks)
    return np.cumsum(np.asarray(chunks))
