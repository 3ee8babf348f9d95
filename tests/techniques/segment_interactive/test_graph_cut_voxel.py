"""Graph cut between painted voxels: all boundary terms, planted bodies, several ids, what takes no part."""

from __future__ import annotations

from itertools import product

import dask.array as da
import numpy as np
import pytest
from scipy import ndimage

from napari_lightbox.engine.apply import apply
from napari_lightbox.errors import InputError, ParameterError
from napari_lightbox.kernels.max_flow import GridGraph
from napari_lightbox.techniques.segment_interactive.graph_cut_voxel import graph_cut_voxel

TERMS = {
    "linear": lambda c, sigma: 1 - c / c.greatest,
    "exponential": lambda c, sigma: np.exp(-((c / sigma) ** 2)),
    "division": lambda c, sigma: 1 / (1 + c / sigma),
    "power": lambda c, sigma: (1 / (1 + c)) ** sigma,
}


class Contrast(np.ndarray):
    greatest: float


def weights(image, contrast, term, sigma, spacing):
    """The weights as the literature has them, axis by axis."""
    values = image.astype(float)
    if contrast == "maximum":
        slopes = [ndimage.correlate1d(values, [-0.5, 0, 0.5], axis=a, mode="nearest") / s for a, s in enumerate(spacing)]
        values = np.sqrt(sum(s**2 for s in slopes))
    found = []
    for axis, step in enumerate(spacing):
        first, second = (np.take(values, r, axis) for r in (range(values.shape[axis] - 1), range(1, values.shape[axis])))
        c = (np.maximum(first, second) if contrast == "maximum" else np.abs(first - second)).view(Contrast)
        c.greatest = values.max() if contrast == "maximum" else np.ptp(values)
        weight = np.asarray(TERMS[term](c, sigma))
        found.append(np.where(weight <= 0, np.finfo(float).tiny, weight) / step)
    return found


def two_seeds(shape):
    seeds = np.zeros(shape, np.int32)
    seeds[tuple(n // 2 for n in shape)] = 1
    seeds[(0,) * len(shape)] = 2
    return seeds


def ellipsoid(noise, shape=(24, 36, 40), seed=0):
    rng = np.random.default_rng(seed)
    grid = np.indices(shape) - np.reshape([n / 2 for n in shape], (3, 1, 1, 1))
    body = ((grid / np.reshape((8, 12, 13), (3, 1, 1, 1))) ** 2).sum(axis=0) < 1
    seeds = np.zeros(shape, np.int32)
    seeds[11:14, 15:22, 17:24], seeds[:2], seeds[-2:] = 1, 2, 2
    return 100 + 60 * body + rng.normal(0, noise, shape), seeds, body


def dice(a, b):
    return 2 * (a & b).sum() / (a.sum() + b.sum())


@pytest.mark.parametrize("contrast", ["difference", "maximum"])
@pytest.mark.parametrize("term", list(TERMS))
@pytest.mark.parametrize(("shape", "spacing"), [((11, 12), (1.0, 1.0)), ((5, 7, 6), (3.0, 1.0, 0.5))])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "float64"])
def test_every_boundary_term_gives_the_flow_of_its_formula(contrast, term, shape, spacing, dtype):
    rng = np.random.default_rng(1)
    image = (rng.random(shape) * 40).astype(dtype)
    seeds = two_seeds(shape)
    sigma = 3.5
    found = graph_cut_voxel(image, seeds, boundary_term=f"{contrast}_{term}", sigma=sigma, spacing=spacing)
    expected = GridGraph.of(weights(image, contrast, term, sigma, spacing)).cut(seeds == 1, seeds == 2)
    assert found.flow == pytest.approx(expected.flow, rel=1e-5 if contrast == "maximum" else 1e-11)
    if contrast == "difference":
        np.testing.assert_array_equal(found.labels, np.where(expected.source_side, 1, 2))


def test_the_default_is_the_tenth_power_over_spacing():
    image, seeds, _ = ellipsoid(8)
    by_name = graph_cut_voxel(image, seeds, boundary_term="difference_power", sigma=10.0, spacing=(2.0, 1.0, 1.0))
    default = graph_cut_voxel(image, seeds, spacing=(2.0, 1.0, 1.0))
    np.testing.assert_array_equal(default.labels, by_name.labels)
    assert default.flow == by_name.flow
    assert default.flow != graph_cut_voxel(image, seeds).flow


@pytest.mark.parametrize("noise", [2, 5, 8])
@pytest.mark.parametrize("whole", [True, False])
def test_a_planted_ellipsoid_is_found_and_sigma_1_shrinks(noise, whole):
    image, seeds, body = ellipsoid(noise)
    image = image.round().astype(np.int16) if whole else image
    assert dice(graph_cut_voxel(image, seeds, sigma=10.0).labels == 1, body) == 1.0
    assert dice(graph_cut_voxel(image, seeds, sigma=2.0).labels == 1, body) == 1.0
    point = np.where(seeds == 2, 2, 0)
    point[12, 18, 20] = 1
    shrunk = graph_cut_voxel(image, point, sigma=1.0).labels == 1
    assert dice(shrunk, body) < 0.02


def test_cut_values_far_below_integer_capacities():
    rng = np.random.default_rng(2)
    y, x = np.mgrid[:120, :120]
    disc = (y - 60) ** 2 + (x - 60) ** 2 < 40**2
    image = 100 + 60 * disc + rng.normal(0, 2, disc.shape)
    seeds = np.zeros(disc.shape, np.int32)
    seeds[60, 55:65], seeds[5, 10:110] = 1, 2
    found = graph_cut_voxel(image, seeds)
    assert 0 < found.flow < 1e-13
    np.testing.assert_array_equal(found.labels == 1, disc)


def test_object_against_background_ignores_other_ids():
    image, seeds, body = ellipsoid(5)
    plain = graph_cut_voxel(image, seeds)
    more = seeds.copy()
    more[4, :, :], more[12, 2:5, 2:5] = 3, 7
    asked = graph_cut_voxel(image, more, object_id=1, background_id=2)
    np.testing.assert_array_equal(asked.labels, plain.labels == 1)
    assert asked.labels.max() == 1
    assert asked.flow == plain.flow
    swapped = graph_cut_voxel(image, np.where(seeds == 1, 9, seeds), object_id=9)
    np.testing.assert_array_equal(swapped.labels == 1, body)


def test_the_object_takes_the_fewest_pixels_among_equal_cuts():
    seeds = np.array([[1, 0, 0, 0, 2]], np.int32)
    image = np.zeros(seeds.shape)
    assert graph_cut_voxel(image, seeds).labels.tolist() == [[1, 2, 2, 2, 2]]
    assert graph_cut_voxel(image, seeds, object_id=2).labels.tolist() == [[0, 0, 0, 0, 1]]


def best_multiway(weight, seeds):
    free = np.flatnonzero(seeds == 0)
    best, index = np.inf, np.arange(seeds.size).reshape(seeds.shape)
    arcs = []
    for axis in (0, 1):
        a, b = np.take(index, range(index.shape[axis] - 1), axis), np.take(index, range(1, index.shape[axis]), axis)
        arcs.append((a.ravel(), b.ravel(), weight[axis].ravel()))
    for labels in product((1, 2, 3), repeat=free.size):
        flat = seeds.ravel().copy()
        flat[free] = labels
        best = min(best, sum(w[flat[a] != flat[b]].sum() for a, b, w in arcs))
    return best


def test_three_ids_stay_within_the_proven_bound_and_mostly_reach_the_best():
    reached = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        image = rng.normal(0, 1, (3, 4))
        seeds = np.zeros(12, np.int32)
        seeds[rng.permutation(12)[:3]] = 1, 2, 3
        seeds = seeds.reshape(3, 4)
        found = graph_cut_voxel(image, seeds, sigma=3.0)
        best = best_multiway(weights(image, "difference", "power", 3.0, (1.0, 1.0)), seeds)
        assert best * (1 - 1e-12) <= found.flow <= best * (2 - 2 / 3)
        reached += found.flow <= best * (1 + 1e-9)
        np.testing.assert_array_equal(found.labels[seeds > 0], seeds[seeds > 0])
    assert reached >= 9


def test_what_nobody_holds_goes_to_the_id_that_is_hardest_to_isolate():
    seeds = np.zeros((5, 7), np.int32)
    seeds[2, 3], seeds[0, 0], seeds[2, 0] = 4, 9, 6  # four, two and three links
    expected = np.where(seeds == 0, 4, seeds)
    np.testing.assert_array_equal(graph_cut_voxel(np.zeros(seeds.shape), seeds).labels, expected)
    seeds[2, 5] = 5
    np.testing.assert_array_equal(graph_cut_voxel(np.zeros(seeds.shape), seeds).labels, np.where(seeds == 0, 5, seeds))


def test_four_regions_with_ids_of_their_own():
    rng = np.random.default_rng(3)
    truth = np.ones((60, 70), np.int64)
    truth[5:30, 5:30], truth[5:30, 30:60], truth[35:55, 10:60] = 4, 11, 5_000_000_000
    shade = np.select([truth == 4, truth == 11, truth > 100], [80, 160, 240], 0)
    image = (shade + rng.normal(0, 5, truth.shape)).clip(0, 255).astype(np.uint8)
    seeds = np.where(ndimage.binary_erosion(truth > 1, iterations=8), truth, 0)
    seeds[:3] = 1
    found = graph_cut_voxel(image, seeds)
    assert found.labels.dtype == np.int64
    np.testing.assert_array_equal(found.labels, truth)


def test_colour_counts_as_one_distance():
    image = np.zeros((20, 20, 3), np.uint8)
    image[:, 10:] = 0, 90, 0
    seeds = np.zeros((20, 20), np.int32)
    seeds[3, 2], seeds[3, 17] = 6, 2
    labels = graph_cut_voxel(image, seeds).labels
    assert (labels[:, :10] == 6).all()
    assert (labels[:, 10:] == 2).all()
    image[:, 10:] = 30, 60, 60
    gray = np.zeros((20, 20), np.float64)
    gray[:, 10:] = 90
    assert graph_cut_voxel(image, seeds).flow == pytest.approx(graph_cut_voxel(gray, seeds).flow, rel=1e-12)


def test_an_edge_map_is_taken_as_it_is():
    edges = np.zeros((15, 15))
    edges[:, 7] = 50
    seeds = np.zeros(edges.shape, np.int32)
    seeds[7, 2], seeds[7, 12] = 1, 2
    given = graph_cut_voxel(edges, seeds, boundary_term="maximum_power", gradient=False)
    assert (given.labels[:, :7] == 1).all()
    assert (given.labels[:, 8:] == 2).all()
    assert given.flow == pytest.approx(15 * (1 / 51) ** 10, rel=1e-9)


def test_what_takes_no_part_is_zero_and_no_bridge():
    image = np.random.default_rng(4).random((12, 20))
    seeds = np.zeros(image.shape, np.int32)
    seeds[6, 2], seeds[6, 8], seeds[:, 11] = 1, 2, -1
    image[2:4, 2:4] = np.nan
    found = graph_cut_voxel(image, seeds).labels
    assert (found[:, 11:] == 0).all()
    np.testing.assert_array_equal(found[:, :11] == 0, np.isnan(image[:, :11]))
    mask = np.zeros(image.shape, bool)
    mask[4:9, 1:10] = True
    inside = graph_cut_voxel(image, np.maximum(seeds, 0), mask).labels
    np.testing.assert_array_equal(inside > 0, mask)
    alone = graph_cut_voxel(image[4:9, 1:10], np.maximum(seeds, 0)[4:9, 1:10]).labels
    np.testing.assert_array_equal(inside[4:9, 1:10], alone)


def test_a_constant_image_and_missing_values_have_a_result():
    seeds = two_seeds((6, 7))
    for term in TERMS:
        found = graph_cut_voxel(np.full((6, 7), 9, np.uint8), seeds, boundary_term=f"difference_{term}")
        assert found.flow == pytest.approx(2.0)
        assert set(np.unique(found.labels)) == {1, 2}
    assert (graph_cut_voxel(np.full((6, 7), np.nan), seeds).labels == 0).all()


def test_bad_input_is_refused():
    image, seeds = np.zeros((6, 6)), np.zeros((6, 6), np.int32)
    with pytest.raises(InputError, match="no painted pixel"):
        graph_cut_voxel(image, seeds)
    seeds[0, 0] = 1
    with pytest.raises(InputError, match="background with another"):
        graph_cut_voxel(image, seeds)
    with pytest.raises(InputError, match="no background"):
        graph_cut_voxel(image, seeds, object_id=1)
    seeds[5, 5] = 2
    with pytest.raises(InputError, match="no object"):
        graph_cut_voxel(image, seeds, object_id=5)
    with pytest.raises(ParameterError, match="background_id"):
        graph_cut_voxel(image, seeds, object_id=1, background_id=1)
    with pytest.raises(ParameterError, match="background_id"):
        graph_cut_voxel(image, seeds, background_id=2)
    with pytest.raises(InputError, match="seeds"):
        apply(graph_cut_voxel.technique, image, seeds[:5], axes="yx")


def test_lazy_equals_eager():
    image, seeds, _ = ellipsoid(8)
    eager = apply(graph_cut_voxel.technique, image, seeds, axes="zyx")
    lazy = apply(graph_cut_voxel.technique, da.from_array(image, chunks=(5, 11, 30)), seeds, axes="zyx")
    np.testing.assert_array_equal(np.asarray(lazy.labels), eager.labels)
    assert lazy.flow.compute() == eager.flow
