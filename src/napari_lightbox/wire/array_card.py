"""What an array is, without its values: type, shape and the grid of its chunks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from math import ceil, prod
from typing import Any

import numpy as np

from napari_lightbox.errors import WireError
from napari_lightbox.wire.dtypes import name_of, type_of
from napari_lightbox.wire.protocol import MOST_AXES, MOST_CHUNK_BYTES, MOST_CHUNKS, MOST_VOXELS

Index = tuple[int, ...]


@dataclass(frozen=True)
class ArrayCard:
    """Type, shape and regular chunks of an array.

    Parameters
    ----------
    dtype
        Spelled as in ``"<u2"``.
    shape
        Lengths of the axes.
    chunks
        Length of a chunk along each axis; the last one may be shorter.

    Raises
    ------
    WireError
        It cannot be: a type that does not travel, negative lengths, chunks that are too large or too many.
    """

    dtype: str
    shape: tuple[int, ...]
    chunks: tuple[int, ...]

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        kind = type_of(self.dtype)
        if len(self.shape) > MOST_AXES or len(self.shape) != len(self.chunks):
            raise WireError(
                "array", f"has {len(self.shape)} axes and {len(self.chunks)} lengths of chunks", "Give one for each axis"
            )
        if any(n < 0 for n in self.shape) or any(c < 1 for c in self.chunks) or prod(self.shape) > MOST_VOXELS:
            raise WireError("array", f"cannot be {self.shape} in chunks of {self.chunks}", "Give lengths from 1 on")
        if prod(self.chunks) * kind.itemsize > MOST_CHUNK_BYTES:
            raise WireError("array", f"has chunks of {self.chunks}", f"Use chunks of at most {MOST_CHUNK_BYTES} bytes")
        if prod(self.grid) > MOST_CHUNKS:
            raise WireError("array", f"has {prod(self.grid)} chunks", f"Use at most {MOST_CHUNKS} chunks: make them larger")

    @classmethod
    def of(cls, data: Any, chunks: tuple[int, ...]) -> ArrayCard:
        """Return the card of an array that will travel in chunks of this size."""
        return cls(name_of(data.dtype), tuple(int(n) for n in data.shape), tuple(int(n) for n in chunks))

    @classmethod
    def from_json(cls, card: Any) -> ArrayCard:
        """Return the card that somebody sent.

        Raises
        ------
        WireError
            It is none.
        """
        if not isinstance(card, Mapping) or set(card) != {"dtype", "shape", "chunks"}:
            raise WireError("array", "has no card with dtype, shape and chunks", "Use a client of this version")
        return cls(card["dtype"], _lengths(card["shape"]), _lengths(card["chunks"]))

    def to_json(self) -> dict[str, Any]:
        """Return the card as JSON-ready data."""
        return {"dtype": self.dtype, "shape": list(self.shape), "chunks": list(self.chunks)}

    @property
    def kind(self) -> np.dtype[Any]:
        """The type."""
        return np.dtype(self.dtype)

    @property
    def grid(self) -> Index:
        """Number of chunks along each axis."""
        return tuple(ceil(n / c) for n, c in zip(self.shape, self.chunks, strict=True))

    @property
    def sizes(self) -> tuple[tuple[int, ...], ...]:
        """Lengths of all chunks along each axis."""
        return tuple(tuple(min(c, n - i) for i in range(0, n, c)) for n, c in zip(self.shape, self.chunks, strict=True))

    @property
    def indices(self) -> Iterator[Index]:
        """All chunks in C order."""
        return product(*map(range, self.grid))

    def box(self, index: Index) -> tuple[slice, ...]:
        """Return the part of the array that a chunk covers.

        Raises
        ------
        WireError
            There is no such chunk.
        """
        if len(index) != len(self.shape) or not all(0 <= i < g for i, g in zip(index, self.grid, strict=True)):
            raise WireError("chunk", f"{index} is not in the grid {self.grid}", "Ask for chunks that exist")
        return tuple(slice(i * c, min((i + 1) * c, n)) for i, c, n in zip(index, self.chunks, self.shape, strict=True))

    def chunk_shape(self, index: Index) -> tuple[int, ...]:
        """Return the lengths of a chunk."""
        return tuple(s.stop - s.start for s in self.box(index))


def _lengths(values: Any) -> tuple[int, ...]:
    if not isinstance(values, list) or not all(type(v) is int for v in values):
        raise WireError("array", "has lengths that are no whole numbers", "Use a client of this version")
    return tuple(values)
