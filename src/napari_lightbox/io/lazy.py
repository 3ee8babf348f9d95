"""Arrays that stay in their file until somebody looks at them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.io.failures import damaged, reading

CHUNK_BYTES = 4 * 2**20


class Source(Protocol):
    """What a lazy array is made of: a shape, a native dtype, and indexing that reads."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def __getitem__(self, key: Any) -> NDArray[Any]:
        """Read a part."""


class Raw:
    """Uncompressed samples in a file, read through a memory map and turned to native byte order."""

    def __init__(self, path: Path, offset: int, shape: Sequence[int], stored: Any) -> None:
        self.path, self.offset, self.shape, self.stored = path, offset, tuple(shape), np.dtype(stored)
        self.dtype, self.ndim = self.stored.newbyteorder("="), len(self.shape)
        expected = offset + int(np.prod(self.shape, dtype=np.int64)) * self.stored.itemsize
        with reading(path):
            actual = path.stat().st_size
        if actual < expected:
            raise damaged(path, f"is cut off: it has {actual} bytes, its header promises {expected}")

    def __getitem__(self, key: Any) -> NDArray[Any]:
        """Read a part."""
        with reading(self.path):
            return np.array(np.memmap(self.path, self.stored, "r", self.offset, self.shape)[key], self.dtype)


class Held:
    """An array that can only be read as a whole: read at the first touch, then kept."""

    def __init__(self, path: Path, shape: Sequence[int], dtype: Any, load: Callable[[], NDArray[Any]]) -> None:
        self.path, self.shape, self.dtype, self.load = path, tuple(shape), np.dtype(dtype).newbyteorder("="), load
        self.ndim = len(self.shape)
        self._start()

    def _start(self) -> None:
        self._lock = threading.Lock()
        self._array: NDArray[Any] | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Travel without the array: the other side reads the file itself."""
        return {k: v for k, v in self.__dict__.items() if not k.startswith("_")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Arrive unread."""
        self.__dict__.update(state)
        self._start()

    def __getitem__(self, key: Any) -> NDArray[Any]:
        """Read a part, from memory after the first time."""
        with self._lock:
            if self._array is None:
                with reading(self.path):
                    array = self.load()
                if array.shape != self.shape:
                    raise damaged(self.path, f"holds an array of shape {array.shape}, its header promises {self.shape}")
                self._array = np.asarray(array, self.dtype)
            part = self._array[key]
        return np.array(part)


class Frames:
    """Frames that are read one at a time; the leading axes count frames, the others lie inside one.

    `load` takes the number of the frame in C order over the leading axes.
    """

    def __init__(
        self, path: Path, leading: Sequence[int], frame: Sequence[int], dtype: Any, load: Callable[[int], NDArray[Any]]
    ) -> None:
        self.path, self.leading, self.frame, self.load = path, tuple(leading), tuple(frame), load
        self.shape, self.dtype = (*self.leading, *self.frame), np.dtype(dtype).newbyteorder("=")
        self.ndim = len(self.shape)

    def __getitem__(self, key: Any) -> NDArray[Any]:
        """Read a part: only the frames it touches."""
        keys = (
            (*key, *[slice(None)] * (self.ndim - len(key))) if isinstance(key, tuple) else (key, *[slice(None)] * (self.ndim - 1))
        )
        outer, inner = keys[: len(self.leading)], keys[len(self.leading) :]
        wanted = [np.arange(n)[k] for n, k in zip(self.leading, outer, strict=True)]
        frames = [
            self._read(int(np.ravel_multi_index(i, self.leading)) if i else 0)[inner] for i in product(*map(np.ravel, wanted))
        ]
        counts = tuple(len(w) for w in wanted if w.ndim)
        if not frames:
            return np.empty((*counts, *np.empty(self.frame, self.dtype)[inner].shape), self.dtype)
        return np.stack(frames).reshape(counts + frames[0].shape)

    def _read(self, number: int) -> NDArray[Any]:
        with reading(self.path):
            frame = self.load(number)
        if frame.shape != self.frame:
            raise damaged(self.path, f"frame {number} has shape {frame.shape} instead of {self.frame}")
        return np.asarray(frame, self.dtype)


class Mapped:
    """A source whose values go through `function` as they are read."""

    def __init__(self, source: Source, function: Callable[[NDArray[Any]], NDArray[Any]], dtype: Any) -> None:
        self.source, self.function, self.shape, self.dtype = source, function, source.shape, np.dtype(dtype)
        self.ndim = len(self.shape)

    def __getitem__(self, key: Any) -> NDArray[Any]:
        """Read a part and map it."""
        return self.function(self.source[key])


def lazy(source: Source, chunks: Sequence[int], path: Path, *options: Any) -> Any:
    """Return a dask array over `source`; the graph costs the same for ten chunks and a hundred thousand.

    Its name follows from the path, size and time of the file and from `options`, so that equal reads share results.
    """
    import dask.array as da
    from dask.base import tokenize

    with reading(path):
        status = path.stat()
    token = tokenize(
        str(path.resolve()), status.st_size, status.st_mtime_ns, source.shape, str(source.dtype), tuple(chunks), options
    )
    meta = np.empty((0,) * len(source.shape), source.dtype)
    sizes = tuple(max(1, min(c, n)) for c, n in zip(chunks, source.shape, strict=True))
    return da.from_array(source, chunks=sizes, name=f"read-{token}", lock=False, inline_array=True, meta=meta)


def plane_chunks(axes: str, shape: Sequence[int], itemsize: int, deepest: int | None = None) -> tuple[int, ...]:
    """Return chunks of whole planes: one time point, channel or extra index, and as many z as make a few megabytes.

    `deepest` limits the number of z where each plane costs an effort of its own, such as unpacking.
    """
    inner = {a: n for a, n in zip(axes, shape, strict=True) if a in "yx"}
    plane = max(1, int(np.prod([*inner.values()], dtype=np.int64)) * itemsize * (shape[-1] if axes.endswith("c") else 1))
    if plane > 16 * CHUNK_BYTES and "y" in inner:
        inner["y"] = max(1, inner["y"] * 16 * CHUNK_BYTES // plane)
    depth = max(1, min(CHUNK_BYTES // plane, deepest or CHUNK_BYTES))
    return tuple(
        inner[a] if a in inner else n if a == "c" and axes.endswith("c") else min(n, depth) if a == "z" else 1
        for a, n in zip(axes, shape, strict=True)
    )


def blocks(shape: Sequence[int], chunks: Sequence[int]) -> Iterator[tuple[slice, ...]]:
    """Yield the boxes of a regular grid in C order."""
    for corner in product(*(range(0, n, c) for n, c in zip(shape, chunks, strict=True))):
        yield tuple(slice(i, min(i + c, n)) for i, c, n in zip(corner, chunks, shape, strict=True))
