"""Our predictions against scikit-learn's, bit for bit where it adds in the same order."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from napari_lightbox.kernels.classifier_training import KINDS, NEIGHBOURS, train
from napari_lightbox.kernels.forest import scorer_of_trees


def table(classes: int, rows: int = 700, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(rows, 9)).astype(np.float32)
    # values in steps: many are equal to a threshold or to one another
    features[:, :3] = np.round(features[:, :3] * 4) / 4
    blend = features[:, 0] + features[:, 4] * 0.5 + rng.normal(size=rows) * 0.4
    owners = np.digitize(blend, np.quantile(blend, [0.7, 0.9][: classes - 1]))
    asked = rng.normal(size=(1500, 9)).astype(np.float32)
    asked[:, :3] = np.round(asked[:, :3] * 4) / 4
    return features, owners, asked


@pytest.mark.parametrize("classes", [2, 3])
def test_trees_equal_scikit_learn_bit_for_bit(classes: int) -> None:
    features, owners, asked = table(classes)
    # one job: several add the trees up in the order in which they finish
    forest = RandomForestClassifier(100, class_weight="balanced", random_state=3, n_jobs=1).fit(features, owners)
    tree = DecisionTreeClassifier(class_weight="balanced", random_state=3, max_depth=6).fit(features, owners)
    for kind, depth, reference in (("random forest", None, forest), ("decision tree", 6, tree)):
        ours = train(kind, features, owners, 100, depth, 3).chances(asked, classes)
        np.testing.assert_array_equal(ours, reference.predict_proba(asked), err_msg=kind)


@pytest.mark.parametrize("classes", [2, 3])
def test_boosting_equals_scikit_learn(classes: int) -> None:
    features, owners, asked = table(classes)
    weights = len(owners) / (classes * np.bincount(owners))
    reference = GradientBoostingClassifier(n_estimators=30, init="zero", max_features="sqrt", random_state=5)
    reference.fit(features, owners, sample_weight=weights[owners])
    ours = train("gradient boosting", features, owners, 30, None, 5).chances(asked, classes)
    # the exponentials are another library's
    np.testing.assert_allclose(ours, reference.predict_proba(asked), rtol=1e-12, atol=1e-15)


def test_bayes_and_neighbours_equal_scikit_learn() -> None:
    features, owners, asked = table(3)
    bayes = GaussianNB(priors=[1 / 3] * 3).fit(features.astype(np.float64), owners)
    ours = train("naive Bayes", features, owners).chances(asked, 3)
    np.testing.assert_allclose(ours, bayes.predict_proba(asked.astype(np.float64)), rtol=1e-5, atol=1e-9)
    even = np.concatenate([np.flatnonzero(owners == c)[:60] for c in range(3)])
    scaler = StandardScaler().fit(features[even].astype(np.float64))
    near = KNeighborsClassifier(NEIGHBOURS, algorithm="brute").fit(scaler.transform(features[even]), owners[even])
    found = train("nearest neighbours", features[even], owners[even]).chances(asked, 3)
    # distances are ours in single precision: a tie may fall to the other side
    assert (np.abs(found - near.predict_proba(scaler.transform(asked))).max(axis=1) < 1e-12).mean() > 0.995


def test_thresholds_between_two_floats_decide_as_in_double_precision() -> None:
    above = np.nextafter(np.float32(1), np.float32(2))
    # rounded to single precision this threshold would become `above`, and both values would go left
    tree = SimpleNamespace(
        feature=np.array([0, -2, -2]),
        threshold=np.array([1 + 0.75 * (float(above) - 1), -2.0, -2.0]),
        children_left=np.array([1, -1, -1]),
        children_right=np.array([2, -1, -1]),
    )
    scorer = scorer_of_trees([tree], [np.array([[0.5, 0.5], [1.0, 0.0], [0.0, 1.0]])], "trees")
    np.testing.assert_array_equal(scorer.chances(np.array([[1.0], [above]]), 2), [[1, 0], [0, 1]])


def test_classes_weigh_the_same_however_many_samples_they_have() -> None:
    rng = np.random.default_rng(0)
    rows = np.concatenate([rng.normal(0, 1, (900, 1)), rng.normal(2, 1, (30, 1))]).astype(np.float32)
    owners = np.repeat([0, 1], [900, 30])
    asked = rng.normal(2, 1, (2000, 1))
    for kind in KINDS:
        found = train(kind, rows, owners, 100, 3).chances(asked, 2).argmax(axis=1)
        # the border half-way finds 84 % (fewer from 30 samples); unweighted it would lie near 2.7 and find 24 %
        assert found.mean() > 0.5, (kind, found.mean())


@pytest.mark.parametrize("kind", KINDS)
def test_equal_seeds_give_equal_bits(kind: str) -> None:
    features, owners, _ = table(3, 200)
    one, two, other = (train(kind, features, owners, 10, None, seed).arrays for seed in (1, 1, 2))
    for name in one:
        np.testing.assert_array_equal(one[name], two[name])
    if kind in ("random forest", "gradient boosting"):
        assert any(one[n].shape != other[n].shape or (one[n] != other[n]).any() for n in one)
