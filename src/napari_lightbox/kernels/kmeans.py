"""k-means: a sample that does not depend on how an image is cut, Lloyd's iterations, assignment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.kernels.slabs import run_slabs

_PIXELS_PER_THREAD = 1 << 16

Start: TypeAlias = Literal["k-means++", "random"]


class Sample(NamedTuple):
    """The pixels with the lowest keys so far, at most `size`, in the order of their keys.

    One row of features each, of which the first `channels` are colour.
    """

    keys: NDArray[np.uint64]
    features: NDArray[np.float64]
    size: int
    channels: int


class Codebook(NamedTuple):
    """Centres in the order they were found, members per centre in the sample, squared distances summed per centre."""

    centres: NDArray[np.float64]
    counts: NDArray[np.int64]
    inertia: NDArray[np.float64]


def lowest_pixels(
    values: NDArray[Any], usable: NDArray[np.bool_], start: Sequence[int], whole: Sequence[int], size: int, seed: int
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Return the keys of the `size` usable pixels with the lowest keys, and their flat places in the block.

    Keys follow from a pixel's place in the whole image, its values and the seed alone, so that the lowest keys of all
    blocks together are the same random sample however the image is cut.

    Parameters
    ----------
    values
        The block's axes and a last axis for colour, of at most four values.
    usable
        Which pixels may be drawn.
    start, whole
        Place of the block's first pixel and shape of the whole image.
    """
    from napari_lightbox.kernels.kmeans_compiled import lowest_keys

    lead = (1,) * (3 - usable.ndim)
    pixels = _plain(values).reshape(*lead, *values.shape)
    counted = np.ascontiguousarray(usable).reshape(lead + usable.shape)
    origin, extent = np.array((0,) * len(lead) + tuple(start)), np.array(lead + tuple(whole))
    found: list[tuple[NDArray[np.uint64], NDArray[np.int64]]] = []

    def draw(top: int, bottom: int) -> None:
        keys, places = np.empty(size, np.uint64), np.zeros(size, np.int64)
        arguments = (pixels, _ODD, counted, origin, extent, np.uint64(seed), keys, places)
        number = lowest_keys(*arguments, top, bottom)
        order = np.argsort(keys, kind="stable")[:number]
        found.append((keys[order], places[order]))

    rows = pixels.shape[0] * pixels.shape[1]
    run_slabs(draw, rows, 1 + _PIXELS_PER_THREAD // max(pixels.shape[2], 1))
    keys, places = (np.concatenate(parts) for parts in zip(*found, strict=True))
    order = np.argsort(keys, kind="stable")[:size]
    return keys[order], places[order]


def _plain(values: NDArray[Any]) -> NDArray[Any]:
    """Return contiguous values of a type that compiled kernels know, exactly as they are."""
    data = values.view(np.uint8) if values.dtype == bool else values
    return np.ascontiguousarray(data, np.float32 if values.dtype == np.float16 else None)


_ODD = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x27D4EB2F165667C5], np.uint64)


def _odd_factors(count: int) -> NDArray[np.uint64]:
    """Return a different odd factor per channel, so that channels that trade values scramble differently."""
    rounds = np.arange(count, dtype=np.uint64) // np.uint64(4)
    return np.resize(_ODD, count) + rounds * np.uint64(2)


def merge_samples(a: Sample, b: Sample) -> Sample:
    """Return the lowest keys of both; a pixel that stays the same from frame to frame counts once."""
    keys, first = np.unique(np.concatenate((a.keys, b.keys)), return_index=True)
    return Sample(keys[: a.size], np.concatenate((a.features, b.features))[first[: a.size]], a.size, a.channels)


def fit(points: NDArray[np.float64], count: int, start: Start, restarts: int, seed: int) -> Codebook:
    """Return the best of several runs of Lloyd's iterations, each until nothing changes."""
    rng = np.random.default_rng(seed)
    best: Codebook | None = None
    for _ in range(restarts):
        chosen = rng.choice(len(points), count, replace=False) if start == "random" else _spread(points, count, rng)
        book = _lloyd(points, points[chosen])
        if best is None or book.inertia.sum() < best.inertia.sum() * (1 - 1e-12):
            best = book
    assert best is not None
    return best


def _spread(points: NDArray[np.float64], count: int, rng: np.random.Generator) -> list[int]:
    """Choose far-apart starts: each the best of a few candidates drawn by squared distance (greedy k-means++)."""
    tries = 2 + int(np.log(count))
    chosen = [int(rng.integers(len(points)))]
    nearest = _squared(points, points[chosen])[:, 0]
    while len(chosen) < count:
        total = nearest.sum()
        weights = nearest / total if total > 0 else None
        candidates = rng.choice(len(points), tries, p=weights)
        distances = np.minimum(nearest[:, np.newaxis], _squared(points, points[candidates]))
        winner = int(np.argmin(distances.sum(axis=0)))
        chosen.append(int(candidates[winner]))
        nearest = distances[:, winner]
    return chosen


def _lloyd(points: NDArray[np.float64], centres: NDArray[np.float64]) -> Codebook:
    count = len(centres)
    members = np.full(len(points), -1)
    for _ in range(1000):
        distances = _squared(points, centres)
        fresh = distances.argmin(axis=1)
        if np.array_equal(fresh, members):
            break
        members = fresh
        sizes = np.bincount(members, minlength=count)
        for empty in np.flatnonzero(sizes == 0):  # an empty cluster moves to the point that fits worst
            worst = int(distances[np.arange(len(points)), members].argmax())
            distances[worst], members[worst] = 0, empty
        sizes = np.maximum(np.bincount(members, minlength=count), 1)
        sums = [np.bincount(members, weights=column, minlength=count) for column in points.T]
        centres = np.stack(sums, axis=1) / sizes[:, np.newaxis]
    left = _squared(points, centres)[np.arange(len(points)), members]
    inertia = np.bincount(members, weights=left, minlength=count).astype(np.float64)
    return Codebook(centres, np.bincount(members, minlength=count), inertia)


def _squared(points: NDArray[np.float64], centres: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(((points[:, np.newaxis] - centres) ** 2).sum(axis=-1))


def nearest_centre(features: NDArray[Any], usable: NDArray[np.bool_], centres: NDArray[np.float64]) -> NDArray[np.int32]:
    """Return 1 + the number of the nearest centre of every usable pixel, 0 elsewhere."""
    from napari_lightbox.kernels.kmeans_compiled import assign, look_up

    labels = np.empty(usable.size, np.int32)
    rows, counted = _plain(features).reshape(usable.size, -1), np.ascontiguousarray(usable).ravel()
    if rows.shape[1] == 1 and rows.dtype.kind == "u" and rows.dtype.itemsize <= 2:
        every = np.arange(np.iinfo(rows.dtype).max + 1, dtype=rows.dtype)
        table = np.zeros(every.size, np.int32)
        assign(every[:, np.newaxis], np.ones(every.size, bool), centres, table, 0, every.size)
        run_slabs(lambda a, b: look_up(table, rows, counted, labels, a, b), usable.size, _PIXELS_PER_THREAD)
    else:
        run_slabs(lambda a, b: assign(rows, counted, centres, labels, a, b), usable.size, _PIXELS_PER_THREAD)
    return labels.reshape(usable.shape)
