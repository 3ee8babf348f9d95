"""In which regular chunks an array travels."""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt, prod

from napari_lightbox.errors import InputError

CHUNK_BYTES = 2**23
LARGEST_BYTES = 2**27
_MOST_COLOURS = 4
_STEP = 64


def chunks_in_memory(shape: Sequence[int], itemsize: int) -> tuple[int, ...]:
    """Return chunks of about 8 MiB: whole planes while they fit, then tiles of them; colour is never cut."""
    return _cut(shape, itemsize, CHUNK_BYTES)


def chunks_of_lazy(chunks: Sequence[Sequence[int]], itemsize: int) -> tuple[int, ...]:
    """Return regular chunks that follow those of a dask array where they are regular and not too large.

    Raises
    ------
    InputError
        The array has chunks of unknown length.
    """
    if any(n != n for sizes in chunks for n in sizes):
        raise InputError("input", "has chunks whose lengths are not known", "Call compute_chunk_sizes() on the dask array first")
    largest = tuple(max(1, *sizes) for sizes in chunks)
    return largest if prod(largest) * itemsize <= LARGEST_BYTES else _cut(largest, itemsize, LARGEST_BYTES)


def _cut(shape: Sequence[int], itemsize: int, most: int) -> tuple[int, ...]:
    lengths = [max(int(n), 1) for n in shape]
    colour = len(lengths) > 2 and lengths[-1] <= _MOST_COLOURS
    plane = len(lengths) - (3 if colour else 2)
    for axis in range(max(plane, 0)):
        size = prod(lengths) * itemsize
        if size <= most:
            return tuple(lengths)
        lengths[axis] = max(1, lengths[axis] * most // size)
    return _tiled(lengths, max(plane, 0), len(lengths) - colour, itemsize, most)


def _tiled(lengths: list[int], first: int, stop: int, itemsize: int, most: int) -> tuple[int, ...]:
    """Cut the axes of a plane into tiles as square as the plane allows."""
    if prod(lengths) * itemsize <= most:
        return tuple(lengths)
    rest = prod(lengths[:first]) * prod(lengths[stop:]) * itemsize
    pixels = max(most // rest, 1)
    side = isqrt(pixels) if stop - first > 1 else pixels
    for axis in sorted(range(first, stop), key=lambda a: lengths[a]):
        lengths[axis] = min(lengths[axis], max(side // _STEP * _STEP, 1) if side >= _STEP else side)
        # what a short axis leaves over goes to the long one
        side = pixels // lengths[axis]
    return tuple(lengths)
