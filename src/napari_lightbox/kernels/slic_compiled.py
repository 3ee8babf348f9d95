"""Compiled steps of SLIC for `kernels.slic`; the order of every sum is that of scikit-image."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def assign_rows(
    image: Any,
    centres: Any,
    reach: Any,
    spacing: Any,
    weight: Any,
    places: Any,
    nearest: Any,
    distance: Any,
    start: int,
    stop: int,
) -> bool:
    """Give the pixels of rows `start` to `stop` to the nearest centre within reach; tell whether any was given.

    `image` is (channel, z, y, x); a row is counted over z and y together. `places` holds 0, 1, 2, ... in the image's
    type, so that nothing is computed in another precision.
    """
    _, depth, height, width = image.shape
    changed = False
    row = np.empty(width, image.dtype)
    along = np.empty(width, image.dtype)
    for k in range(len(centres)):
        centre = centres[k]
        if np.isnan(centre[0]):  # a centre that has lost all its pixels
            continue
        first, last = _window(centre[2], reach[2], width)
        _squares(places[first:last], centre[2], spacing[2], along)
        z_first, z_last = _window(centre[0], reach[0], depth)
        y_first, y_last = _window(centre[1], reach[1], height)
        for z in range(max(z_first, start // height), min(z_last, (stop - 1) // height + 1)):
            dz = spacing[0] * (centre[0] - places[z])
            for y in range(max(y_first, start - z * height), min(y_last, stop - z * height)):
                dy = spacing[1] * (centre[1] - places[y])
                _colour_distance(image[:, z, y, first:last], centre[3:], row)
                across = dz * dz + dy * dy
                best, owner = distance[z, y, first:last], nearest[z, y, first:last]
                changed |= _claim(best, owner, row, along, across, weight, np.int32(k))
    return changed


@njit(nogil=True, cache=True)
def _squares(places: Any, centre: Any, step: Any, out: Any) -> None:
    for x in range(places.size):
        dx = step * (centre - places[x])
        out[x] = dx * dx


@njit(nogil=True, cache=True)
def _colour_distance(colours: Any, centre: Any, out: Any) -> None:
    length = colours.shape[1]
    out[:length] = 0
    for c in range(centre.size):
        line, value = colours[c], centre[c]
        for x in range(length):
            difference = line[x] - value
            out[x] += difference * difference


@njit(nogil=True, cache=True)
def _claim(best: Any, owner: Any, colour: Any, along: Any, across: Any, weight: Any, k: Any) -> bool:
    """Write `k` where it is nearest; without branches, so that it runs on several pixels at once."""
    closer_ones = 0
    for x in range(best.size):
        here = (across + along[x]) * weight + colour[x]
        closer = here < best[x]
        best[x] = here if closer else best[x]
        owner[x] = k if closer else owner[x]
        closer_ones += closer
    return closer_ones > 0


@njit(nogil=True, cache=True)
def _window(centre: Any, reach: int, length: int) -> tuple[int, int]:
    return int(max(centre - reach, 0)), int(min(centre + reach + 1, length))


@njit(nogil=True, cache=True)
def move_centres(image: Any, nearest: Any, places: Any, centres: Any) -> None:
    """Move every centre to the mean of its pixels, summed in raster order."""
    channels, depth, height, width = image.shape
    counts = np.zeros(len(centres), np.int64)
    centres[:] = 0
    for z in range(depth):
        for y in range(height):
            for x in range(width):
                k = nearest[z, y, x]
                counts[k] += 1
                centres[k, 0] += places[z]
                centres[k, 1] += places[y]
                centres[k, 2] += places[x]
                for c in range(channels):
                    centres[k, 3 + c] += image[c, z, y, x]
    for k in range(len(centres)):
        for f in range(centres.shape[1]):
            centres[k, f] = centres[k, f] / centres.dtype.type(counts[k]) if counts[k] else np.nan


@njit(nogil=True, cache=True)
def join_fragments(owners: Any, smallest: int, largest: int, labels: Any) -> None:
    """Number the connected pieces of `owners` from 1; those smaller than `smallest` go to a neighbour.

    A piece is cut when it has `largest` pixels.
    """
    depth, height, width = owners.shape
    queue = np.empty((largest, 3), np.int64)
    fresh = 1
    for z in range(depth):
        for y in range(height):
            for x in range(width):
                if labels[z, y, x] > 0:
                    continue
                labels[z, y, x] = fresh
                queue[0, 0], queue[0, 1], queue[0, 2] = z, y, x
                size, adjacent = _gather(owners, labels, queue, fresh)
                if size < smallest:
                    for i in range(size):
                        labels[queue[i, 0], queue[i, 1], queue[i, 2]] = adjacent
                else:
                    fresh += 1


@njit(nogil=True, cache=True)
def _gather(owners: Any, labels: Any, queue: Any, fresh: int) -> tuple[int, int]:
    """Label the piece that begins with the first pixel of the queue; return its size and the last neighbour met."""
    depth, height, width = owners.shape
    owner = owners[queue[0, 0], queue[0, 1], queue[0, 2]]
    size, visited, adjacent = 1, 0, fresh
    while visited < size < len(queue):
        for i in range(6):
            sign = 1 - 2 * (i % 2)
            x = queue[visited, 2] + (sign if i < 2 else 0)
            y = queue[visited, 1] + (sign if 2 <= i < 4 else 0)
            z = queue[visited, 0] + (sign if i >= 4 else 0)
            if not (0 <= x < width and 0 <= y < height and 0 <= z < depth):
                continue
            if owners[z, y, x] == owner and labels[z, y, x] == 0:
                labels[z, y, x] = fresh
                queue[size, 0], queue[size, 1], queue[size, 2] = z, y, x
                size += 1
                if size >= len(queue):
                    break
            elif labels[z, y, x] > 0 and labels[z, y, x] != fresh:
                adjacent = labels[z, y, x]
        visited += 1
    return size, adjacent
