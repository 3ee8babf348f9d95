"""Packed or tiled TIFF images as lazy sources."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.io.failures import reading


class Level:
    """One resolution of one series, read tile by tile; opened at the first touch in each process."""

    def __init__(self, path: Path, series: int, level: int, shape: tuple[int, ...], dtype: Any) -> None:
        self.path, self.series, self.level, self.shape = path, series, level, shape
        self.dtype, self.ndim = np.dtype(dtype).newbyteorder("="), len(shape)
        self._start()

    def _start(self) -> None:
        self._lock, self._opened = threading.Lock(), None

    def __getstate__(self) -> dict[str, Any]:
        """Travel without the open file."""
        return {k: v for k, v in self.__dict__.items() if not k.startswith("_")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Arrive unopened."""
        self.__dict__.update(state)
        self._start()

    def __getitem__(self, key: Any) -> NDArray[Any]:
        """Read a part: only the tiles or strips that it touches."""
        with reading(self.path):
            return np.asarray(self.array()[key], self.dtype)

    def array(self) -> Any:
        """Return the zarr view of the level."""
        import tifffile
        import zarr

        with self._lock:
            if self._opened is None:
                store = tifffile.imread(self.path, aszarr=True, series=self.series, level=self.level)
                self._opened = zarr.open_array(store, mode="r")
        return self._opened
