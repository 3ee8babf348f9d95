"""Compiled loops of adaptive histogram equalisation."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(nogil=True, cache=True, error_model="numpy")
def bin_grays(flat: Any, factor: Any, low: float, high: float, top: int, width: int, out: Any) -> None:
    """Write the bin of each value between `low` and `high`, after rounding to multiples of one over `factor` unless that is 0."""
    for i in range(flat.size):
        value = float(np.rint(flat[i] * factor)) if factor else float(flat[i])
        share = (value - low) / (high - low)
        share = 1.0 if share > 1 else (share if share > 0 else 0.0)
        out[i] = int(np.rint(share * top)) // width


@njit(nogil=True, cache=True)
def tile_maps(
    volume: Any, source_z: Any, source_y: Any, source_x: Any, size: Any, limit: int, top: int, maps: Any, start: int, stop: int
) -> None:
    """Write the gray map of every tile in the tile rows ``start:stop`` (counted over z and y)."""
    bins = maps.shape[3]
    rows = maps.shape[1]
    counts = np.empty((maps.shape[2], bins), np.int64)
    scale = top / (size[0] * size[1] * size[2])
    for row in range(start, stop):
        tile_z, tile_y = row // rows, row % rows
        counts[:] = 0
        for z in range(tile_z * size[0], (tile_z + 1) * size[0]):
            for y in range(tile_y * size[1], (tile_y + 1) * size[1]):
                line = volume[source_z[z], source_y[y]]
                for x in range(source_x.size):
                    counts[x // size[2], line[source_x[x]]] += 1
        for tile_x in range(maps.shape[2]):
            clip_counts(counts[tile_x], limit)
            total = 0
            for k in range(bins):
                total += counts[tile_x, k]
                maps[tile_z, tile_y, tile_x, k] = np.floor(min(total * scale, float(top)))


@njit(nogil=True, cache=True)
def clip_counts(counts: Any, limit: int) -> None:
    """Cut counts at `limit` and spread what was cut over the other bins, in scikit-image's order."""
    excess = 0
    for k in range(counts.size):
        if counts[k] > limit:
            excess += counts[k] - limit
            counts[k] = limit
    share = excess // counts.size
    upper = limit - share
    for k in range(counts.size):
        if counts[k] < upper:
            excess -= share
            counts[k] += share
    for k in range(counts.size):
        if upper <= counts[k] < limit:
            excess += counts[k] - limit
            counts[k] = limit
    _spread(counts, limit, excess)


@njit(nogil=True, cache=True)
def _spread(counts: Any, limit: int, excess: int) -> None:
    """Add one to bins below `limit` until nothing is left or all are full."""
    while excess > 0:
        before = excess
        for first in range(counts.size):
            under = 0
            for k in range(counts.size):
                under += counts[k] < limit
            for k in range(first, counts.size, max(1, under // excess)):
                if counts[k] < limit:
                    counts[k] += 1
                    excess -= 1
            if excess <= 0:
                break
        if excess == before:
            break


@njit(nogil=True, cache=True)
def blend(volume: Any, maps: Any, along_z: Any, along_y: Any, along_x: Any, out: Any, start: int, stop: int) -> None:
    """Write the mean of the maps of the neighbouring tiles, weighted by nearness, for rows ``start:stop``."""
    lower_z, upper_z, share_z = along_z
    lower_y, upper_y, share_y = along_y
    lower_x, upper_x, share_x = along_x
    height, width = volume.shape[1], volume.shape[2]
    total = np.empty(width, np.float32)
    for row in range(start, stop):
        z, y = row // height, row % height
        line = volume[z, y]
        total[:] = 0
        for corner_z in range(2):
            weight_z = share_z[z] if corner_z else 1 - share_z[z]
            tile_z = upper_z[z] if corner_z else lower_z[z]
            if weight_z == 0:
                continue
            for corner_y in range(2):
                weight_y = share_y[y] if corner_y else 1 - share_y[y]
                tables = maps[tile_z, upper_y[y] if corner_y else lower_y[y]]
                for x in range(width):
                    weight = (1 - share_x[x]) * weight_y * weight_z
                    total[x] += np.float32(tables[lower_x[x], line[x]] * weight)
                for x in range(width):
                    weight = share_x[x] * weight_y * weight_z
                    total[x] += np.float32(tables[upper_x[x], line[x]] * weight)
        for x in range(width):
            out[z, y, x] = np.uint16(total[x])
