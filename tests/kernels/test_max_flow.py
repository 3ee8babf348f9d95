"""Maximum flow on pixel grids: brute force, scipy, max-flow = min-cut, and capacities of all sizes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import product

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse.csgraph import breadth_first_order, maximum_flow

from napari_lightbox.kernels.max_flow import GridGraph


def random_weights(rng, shape, low=0.0, high=1.0):
    return [rng.uniform(low, high, [n - (a == axis) for a, n in enumerate(shape)]) for axis in range(len(shape))]


def pairs(weights):
    """Flat indices of the two pixels of every arc and its weight; written without the code under test."""
    shape = tuple(n + (a == 0) for a, n in enumerate(weights[0].shape))
    index = np.arange(np.prod(shape)).reshape(shape)
    for axis, weight in enumerate(weights):
        first = np.take(index, range(shape[axis] - 1), axis).ravel()
        second = np.take(index, range(1, shape[axis]), axis).ravel()
        yield from zip(first.tolist(), second.tolist(), weight.ravel().tolist(), strict=True)


def terminals(rng, shape, count=1):
    places = rng.permutation(int(np.prod(shape)))
    source, sink = np.zeros(shape, bool), np.zeros(shape, bool)
    source.ravel()[places[:count]], sink.ravel()[places[count : 2 * count]] = True, True
    return source, sink


def cut_value(weights, inside):
    flat = inside.ravel()
    return sum(w for a, b, w in pairs(weights) if flat[a] != flat[b])


def test_thirty_tiny_images_equal_the_best_of_all_labelings():
    rng = np.random.default_rng(0)
    every = np.array(list(product((False, True), repeat=12)))
    for _ in range(30):
        image = rng.normal(0, 10, (3, 4))
        weights = [(1 / (1 + np.abs(np.diff(image, axis=a)))) ** 10 for a in (0, 1)]
        source, sink = terminals(rng, image.shape)
        allowed = every[every[:, source.ravel()].all(axis=1) & ~every[:, sink.ravel()].any(axis=1)]
        costs = sum(np.where(allowed[:, a] != allowed[:, b], w, 0.0) for a, b, w in pairs(weights))
        best = costs.min()
        cut = GridGraph.of(weights).cut(source, sink)
        assert cut.flow == pytest.approx(best, rel=1e-12)
        fewest = allowed[costs <= best * (1 + 1e-12)].sum(axis=1).min()
        assert cut.source_side.sum() == fewest


@pytest.mark.parametrize("shape", [(13, 17), (1, 30), (30, 1), (6, 7, 8), (1, 9, 9), (5, 1, 6)])
def test_whole_capacities_equal_scipy(shape):
    rng = np.random.default_rng(1)
    for trial in range(10):
        weights = [np.rint(w) for w in random_weights(rng, shape, 0, (3, 1000)[trial % 2])]
        source, sink = terminals(rng, shape, 1 + trial % 4)
        nodes = int(np.prod(shape))
        first, second, weight = map(np.array, zip(*pairs(weights), strict=True))
        ends = [np.flatnonzero(source), np.flatnonzero(sink)]
        rows = np.concatenate([first, second, np.full(ends[0].size, nodes), ends[1]])
        columns = np.concatenate([second, first, ends[0], np.full(ends[1].size, nodes + 1)])
        endless = np.full(ends[0].size + ends[1].size, 10**8)
        values = np.concatenate([weight, weight, endless]).astype(np.int32)
        matrix = sparse.csr_array((values, (rows, columns)), shape=(nodes + 2, nodes + 2))
        solved = maximum_flow(matrix, nodes, nodes + 1)
        cut = GridGraph.of(weights).cut(source, sink)
        assert cut.flow == solved.flow_value
        left = matrix - solved.flow
        left.eliminate_zeros()
        reached = np.isin(np.arange(nodes), breadth_first_order(left, nodes, return_predecessors=False))
        np.testing.assert_array_equal(cut.source_side.ravel(), reached)


@pytest.mark.parametrize("shape", [(40, 50), (12, 14, 16)])
@pytest.mark.parametrize("power", [1, 10, 40])
def test_flow_equals_the_capacity_of_the_cut_however_small(shape, power):
    rng = np.random.default_rng(2)
    weights = [w**power for w in random_weights(rng, shape, 0.02, 1.0)]
    for count in (1, 5, 30):
        source, sink = terminals(rng, shape, count)
        graph = GridGraph.of(weights)
        cut = graph.cut(source, sink)
        assert cut.flow == pytest.approx(cut_value(weights, cut.source_side), rel=1e-11)
        assert cut.flow == pytest.approx(graph.between(np.where(cut.source_side, 7, 3)), rel=1e-11)
        assert cut.source_side[source].all()
        assert not cut.source_side[sink].any()
        back = graph.cut(sink, source)
        assert back.flow == pytest.approx(cut.flow, rel=1e-11)
        assert not (back.source_side & cut.source_side).any()


def test_finite_terminals_weigh_each_pixel():
    rng = np.random.default_rng(3)
    weights, terminal = random_weights(rng, (3, 4), 0, 0.5), rng.normal(size=(3, 4))
    every = np.array(list(product((False, True), repeat=12)))
    costs = sum(np.where(every[:, a] != every[:, b], w, 0.0) for a, b, w in pairs(weights))
    costs = costs + np.where(every, np.maximum(-terminal, 0).ravel(), np.maximum(terminal, 0).ravel()).sum(axis=1)
    cut = GridGraph.of(weights).cut_between(terminal)
    assert cut.flow == pytest.approx(costs.min(), rel=1e-12)
    np.testing.assert_array_equal(cut.source_side.ravel(), every[costs.argmin()])


def test_a_pixel_that_is_both_belongs_to_the_sink_and_islands_to_nobody():
    weights = [np.zeros((2, 3)), np.array([[1.0, 0.0]] * 3)]
    source, sink = np.zeros((3, 3), bool), np.zeros((3, 3), bool)
    source[0, 0], source[0, 1], sink[0, 1] = True, True, True
    cut = GridGraph.of(weights).cut(source, sink)
    assert cut.source_side.tolist() == [[True, False, False], [False] * 3, [False] * 3]
    assert cut.flow == 1.0


def test_two_threads_share_one_graph():
    rng = np.random.default_rng(4)
    graph = GridGraph.of(random_weights(rng, (60, 70)))
    tasks = [terminals(rng, (60, 70), 8) for _ in range(6)]
    alone = [graph.cut(*t) for t in tasks]
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(lambda t: graph.cut(*t), tasks))
    for one, other in zip(alone, together, strict=True):
        assert one.flow == other.flow
        np.testing.assert_array_equal(one.source_side, other.source_side)
