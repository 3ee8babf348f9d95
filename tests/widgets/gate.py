"""A lazy image whose chunks come when a test lets them."""

from __future__ import annotations

import threading
from typing import Any

import dask.array as da
import numpy as np

IMAGE = np.random.default_rng(0).integers(0, 200, (6, 40, 50)).astype(np.uint8)


class Gate:
    """A lazy image whose planes are read only when they are let through."""

    def __init__(self, image: Any) -> None:
        self.reads: list[int] = []
        self._free = [threading.Event() for _ in image]
        self.image = da.from_array(image, chunks=(1, *image.shape[1:])).map_blocks(
            self._read, dtype=image.dtype, meta=np.empty((0, 0, 0), image.dtype)
        )

    def _read(self, block: Any, block_info: Any = None) -> Any:
        number = block_info[0]["chunk-location"][0]
        self.reads.append(number)
        assert self._free[number].wait(60), "the test forgot to open the gate"
        return block

    def open(self, *planes: int) -> None:
        for number in planes or range(len(self._free)):
            self._free[number].set()
