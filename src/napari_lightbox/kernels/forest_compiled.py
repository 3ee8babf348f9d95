"""Compiled scores of pixels: votes of decision trees, Gaussian likelihoods, nearest neighbours."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from napari_lightbox.kernels.pixel_rows_compiled import STRETCH, write_features

LANES = 16
CHECK_EVERY = 8
FOREST, BAYES, NEIGHBOURS = range(3)
SHARE_OF_TREES, SHARE_OF_SUM, EXPONENTIAL = range(3)

_CHILD = np.uint64(0xFFFFFFFF)
_OFFSET = np.uint64(32)


@njit(nogil=True, cache=True, error_model="numpy")
def winner(row: Any) -> int:
    """Return the class with the highest score, the first among equals."""
    best = 0
    for c in range(1, row.size):
        if row[c] > row[best]:
            best = c
    return best


@njit(nogil=True, cache=True, error_model="numpy")
def votes(buffer: Any, count: int, forest: Any, winner_only: bool, scores: Any) -> None:
    """Add what the trees say about the first `count` pixels of a buffer to `scores` (pixel, class).

    `forest` is (nodes, thresholds, roots, depths, values). A node holds where its feature begins in the buffer (upper half) and
    its left child (lower half); the right child comes next. A leaf is its own child and its threshold is infinite, so that
    several pixels can go down together. With `winner_only` a tree adds at most one to a class, and pixels whose winner the
    trees that are left cannot change are not asked about any more.
    """
    roots = forest[2]
    decided, at = np.zeros(STRETCH // LANES, np.bool_), np.empty(LANES, np.uint64)
    left = len(roots)
    for tree in range(len(roots)):
        for group in range((count + LANES - 1) // LANES):
            if not decided[group]:
                first = group * LANES
                _vote(buffer, first, min(LANES, count - first), forest, tree, at, scores)
        left -= 1
        if winner_only and left % CHECK_EVERY == 0 and left < len(roots) // 2:
            for group in range((count + LANES - 1) // LANES):
                first = group * LANES
                decided[group] = decided[group] or _is_decided(scores[first : min(first + LANES, count)], left)


@njit(nogil=True, cache=True, error_model="numpy")
def _vote(buffer: Any, first: int, count: int, forest: Any, tree: int, at: Any, scores: Any) -> None:
    nodes, thresholds, roots, depths, values = forest
    at[:] = np.uint64(roots[tree])
    for _ in range(depths[tree]):
        moved = np.uint64(0)
        for i in range(LANES):
            node = at[i]
            word = nodes[node]
            right = buffer[(word >> _OFFSET) + np.uint64(first + i)] > thresholds[node]
            after = (word & _CHILD) + np.uint64(right)
            moved |= after ^ node
            at[i] = after
        if not moved:
            break
    for i in range(count):
        leaf = at[i]
        for c in range(scores.shape[1]):
            scores[first + i, c] += values[leaf, c]


@njit(nogil=True, cache=True, error_model="numpy")
def _is_decided(scores: Any, left: int) -> bool:
    """Tell whether `left` more trees cannot change the winner of any of some pixels."""
    for i in range(len(scores)):
        best = winner(scores[i])
        for c in range(scores.shape[1]):
            # the sums are rounded: ask for a little more than one per tree
            if c != best and scores[i, best] - scores[i, c] <= left + 1e-6:
                return False
    return True


@njit(nogil=True, cache=True, error_model="numpy")
def likelihoods(buffer: Any, count: int, bayes: Any, scores: Any) -> None:
    """Add the logarithm of each class's likelihood to `scores`; `bayes` is (means, precisions, offsets)."""
    means, precisions, offsets = bayes
    for c in range(scores.shape[1]):
        for i in range(count):
            scores[i, c] += offsets[c]
        for f in range(means.shape[1]):
            mean, precision = means[c, f], precisions[c, f]
            row = buffer[f * STRETCH :]
            for i in range(count):
                away = np.float64(row[i]) - mean
                scores[i, c] -= 0.5 * precision * away * away


@njit(nogil=True, cache=True, error_model="numpy")
def neighbours(buffer: Any, count: int, near: Any, scores: Any) -> None:
    """Add the weights of the nearest training pixels to `scores`; among equals the first ones count.

    `near` is (shift, factor, points, owners, weights, number): points (feature, pixel) are ``(x - shift) * factor``.
    """
    shift, factor, points, owners, weights, number = near
    size = points.shape[1]
    squares = np.empty(size, np.float32)
    best, which = np.empty(number, np.float32), np.empty(number, np.int64)
    for i in range(count):
        squares[:] = 0
        for f in range(points.shape[0]):
            own = (buffer[f * STRETCH + i] - shift[f]) * factor[f]
            row = points[f]
            for p in range(size):
                away = row[p] - own
                squares[p] += away * away
        best[:] = np.inf
        which[:] = 0
        for p in range(size):
            if squares[p] < best[number - 1]:
                k = number - 1
                while k > 0 and best[k - 1] > squares[p]:
                    best[k], which[k] = best[k - 1], which[k - 1]
                    k -= 1
                best[k], which[k] = squares[p], p
        for k in range(number):
            scores[i, owners[which[k]]] += weights[owners[which[k]]]


@njit(nogil=True, cache=True, error_model="numpy")
def score(buffer: Any, count: int, method: int, forest: Any, bayes: Any, near: Any, winner_only: bool, scores: Any) -> None:
    """Write the scores of the first `count` pixels of a buffer by one of the methods."""
    scores[:] = 0.0
    if method == FOREST:
        votes(buffer, count, forest, winner_only, scores)
    elif method == BAYES:
        likelihoods(buffer, count, bayes, scores)
    else:
        neighbours(buffer, count, near, scores)


@njit(nogil=True, cache=True, error_model="numpy")
def as_chances(scores: Any, count: int, link: int, trees: float) -> None:
    """Turn scores into probabilities."""
    for i in range(count):
        row = scores[i]
        if link == SHARE_OF_TREES:
            for c in range(row.size):
                row[c] /= trees
            continue
        if link == EXPONENTIAL:
            top = row.max()
            for c in range(row.size):
                row[c] = np.exp(row[c] - top)
        total = row.sum()
        for c in range(row.size):
            row[c] /= total


@njit(nogil=True, cache=True, error_model="numpy")
def score_rows(
    rows: Any, method: int, forest: Any, bayes: Any, near: Any, link: int, chances: Any, start: int, stop: int
) -> None:
    """Write the probabilities of the rows `start` to `stop` of a table (pixel, feature)."""
    buffer = np.zeros(rows.shape[1] * STRETCH, np.float32)
    scores = np.empty((STRETCH, chances.shape[1]))
    for first in range(start, stop, STRETCH):
        count = min(STRETCH, stop - first)
        for f in range(rows.shape[1]):
            for i in range(count):
                buffer[f * STRETCH + i] = rows[first + i, f]
        score(buffer, count, method, forest, bayes, near, False, scores)
        as_chances(scores, count, link, len(forest[2]))
        chances[first : first + count] = scores[:count]


@njit(nogil=True, cache=True, error_model="numpy")
def classify_lines(
    fields: Any,
    program: Any,
    factors: Any,
    flat: bool,
    features: int,
    model: Any,
    classes: Any,
    top: int,
    labels: Any,
    chances: Any,
    start: int,
    stop: int,
) -> None:
    """Write label and probability of the lines `start` to `stop`, counted over z and y, whose fields begin at line `top`.

    `model` is (method, forest, bayes, near, link); `chances` is (class, z, y, x), with no class when nobody asks for it.
    """
    method, forest, bayes, near, link = model
    winner_only = link == SHARE_OF_TREES and not len(chances)
    height, width = labels.shape[1], labels.shape[2]
    buffer = np.zeros(features * STRETCH, np.float32)
    scores = np.empty((STRETCH, len(classes)))
    for line in range(start, stop):
        z, y = line // height, line % height
        inside = line - top
        for first in range(0, width, STRETCH):
            count = min(STRETCH, width - first)
            place = (0, inside) if flat else (inside // height, inside % height)
            write_features(fields, program, factors, flat, place[0], place[1], first, count, buffer)
            score(buffer, count, method, forest, bayes, near, winner_only, scores)
            for i in range(count):
                labels[z, y, first + i] = classes[winner(scores[i])]
            if len(chances):
                as_chances(scores, count, link, len(forest[2]))
                for c in range(len(classes)):
                    for i in range(count):
                        chances[c, z, y, first + i] = scores[i, c]
