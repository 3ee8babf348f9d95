"""k-means: scikit-learn on the same sample, planted colours, any chunking."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
from scipy.stats import kstest
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from napari_lightbox.engine.apply import apply
from napari_lightbox.errors import InputError
from napari_lightbox.kernels.kmeans import Sample, fit, lowest_pixels, merge_samples
from napari_lightbox.techniques.segment_classical.kmeans_segmentation import kmeans_segmentation

KMEANS = kmeans_segmentation.technique
COLOURS = np.array([[0.2, 0.2, 0.8], [0.9, 0.3, 0.2], [0.3, 0.8, 0.3]])


def planted(shape=(60, 70), seed=0):
    rng = np.random.default_rng(seed)
    truth = np.zeros(shape, int)
    truth[..., 25:45], truth[..., 10:30, 50:] = 1, 2
    return np.clip(COLOURS[truth] + rng.normal(0, 0.08, (*shape, 3)), 0, 1), truth


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
@pytest.mark.parametrize("parameters", [{}, {"colour": "Lab"}, {"start": "random", "n_init": 5}, {"position_weight": 0.001}])
def test_planted_colours_are_found(dtype, parameters):
    picture, truth = planted()
    full = np.iinfo(dtype).max if np.dtype(dtype).kind == "u" else 1
    if "position_weight" in parameters:
        parameters = {"position_weight": parameters["position_weight"] * full}
    image = (picture * full).astype(dtype)
    labels = apply(KMEANS, image, axes="yxc", n_clusters=3, **parameters).labels
    assert labels.dtype == np.int32
    assert adjusted_rand_score(truth.ravel(), labels.ravel()) > 0.999
    assert labels[0, 0] == 1  # blue is the darkest of the three, green the brightest
    assert labels[15, 60] == 3


@pytest.mark.parametrize("axes", ["yxc", "zyx", "tyxc"])
def test_any_chunking_gives_the_same_labels_and_table(axes):
    image = planted((30, 70), 1)[0] if axes == "yxc" else np.stack([planted((30, 70), s)[0] for s in range(3)])
    image = image[..., 0] if axes == "zyx" else image
    chunks = {"yxc": (11, 32, 3), "zyx": (2, 13, 70), "tyxc": (1, 30, 17, 3)}[axes]
    eager = apply(KMEANS, image, axes=axes, n_clusters=3)
    lazy = apply(KMEANS, da.from_array(image, chunks=chunks), axes=axes, n_clusters=3)
    np.testing.assert_array_equal(np.asarray(lazy.labels), eager.labels)
    table = lazy.centroids.compute() if hasattr(lazy.centroids, "compute") else lazy.centroids
    for name in eager.centroids:
        np.testing.assert_array_equal(table[name], eager.centroids[name])


def test_the_fit_reaches_the_minimum_of_scikit_learn():
    rng = np.random.default_rng(2)
    points = rng.normal(size=(400, 3)) + rng.integers(0, 5, (400, 1)) * 4
    for count in (2, 5):
        reference = KMeans(count, n_init=20, random_state=0, tol=0).fit(points)
        book = fit(points, count, "k-means++", 20, 0)
        np.testing.assert_allclose(book.inertia.sum(), reference.inertia_, rtol=1e-9)
        order, expected = np.lexsort(book.centres.T), np.lexsort(reference.cluster_centers_.T)
        np.testing.assert_allclose(book.centres[order], reference.cluster_centers_[expected], rtol=1e-9)


def test_scikit_learn_cannot_improve_the_result_and_labels_alike():
    image = (planted((40, 50), 3)[0][..., 1] * 255).astype(np.uint8)
    found = apply(KMEANS, image, axes="yx", n_clusters=3, n_samples=image.size)
    start = found.centroids["value"][:, np.newaxis]
    reference = KMeans(3, init=start, n_init=1, tol=0).fit(image.reshape(-1, 1).astype(float))
    np.testing.assert_allclose(found.centroids["inertia"].sum(), reference.inertia_, rtol=1e-9)
    np.testing.assert_array_equal(found.labels.ravel(), reference.labels_ + 1)


def test_inertia_falls_with_more_clusters():
    image = planted((40, 50), 4)[0]
    left = [apply(KMEANS, image, axes="yxc", n_clusters=k).centroids["inertia"].sum() for k in range(2, 9)]
    assert all(a > b for a, b in zip(left, left[1:], strict=False))


def test_the_sample_is_uniform_and_merges_in_any_order():
    values, usable = np.zeros((64, 128, 1)), np.ones((64, 128), bool)
    _, places = lowest_pixels(values, usable, (0, 0), (64, 128), 1000, 0)
    assert len(set(places)) == 1000
    assert kstest(places / values.size, "uniform").pvalue > 1e-3
    other = lowest_pixels(values, usable, (0, 0), (64, 128), 1000, 1)[1]
    assert len(set(places) & set(other)) < 200  # 122 expected by chance
    parts = []
    for start in (0, 16, 40):
        stop = {0: 16, 16: 40, 40: 64}[start]
        keys, at = lowest_pixels(values[start:stop], usable[start:stop], (start, 0), (64, 128), 1000, 0)
        parts.append(Sample(keys, (at + start * 128.0)[:, np.newaxis], 1000, 1))
    one = merge_samples(merge_samples(parts[0], parts[1]), parts[2])
    two = merge_samples(parts[2], merge_samples(parts[1], parts[0]))
    np.testing.assert_array_equal(one.features, two.features)
    assert set(one.features[:, 0].astype(int)) == set(places)


def test_position_cuts_a_plain_image_in_space_and_in_physical_units():
    image = np.zeros((20, 40), np.float32)
    image[::2] = 1e-3  # two values, without meaning
    labels = apply(KMEANS, image, axes="yx", position_weight=1.0, seed=1).labels
    assert {len(np.unique(labels[:, c])) for c in (0, -1)} == {1}  # left against right: the longer side
    tall = apply(KMEANS, image, axes="yx", position_weight=1.0, spacing=(5.0, 1.0), seed=1)
    assert {len(np.unique(tall.labels[r])) for r in (0, -1)} == {1}
    assert list(tall.centroids) == ["label", "value", "weighted_y", "weighted_x", "samples", "inertia"]


def test_mask_and_missing_values_stay_out():
    image = np.array([[0.0, 0.0, 1.0, 1.0, 9.0, np.nan]])
    mask = np.array([[1, 1, 1, 1, 0, 1]])
    found = apply(KMEANS, image, mask, axes="yx")
    assert found.labels.tolist() == [[1, 1, 2, 2, 0, 0]]
    assert found.centroids["value"].tolist() == [0.0, 1.0]
    assert found.centroids["samples"].tolist() == [2, 2]


@pytest.mark.parametrize("image", [np.full((9, 9), 3, np.uint8), np.full((9, 9), np.nan)])
def test_too_few_values_are_refused(image):
    with pytest.raises(InputError, match="Ask for fewer clusters"):
        apply(KMEANS, image, axes="yx")
