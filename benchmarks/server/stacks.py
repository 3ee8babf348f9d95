"""Inputs of any size that take no memory: each frame is made when it is asked for, and no two are equal."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_lightbox import Geometry, Volume


def lazy_stack(frames: int, plane: tuple[int, int], seed: int = 0) -> Volume:
    """Return a film of 12-bit frames, one chunk each."""
    import dask.array as da

    base = np.random.default_rng(seed).integers(0, 3000, plane, dtype=np.uint16)

    def frame(block_info: Any = None) -> Any:
        number = block_info[None]["chunk-location"][0]
        # two factors without a common one keep frames apart for longer than any benchmark
        return (np.roll(base, number % plane[1], axis=1) + np.uint16(number % 997))[None]

    name = f"bench-{frames}-{plane}-{seed}"
    chunks = ((1,) * frames, (plane[0],), (plane[1],))
    data = da.map_blocks(frame, chunks=chunks, dtype=np.uint16, name=name, meta=np.empty((0, 0, 0), np.uint16))
    return Volume(data, Geometry.of("tyx", data.shape))
