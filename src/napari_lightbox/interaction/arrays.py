"""Arrays that a log holds itself: each kept once, compressed, under the hash of its content."""

from __future__ import annotations

import hashlib
import io
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from napari_lightbox.errors import RecipeError

PREFIX = "array:"
LARGEST = 2**28


class ArrayStore:
    """Arrays by content."""

    def __init__(self) -> None:
        self._packed: dict[str, bytes] = {}

    def put(self, data: Any) -> str:
        """Keep an array and return its reference.

        Raises
        ------
        RecipeError
            It is too large, or holds Python objects.
        """
        size = int(np.prod(data.shape)) * np.dtype(data.dtype).itemsize
        if size > LARGEST:
            raise RecipeError(
                "input", f"of {size / 1e6:.0f} MB is too large to be kept in the log", "Add it to the log as a source"
            )
        values = np.asarray(data)
        if values.dtype.hasobject:
            raise RecipeError(
                "input", f"of type {values.dtype} cannot be kept in the log", "Pass numbers or texts of fixed length"
            )
        file = io.BytesIO()
        np.save(file, values, allow_pickle=False)
        reference = PREFIX + hashlib.blake2b(file.getbuffer(), digest_size=16).hexdigest()
        if reference not in self._packed:
            self._packed[reference] = zlib.compress(file.getbuffer(), 1)
        return reference

    def get(self, reference: str) -> np.ndarray[Any, Any]:
        """Return an array.

        Raises
        ------
        RecipeError
            It is not there.
        """
        return np.load(io.BytesIO(self.file(reference)), allow_pickle=False)  # type: ignore[no-any-return]

    def file(self, reference: str) -> bytes:
        """Return an array as the bytes of a ``.npy`` file.

        Raises
        ------
        RecipeError
            It is not there.
        """
        if reference not in self._packed:
            raise RecipeError("log", f"holds no {reference!r}", "Take the last good copy")
        return zlib.decompress(self._packed[reference])

    def __iter__(self) -> Iterator[str]:
        """Iterate over the references."""
        return iter(self._packed)

    def __contains__(self, reference: str) -> bool:
        """Tell whether an array is there."""
        return reference in self._packed
