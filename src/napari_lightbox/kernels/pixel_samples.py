"""Labelled pixels with their features: the same random choice however an image is cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.kernels.field_cache import cached_fields
from napari_lightbox.kernels.pixel_features import FeatureSet
from napari_lightbox.kernels.slabs import run_slabs

# strokes are cut into tiles of this many pixels, so that a box around one holds little else
_TILE = {2: 64, 3: 32}
_CELL = 16
_ODD = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, eq=False)
class Samples:
    """Labelled pixels, at most `limit` per id: those with the lowest keys, sorted by id and key.

    Parameters
    ----------
    ids
        What each was painted with.
    keys
        Scrambled place in the image, then scrambled features: what decides who stays, whatever block a pixel came from.
    cells
        Scrambled number of the coarse cell each lies in; pixels of one stroke share few of them.
    rows
        Features.
    features
        Which features these are.
    """

    ids: NDArray[np.int64]
    keys: NDArray[np.uint64]
    cells: NDArray[np.uint64]
    rows: NDArray[np.float32]
    features: FeatureSet
    limit: int

    @property
    def classes(self) -> NDArray[np.int64]:
        """The ids, ascending."""
        return np.unique(self.ids)


def empty_samples(features: FeatureSet, limit: int) -> Samples:
    """Return no samples."""
    none = np.zeros(0, np.uint64)
    rows = np.zeros((0, len(features.names)), np.float32)
    return Samples(np.zeros(0, np.int64), np.zeros((0, 2), np.uint64), none, rows, features, limit)


def merge_samples(a: Samples, b: Samples) -> Samples:
    """Return the samples of both, no more than the limit of each id."""
    ids = np.concatenate((a.ids, b.ids))
    keys = np.concatenate((a.keys, b.keys))
    order = np.lexsort((keys[:, 1], keys[:, 0], ids))
    kept = order[_rank(ids[order]) < a.limit]
    cells, rows = np.concatenate((a.cells, b.cells)), np.concatenate((a.rows, b.rows))
    return Samples(ids[kept], keys[kept], cells[kept], rows[kept], a.features, a.limit)


def draw_samples(
    image: NDArray[Any],
    seeds: NDArray[Any],
    own: tuple[slice, ...],
    start: Sequence[int],
    whole: Sequence[int],
    features: FeatureSet,
    spacing: Sequence[float],
    limit: int,
    seed: int,
) -> Samples:
    """Return samples of the pixels painted in a part of a block; features are taken of boxes around them alone.

    Parameters
    ----------
    image, seeds
        A block and what was painted on it: ids above 0.
    own
        The part of the block that pixels are drawn from; the rest is neighbourhood.
    start, whole
        Place of the block in the image, and shape of the image.
    limit
        Most pixels per id.
    seed
        Decides which pixels are drawn when there are more.
    """
    found = np.nonzero(seeds[own] > 0)
    if not found[0].size:
        return empty_samples(features, limit)
    places = np.stack([axis + s.start for axis, s in zip(found, own, strict=True)], axis=1)
    ids = seeds[tuple(places.T)].astype(np.int64)
    flat = np.ravel_multi_index(tuple((places + np.array(start)).T), tuple(whole)).astype(np.uint64)
    keys = _scrambled(flat + np.uint64(seed) * _ODD)
    order = np.lexsort((keys, ids))
    kept = order[_rank(ids[order]) < limit]
    places, ids, keys = places[kept], ids[kept], keys[kept]
    rows = np.empty((len(ids), len(features.names)), np.float32)
    for members, box in _boxes(places):
        rows[members] = _features_in(image, box, places[members], features, spacing)
    cell = (places + np.array(start)) // _CELL
    number = np.ravel_multi_index(tuple(cell.T), tuple(-(-n // _CELL) for n in whole)).astype(np.uint64)
    both = np.stack((keys, _row_keys(rows)), axis=1)
    return merge_samples(empty_samples(features, limit), Samples(ids, both, _scrambled(number), rows, features, limit))


def _boxes(places: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.int64], tuple[slice, ...]]]:
    """Yield the members of each tile and the smallest box around them."""
    tiles = places // _TILE[places.shape[1]]
    tiles -= tiles.min(axis=0)
    number = np.ravel_multi_index(tuple(tiles.T), tuple(tiles.max(axis=0) + 1))
    order = np.argsort(number, kind="stable")
    for members in np.split(order, np.flatnonzero(np.diff(number[order])) + 1):
        low, high = places[members].min(axis=0), places[members].max(axis=0) + 1
        yield members, tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))


def _features_in(
    image: NDArray[Any], box: tuple[slice, ...], places: NDArray[np.int64], features: FeatureSet, spacing: Sequence[float]
) -> NDArray[np.float32]:
    from napari_lightbox.kernels.pixel_rows_compiled import features_at

    fields = cached_fields(image, box, features, spacing)
    inside = np.zeros((len(places), 3), np.int64)
    inside[:, 3 - len(box) :] = places - np.array([s.start for s in box])
    rows = np.empty((len(places), fields.features), np.float32)

    def fill(start: int, stop: int) -> None:
        features_at(fields.data, fields.program, fields.factors, fields.flat, inside, rows, start, stop)

    run_slabs(fill, len(places), 256)
    return rows


def _rank(ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the number of equal ids before each of some sorted ids."""
    first = np.concatenate(([0], np.flatnonzero(np.diff(ids)) + 1))
    return np.asarray(np.arange(len(ids)) - np.repeat(first, np.diff((*first, len(ids)))))


def _scrambled(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return 64 bits mixed one to one (the finaliser of SplitMix64)."""
    mixed = values + _ODD
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _row_keys(rows: NDArray[np.float32]) -> NDArray[np.uint64]:
    """Return a number that follows from the features of each row."""
    keys = np.zeros(len(rows), np.uint64)
    for column in rows.T:
        keys = _scrambled(keys ^ np.ascontiguousarray(column).view(np.uint32).astype(np.uint64))
    return keys
