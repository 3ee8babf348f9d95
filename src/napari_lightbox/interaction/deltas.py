"""How some pixels of an integer array changed: exact, compressed, undoable."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.errors import DeltaError
from napari_lightbox.interaction import delta_codec
from napari_lightbox.interaction.delta_codec import Runs
from napari_lightbox.interaction.pieces import Box, Piece, bounds_of, pieces_of, size_of, tight


@dataclass(frozen=True, eq=False)
class Delta:
    """A change of some pixels, as runs of equal old and equal new values in C order within their smallest box.

    Parameters
    ----------
    box
        Smallest box that holds the change.
    dtype
        Integer or bool type of the array.
    count
        Number of runs.
    payload
        The runs, compressed.
    """

    box: Box
    dtype: np.dtype[Any]
    count: int
    payload: bytes

    @classmethod
    def between(cls, before: NDArray[Any], after: NDArray[Any], start: tuple[int, ...] = ()) -> Delta | None:
        """Return the change from `before` to `after`, parts of an array that begin at `start`; None when they are equal.

        Raises
        ------
        DeltaError
            Different shapes or types, or not integers.
        """
        before, after = np.asarray(before), np.asarray(after)
        dtype = _integer(before.dtype)
        if before.shape != after.shape or _integer(after.dtype) != dtype:
            raise DeltaError(
                "change",
                f"leads from {before.dtype} {before.shape} to {after.dtype} {after.shape}",
                "Compare arrays of one shape and type",
            )
        start = start or (0,) * before.ndim
        if len(start) != before.ndim or min(start, default=0) < 0:
            raise DeltaError(
                "change", f"cannot begin at {start} in {before.ndim} dimensions", "Give one index per axis, 0 or more"
            )
        differs = before != after
        inner = bounds_of(differs)
        if inner is None:
            return None
        where = np.flatnonzero(differs[inner])
        old, new = before[inner].reshape(-1)[where], after[inner].reshape(-1)[where]
        box = tuple(slice(s.start + at, s.stop + at) for s, at in zip(inner, start, strict=True))
        return cls._of(box, dtype, where, old, new)

    @classmethod
    def of_pixels(cls, where: tuple[NDArray[np.intp], ...], before: Any, after: Any) -> Delta | None:
        """Return the change of single pixels: their indices, old values and new values; None when nothing changed.

        Old and new values may be one number for all. Of a pixel named twice, the first old and the last new value count.

        Raises
        ------
        DeltaError
            Indices below 0, not integers, or new values that the type of the old ones cannot hold.
        """
        old = np.asarray(before)
        dtype = _integer(old.dtype)
        places = np.broadcast_arrays(*[np.asarray(w).reshape(-1) for w in where])
        if not places or places[0].size == 0:
            return None
        old = np.broadcast_to(old.reshape(-1), places[0].shape)
        new = np.broadcast_to(_held(np.asarray(after), dtype).reshape(-1), places[0].shape)
        if min(int(p.min()) for p in places) < 0:
            raise DeltaError("change", "names pixels at indices below 0", "Count from the start of each axis")
        lows, stops = [int(p.min()) for p in places], [int(p.max()) + 1 for p in places]
        shape = [b - a for a, b in zip(lows, stops, strict=True)]
        flat = np.ravel_multi_index(tuple(p - a for p, a in zip(places, lows, strict=True)), shape)
        flat, old, new = _unique(flat, old, new)
        if not flat.size:
            return None
        box, flat = tight(tuple(map(slice, lows, stops)), flat)
        return cls._of(box, dtype, flat, old, new)

    @classmethod
    def _of(cls, box: Box, dtype: np.dtype[Any], where: NDArray[np.intp], old: NDArray[Any], new: NDArray[Any]) -> Delta:
        runs = Runs.of(where, old.astype(dtype, copy=False), new.astype(dtype, copy=False))
        return cls(box, dtype, len(runs.starts), delta_codec.pack(runs, size_of(box)))

    @cached_property
    def nbytes(self) -> int:
        """Memory the change takes."""
        return len(self.payload) + 64 + 48 * len(self.box)

    @cached_property
    def fingerprint(self) -> str:
        """Hash of what changes where, the same however the change was found."""
        return delta_codec.fingerprint(self.box, self.dtype, self._runs())

    def fits(self, shape: tuple[int, ...], dtype: Any) -> bool:
        """Tell whether an array of this shape and type can hold the change."""
        inside = len(self.box) == len(shape) and all(s.stop <= n for s, n in zip(self.box, shape, strict=True))
        return inside and self.dtype == np.dtype(dtype).newbyteorder("=")

    @property
    def inverse(self) -> Delta:
        """The change back."""
        runs = self._runs()
        return Delta(
            self.box, self.dtype, self.count, delta_codec.pack(runs._replace(old=runs.new, new=runs.old), size_of(self.box))
        )

    def redo(self, array: Any) -> None:
        """Make the change in an array that holds the old values.

        Raises
        ------
        DeltaError
            The array has another type, is too small or read-only, or holds other values; nothing was written.
        """
        runs = self._runs()
        self._apply(array, runs.old, runs.new)

    def undo(self, array: Any) -> None:
        """Take the change back in an array that holds the new values.

        Raises
        ------
        DeltaError
            The array has another type, is too small or read-only, or holds other values; nothing was written.
        """
        runs = self._runs()
        self._apply(array, runs.new, runs.old)

    def put(self, array: Any) -> None:
        """Write the new values whatever the array holds.

        Raises
        ------
        DeltaError
            The array has another type, is too small or read-only.
        """
        self._apply(array, None, self._runs().new)

    def to_bytes(self) -> bytes:
        """Return the change as bytes."""
        return delta_codec.to_bytes(self.box, self.dtype, self.count, self.payload)

    @classmethod
    def from_bytes(cls, data: bytes) -> Delta:
        """Return the change behind `to_bytes`.

        Raises
        ------
        DeltaError
            The bytes are damaged or of a newer format.
        """
        return cls(*delta_codec.from_bytes(data))

    def _runs(self) -> Runs:
        return delta_codec.unpack(self.payload, self.count, self.dtype, size_of(self.box))

    def _apply(self, array: Any, expected: NDArray[Any] | None, new: NDArray[Any]) -> None:
        self._check_array(array)
        runs = self._runs()
        where = runs.places()
        pieces = list(pieces_of(self.box, where))
        wanted = None if expected is None else np.repeat(expected, runs.lengths)
        kept = []
        for piece in pieces:
            block = np.array(array[piece.box], order="C")
            if wanted is not None:
                self._check_values(block, piece, wanted[piece.part])
            kept.append(block if len(pieces) == 1 else None)
        values = np.repeat(new, runs.lengths)
        for piece, read in zip(pieces, kept, strict=True):
            block = np.array(array[piece.box], order="C") if read is None else read
            block.reshape(-1)[piece.flat] = values[piece.part]
            array[piece.box] = block

    def _check_array(self, array: Any) -> None:
        shape = tuple(array.shape)
        if len(shape) != len(self.box) or any(s.stop > n for s, n in zip(self.box, shape, strict=True)):
            ends = tuple(s.stop for s in self.box)
            raise DeltaError("array", f"has shape {shape}, the change reaches to {ends}", "Apply it to the array it was made in")
        if np.dtype(array.dtype).newbyteorder("=") != self.dtype:
            raise DeltaError("array", f"has type {array.dtype}, the change {self.dtype}", "Convert the array back first")
        if isinstance(array, np.ndarray) and not array.flags.writeable:
            raise DeltaError("array", "is read-only", "Copy it first")

    def _check_values(self, block: NDArray[Any], piece: Piece, wanted: NDArray[Any]) -> None:
        found = block.reshape(-1)[piece.flat]
        wrong = found != wanted
        if not wrong.any():
            return
        first = int(np.argmax(wrong))
        inside = np.unravel_index(int(piece.flat[first]), block.shape)
        place = tuple(int(i) + s.start for i, s in zip(inside, piece.box, strict=True))
        raise DeltaError(
            "array",
            f"holds {found[first]} at {place} where {wanted[first]} was expected ({int(wrong.sum())} pixels differ)",
            "It was changed in the meantime; nothing was written. Undo that change first",
        )


def _unique(flat: NDArray[np.intp], old: NDArray[Any], new: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[Any], NDArray[Any]]:
    """Return the pixels that change, each once and in ascending order."""
    order = slice(None) if (flat[1:] > flat[:-1]).all() else np.argsort(flat, kind="stable")
    flat, old, new = flat[order], old[order], new[order]
    first = np.concatenate([[True], flat[1:] != flat[:-1]])
    last = np.concatenate([first[1:], [True]])
    flat, old, new = flat[first], old[first], new[last]
    changed = old != new
    return flat[changed], old[changed], new[changed]


def _integer(dtype: Any) -> np.dtype[Any]:
    kind = np.dtype(dtype)
    if kind.kind not in "iub":
        raise DeltaError("change", f"has type {kind}, which is no whole number", "Record changes of Labels and masks only")
    native: np.dtype[Any] = kind.newbyteorder("=")
    return native


def _held(values: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return the values in a type that must hold them."""
    held = values.astype(dtype)
    if (held != values).any():
        raise DeltaError("change", f"sets values that {dtype} cannot hold", "Give the layer a wider type first")
    return held
