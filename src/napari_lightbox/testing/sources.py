"""Dask arrays that watch how they are read."""

from __future__ import annotations

import threading
from typing import Any

import dask.array as da
import numpy as np
from numpy.typing import NDArray


class WatchedArray:
    """An array that counts which boxes are read; give it to ``dask.array.from_array`` through `lazy`.

    Parameters
    ----------
    data
        The pixels.
    forbidden
        Raise at the first read.
    """

    def __init__(self, data: NDArray[Any], *, forbidden: bool = False) -> None:
        self._data = data
        self._forbidden = forbidden
        self._lock = threading.Lock()
        self.reads: list[tuple[slice, ...]] = []
        self.shape, self.dtype, self.ndim = data.shape, data.dtype, data.ndim

    def __getitem__(self, box: Any) -> NDArray[Any]:
        assert not self._forbidden, "a pixel was read before anybody asked for a result"
        with self._lock:
            self.reads.append(box)
        block: NDArray[Any] = self._data[box]
        block.flags.writeable = False
        return block

    def __array__(self, dtype: Any = None, copy: Any = None) -> NDArray[Any]:
        whole: NDArray[Any] = np.array(self[(slice(None),) * self.ndim], dtype, copy=copy)
        return whole

    def lazy(self, chunks: Any) -> da.Array:
        """Return a dask array that reads through this one."""
        return da.from_array(self, chunks=chunks, name=False, asarray=True, meta=np.empty((0,) * self.ndim, self.dtype))
