"""Decision trees, Gaussian classes and nearest neighbours as arrays, and what they say about rows of features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.kernels.slabs import run_slabs

Method = Literal["forest", "bayes", "neighbours"]
Link = Literal["trees", "sum", "exponential"]

METHODS: tuple[Method, ...] = ("forest", "bayes", "neighbours")
LINKS: tuple[Link, ...] = ("trees", "sum", "exponential")
ARRAYS: Mapping[Method, Mapping[str, tuple[str, int]]] = {
    "forest": {"split": ("<i4", 1), "threshold": ("<f4", 1), "left": ("<i4", 1), "roots": ("<i4", 1), "values": ("<f8", 2)},
    "bayes": {"means": ("<f8", 2), "precisions": ("<f8", 2), "offsets": ("<f8", 1)},
    "neighbours": {
        "shift": ("<f4", 1),
        "factor": ("<f4", 1),
        "points": ("<f4", 2),
        "owners": ("<i4", 1),
        "weights": ("<f8", 1),
        "number": ("<i4", 1),
    },
}


@dataclass(frozen=True, eq=False)
class Scorer:
    """A trained classifier as arrays (`ARRAYS` names them); what it gives per class goes through `link`.

    Trees lie one after the other. A node with ``left`` above 0 sends a pixel to ``left`` when its feature ``split`` is at most
    ``threshold``, else to ``left + 1``; children come after their parents. A leaf has ``left`` 0, and a row of ``values``.
    """

    method: Method
    link: Link
    arrays: Mapping[str, NDArray[Any]]

    def compiled(self) -> tuple[Any, ...]:
        """Return the arguments of the compiled functions: method, forest, bayes, near, link."""
        a = self.arrays
        forest = _packed(a) if self.method == "forest" else _packed(_NO_TREES)
        none, few = np.zeros((0, 0)), np.zeros(0, np.float32)
        bayes = (a["means"], a["precisions"], a["offsets"]) if self.method == "bayes" else (none, none, np.zeros(0))
        near: tuple[Any, ...] = (few, few, np.zeros((0, 0), np.float32), np.zeros(0, np.int32), np.zeros(0), 1)
        if self.method == "neighbours":
            near = (a["shift"], a["factor"], a["points"], a["owners"], a["weights"], int(a["number"][0]))
        return METHODS.index(self.method), forest, bayes, near, LINKS.index(self.link)

    def chances(self, rows: NDArray[Any], classes: int) -> NDArray[np.float64]:
        """Return the probability of each of so many classes for rows of features."""
        from napari_lightbox.kernels.forest_compiled import score_rows

        method, forest, bayes, near, link = self.compiled()
        table = np.ascontiguousarray(rows, np.float32)
        out = np.empty((len(table), classes))
        run_slabs(lambda a, b: score_rows(table, method, forest, bayes, near, link, out, a, b), len(table), 1024)
        return out


_NO_TREES: dict[str, NDArray[Any]] = {
    "split": np.zeros(1, np.int32),
    "threshold": np.zeros(1, np.float32),
    "left": np.zeros(1, np.int32),
    "roots": np.zeros(0, np.int32),
    "values": np.zeros((1, 1)),
}


def _packed(arrays: Mapping[str, NDArray[Any]]) -> tuple[NDArray[Any], ...]:
    """Return (nodes, thresholds, roots, depths, values) as `forest_compiled.votes` reads them."""
    from napari_lightbox.kernels.pixel_rows_compiled import STRETCH

    leaf = arrays["left"] == 0
    child = np.where(leaf, np.arange(len(leaf)), arrays["left"]).astype(np.uint64)
    offset = np.where(leaf, 0, arrays["split"]).astype(np.uint64) * np.uint64(STRETCH)
    thresholds = np.where(leaf, np.float32(np.inf), arrays["threshold"]).astype(np.float32)
    roots = arrays["roots"].astype(np.int64)
    return offset << np.uint64(32) | child, thresholds, roots, _depths(roots, arrays["left"]), arrays["values"]


def _depths(roots: NDArray[np.int64], left: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return the most decisions in a row of each tree."""
    depths = np.zeros(len(roots), np.int64)
    nodes, trees = roots, np.arange(len(roots))
    while nodes.size:
        inner = left[nodes] > 0
        nodes, trees = left[nodes[inner]].astype(np.int64), trees[inner]
        depths[trees] += np.bincount(trees, minlength=len(roots))[trees] > 0
        nodes, trees = np.concatenate((nodes, nodes + 1)), np.concatenate((trees, trees))
    return depths


def scorer_of_trees(trees: Sequence[Any], values: Sequence[NDArray[np.float64]], link: Link) -> Scorer:
    """Return scikit-learn's trees as arrays.

    Parameters
    ----------
    trees
        ``tree_`` of each estimator.
    values
        What each node of each tree adds, (node, class).
    link
        What becomes of the sum.
    """
    parts = [_laid_out(tree) for tree in trees]
    starts = np.concatenate(([0], np.cumsum([len(order) for order, _ in parts])))[:-1]
    left = [np.where(child > 0, child + start, 0) for (_, child), start in zip(parts, starts, strict=True)]
    orders = [order for order, _ in parts]
    split = [np.maximum(tree.feature[order], 0) for tree, order in zip(trees, orders, strict=True)]
    threshold = [_at_most(tree.threshold[order]) for tree, order in zip(trees, orders, strict=True)]
    arrays: dict[str, NDArray[Any]] = {
        "split": np.concatenate(split).astype(np.int32),
        "threshold": np.concatenate(threshold),
        "left": np.concatenate(left).astype(np.int32),
        "roots": starts.astype(np.int32),
        "values": np.concatenate([v[order] for v, order in zip(values, orders, strict=True)]).astype(np.float64),
    }
    return Scorer("forest", link, arrays)


def _laid_out(tree: Any) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the nodes of a tree level by level, both children side by side, and the place of each one's left child."""
    order, child = [0], []
    at = 0
    while at < len(order):
        node = order[at]
        if tree.children_left[node] < 0:
            child.append(0)
        else:
            child.append(len(order))
            order += [int(tree.children_left[node]), int(tree.children_right[node])]
        at += 1
    return np.array(order, np.int64), np.array(child, np.int64)


def _at_most(threshold: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the largest float32 that is not above each threshold: float32 features compare with it as with the threshold."""
    nearest = threshold.astype(np.float32)
    return np.where(nearest.astype(np.float64) > threshold, np.nextafter(nearest, np.float32(-np.inf)), nearest)
