"""Train classifiers on a table of samples; equal samples and seed give equal bits."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.kernels.forest import Scorer, scorer_of_trees

Kind = Literal["random forest", "gradient boosting", "decision tree", "naive Bayes", "nearest neighbours"]
KINDS: tuple[Kind, ...] = get_args(Kind)

NEIGHBOURS = 5
_RATE = 0.1
_LEAST_SPREAD = 1e-9


def train(
    kind: Kind, rows: NDArray[np.float32], classes: NDArray[np.int64], trees: int = 100, depth: int | None = None, seed: int = 0
) -> Scorer:
    """Return a classifier of rows of features.

    Parameters
    ----------
    kind
        Which one.
    rows, classes
        Samples, and the class of each from 0 on; every class counts as much as any other however many samples it has.
    trees
        Number of trees of a forest, of rounds of boosting.
    depth
        Most decisions in a row; None is no limit for forests and trees, 3 for boosting.
    seed
        Decides everything random.
    """
    counts = np.bincount(classes)
    balanced = len(classes) / (len(counts) * counts)
    if kind == "random forest":
        return _forest(rows, classes, balanced, trees, depth, seed)
    if kind == "decision tree":
        return _tree(rows, classes, balanced, depth, seed)
    if kind == "gradient boosting":
        return _boosted(rows, classes, balanced, trees, depth or 3, seed)
    return _bayes(rows, classes, len(counts)) if kind == "naive Bayes" else _neighbours(rows, classes, balanced)


def _forest(rows: Any, classes: Any, balanced: Any, trees: int, depth: int | None, seed: int) -> Scorer:
    from sklearn.ensemble import RandomForestClassifier

    from napari_lightbox.settings import settings

    weights = dict(enumerate(balanced))
    model = RandomForestClassifier(
        trees, max_depth=depth, class_weight=weights, random_state=seed, n_jobs=min(settings().threads, 8)
    ).fit(rows, classes)
    grown = [e.tree_ for e in model.estimators_]
    return scorer_of_trees(grown, [t.value[:, 0] for t in grown], "trees")


def _tree(rows: Any, classes: Any, balanced: Any, depth: int | None, seed: int) -> Scorer:
    from sklearn.tree import DecisionTreeClassifier

    model = DecisionTreeClassifier(max_depth=depth, class_weight=dict(enumerate(balanced)), random_state=seed).fit(rows, classes)
    return scorer_of_trees([model.tree_], [model.tree_.value[:, 0]], "trees")


def _boosted(rows: Any, classes: Any, balanced: Any, trees: int, depth: int, seed: int) -> Scorer:
    from sklearn.ensemble import GradientBoostingClassifier

    # with balanced classes the first guess is the same for all of them: nothing
    model = GradientBoostingClassifier(
        n_estimators=trees, max_depth=depth, learning_rate=_RATE, init="zero", max_features="sqrt", random_state=seed
    ).fit(rows, classes, sample_weight=balanced[classes])
    count = len(balanced)
    grown, values = [], []
    for stage in model.estimators_:
        for column, estimator in enumerate(stage):
            tree = estimator.tree_
            added = np.zeros((tree.node_count, count))
            added[:, column if count > 2 else 1] = _RATE * tree.value[:, 0, 0]
            grown.append(tree)
            values.append(added)
    return scorer_of_trees(grown, values, "exponential")


def _bayes(rows: Any, classes: Any, count: int) -> Scorer:
    """Fit one Gaussian per class and feature; variances are kept above a billionth of the widest feature's."""
    table = rows.astype(np.float64)
    means = np.stack([table[classes == c].mean(axis=0) for c in range(count)])
    spread = np.stack([table[classes == c].var(axis=0) for c in range(count)])
    widest = float(table.var(axis=0).max()) or 1.0
    variance = spread + _LEAST_SPREAD * widest
    offsets = -0.5 * np.log(2 * np.pi * variance).sum(axis=1)
    return Scorer("bayes", "exponential", {"means": means, "precisions": 1 / variance, "offsets": offsets})


def _neighbours(rows: Any, classes: Any, balanced: Any) -> Scorer:
    """Keep the samples, each feature in its own standard deviations."""
    table = rows.astype(np.float64)
    shift, spread = table.mean(axis=0).astype(np.float32), table.std(axis=0)
    factor = (1 / np.where(spread > 0, spread, 1)).astype(np.float32)
    arrays = {
        "shift": shift,
        "factor": factor,
        "points": np.ascontiguousarray(((rows - shift) * factor).T),
        "owners": classes.astype(np.int32),
        "weights": np.asarray(balanced, np.float64),
        "number": np.array([min(NEIGHBOURS, len(rows))], np.int32),
    }
    return Scorer("neighbours", "sum", arrays)
