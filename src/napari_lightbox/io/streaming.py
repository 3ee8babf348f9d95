"""Write arrays block by block: bounded memory, progress, and a cancel that waits for the last block."""

from __future__ import annotations

import errno
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.errors import CancelledError
from napari_lightbox.io.lazy import Raw, blocks

Progress: TypeAlias = Callable[[float], object]
PACKING_LEVEL = 1
_SLAB_BYTES = 32 * 2**20
_IN_MEMORY_BYTES = 256 * 2**20


def store(data: Any, target: Any, progress: Progress | None = None, span: tuple[float, float] = (0.0, 1.0)) -> None:
    """Fill `target` with `data`, one block at a time.

    Parameters
    ----------
    progress
        Called with a fraction between the ends of `span` after each block, possibly from a worker thread; what
        it raises stops the writing. Blocks that are being written then are waited for.
    """
    sink = _Sink(target, int(np.prod(data.shape, dtype=np.int64)), progress, span)
    if not hasattr(data, "dask"):
        for box in blocks(data.shape, _slab_shape(data)):
            sink[box] = np.asarray(data[box])
        return
    import dask.array as da

    try:
        da.store([data], [sink], lock=False)
    finally:
        sink.close()


class _Sink:
    """A target that counts what it gets and can be shut while others write."""

    def __init__(self, target: Any, total: int, progress: Progress | None, span: tuple[float, float]) -> None:
        self.target, self.shape, self.dtype = target, target.shape, target.dtype
        self._total, self._progress, self._span = max(total, 1), progress, span
        self._state, self._done, self._active, self._closed = threading.Condition(), 0, 0, False

    def __setitem__(self, key: Any, block: NDArray[Any]) -> None:
        with self._state:
            if self._closed:
                raise CancelledError("writing", "was stopped", "Start it again when needed")
            self._active += 1
        try:
            self.target[key] = block
            self._report(block.size)
        except BaseException:
            self._closed = True
            raise
        finally:
            with self._state:
                self._active -= 1
                self._state.notify_all()

    def _report(self, count: int) -> None:
        with self._state:
            self._done += count
            if self._progress is not None:
                low, high = self._span
                self._progress(low + (high - low) * self._done / self._total)

    def close(self) -> None:
        """Refuse further blocks and wait for those under way."""
        with self._state:
            self._closed = True
            self._state.wait_for(lambda: self._active == 0)


def write_raw(data: Any, path: Path, offset: int, dtype: Any, progress: Progress | None = None) -> None:
    """Write `data` in C order into the file at `path` from `offset` on, block by block in any order."""
    kind = np.dtype(dtype)
    size = int(np.prod(data.shape, dtype=np.int64)) * kind.itemsize
    if shutil.disk_usage(path.parent).free < size:
        raise OSError(errno.ENOSPC, "No space left on device")
    with path.open("r+b", buffering=0) as file:
        file.truncate(max(offset + size, path.stat().st_size))
        store(data, _Samples(file, offset, tuple(data.shape), kind), progress)


class _Samples:
    """Samples in a file, written without mapping it: memory stays small and a full disk is an error, not a crash."""

    def __init__(self, file: Any, offset: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self.file, self.offset, self.shape, self.dtype = file, offset, shape, dtype
        self._one_at_a_time = threading.Lock()

    def __setitem__(self, key: tuple[slice, ...], block: NDArray[Any]) -> None:
        samples = np.ascontiguousarray(block, self.dtype)
        cut = max((i for i, (b, n) in enumerate(zip(samples.shape, self.shape, strict=True)) if b != n), default=0)
        steps = np.cumprod((1, *self.shape[:0:-1]), dtype=np.int64)[::-1]
        begin = sum(int(step) * (k.start or 0) for step, k in zip(steps, key, strict=True))
        for place in np.ndindex(samples.shape[:cut]):
            first = begin + sum(int(step) * p for step, p in zip(steps, place, strict=False))
            self._put(self.offset + first * self.dtype.itemsize, samples[place].data.cast("B"))

    def _put(self, position: int, content: memoryview) -> None:
        while content:
            if hasattr(os, "pwrite"):
                done = os.pwrite(self.file.fileno(), content, position)
            else:
                with self._one_at_a_time:
                    self.file.seek(position)
                    done = self.file.write(content)
            position, content = position + done, content[done:]


@contextmanager
def in_order(data: Any, partial: Path) -> Iterator[Any]:
    """Yield `data` as an array to index in file order, each part computed once.

    A large lazy array is computed into a temporary file beside `partial`: its blocks come in any order, and what
    they share (a statistic, a halo) is computed once.
    """
    if not hasattr(data, "dask"):
        yield data
    elif data.nbytes <= _IN_MEMORY_BYTES:
        yield np.asarray(data)
    else:
        spool = partial.with_name(partial.name + ".spool")
        try:
            spool.touch()
            write_raw(data, spool, 0, data.dtype)
            yield Raw(spool, 0, data.shape, data.dtype)
        finally:
            spool.unlink(missing_ok=True)


def feed(data: Any, partial: Path, dtype: Any, take: Callable[[Any], object], progress: Progress | None) -> None:
    """Hand the samples of `data`, as `dtype` in C order, to `take` part by part; see `in_order`."""
    done, total = 0, max(1, int(np.prod(data.shape, dtype=np.int64)))
    with in_order(data, partial) as ordered:
        for slab in slabs(ordered):
            take(np.ascontiguousarray(slab, dtype).data)
            done += slab.size
            if progress is not None:
                progress(done / total)


def slabs(data: Any, limit: int = _SLAB_BYTES) -> Iterator[NDArray[Any]]:
    """Yield consecutive parts of `data` along its first axis, each a few chunks thick."""
    step = max(1, limit // max(1, int(np.prod(data.shape[1:], dtype=np.int64)) * np.dtype(data.dtype).itemsize))
    if not hasattr(data, "dask"):
        for start in range(0, data.shape[0], step):
            yield np.asarray(data[start : start + step])
        return
    begin = end = 0
    for thick in (*data.chunks[0], None):
        if thick is None or (end > begin and end + thick - begin > step):
            if end > begin:
                yield np.asarray(data[begin:end])
            begin = end
        end += thick or 0


def _slab_shape(data: Any) -> tuple[int, ...]:
    """Return blocks of whole trailing axes that hold about one slab."""
    shape, room = list(data.shape), max(1, _SLAB_BYTES // max(1, np.dtype(data.dtype).itemsize))
    for axis in range(len(shape)):
        rest = int(np.prod(shape[axis + 1 :], dtype=np.int64))
        shape[axis] = max(1, min(shape[axis], room // max(1, rest)))
        if shape[axis] * rest >= room // 2 or rest <= room:
            break
    return tuple(max(1, n) for n in shape)
