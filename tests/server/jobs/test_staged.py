"""The scheduler that waits: for the chunks that a graph reads, and for no others; in parts when there are many."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager

import dask.array as da
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

import napari_lightbox as lb
from napari_lightbox.engine.control import Control
from napari_lightbox.engine.remembered import cache
from napari_lightbox.engine.schedule import Threads, compute_all, computed_by
from napari_lightbox.errors import CancelledError
from napari_lightbox.server.jobs.staged import StagedScheduler
from napari_lightbox.server.store.read_layer import lazy_array
from napari_lightbox.wire import ArrayCard

CARD = ArrayCard("<u2", (12, 20, 20), (2, 10, 10))
DATA = np.random.default_rng(0).integers(0, 900, CARD.shape).astype(np.uint16)
CHUNK = 2 * 10 * 10 * 2


class Supplied:
    """Chunks that can be read only while they are held."""

    def __init__(self) -> None:
        self.card = CARD
        self.held: Counter[int] = Counter()
        self.asked: list[int] = []
        self.most = 0
        self.array = lazy_array("source-s", CARD, self.read)

    def read(self, index):
        assert self.held[int(np.ravel_multi_index(index, CARD.grid))] > 0
        return DATA[CARD.box(index)]

    def ask(self, chunks) -> None:
        self.asked += chunks

    def hold(self, chunks, control) -> None:
        control.check()
        self.held.update(chunks)
        self.most = max(self.most, sum(n > 0 for n in self.held.values()))

    def release(self, chunks) -> None:
        self.held.subtract(chunks)


@contextmanager
def staged(room: int = 2**20):
    supply = Supplied()
    with computed_by(StagedScheduler(Threads(), {"source-s": supply}, room)):
        yield supply
    assert not any(supply.held.values())


def volume(array) -> lb.Volume:
    return lb.Volume(array, lb.Geometry.of("zyx", CARD.shape))


@pytest.mark.parametrize("fused", [False, True])
def test_only_the_chunks_behind_the_result_are_asked_for(fused: bool) -> None:
    with staged() as supply:
        array = supply.array.map_blocks(np.sqrt).map_blocks(np.negative) if fused else supply.array + supply.array.T.T
        part = array[3:5, :10, 12:]
        (values,) = compute_all([part], Control())
        expected = -np.sqrt(DATA[3:5, :10, 12:]) if fused else 2 * DATA[3:5, :10, 12:]
        np.testing.assert_array_equal(values, expected)
        assert sorted(set(supply.asked)) == [5, 9]


def test_a_statistic_over_much_comes_in_parts() -> None:
    cache.clear()
    with staged(room=8 * CHUNK) as supply:
        outcome = lb.apply("threshold_otsu", volume(supply.array))
        (value,) = compute_all([outcome.threshold], Control())
    assert value == lb.apply("threshold_otsu", DATA).threshold
    assert set(supply.asked) == set(range(24))
    assert supply.most <= 5


def test_what_needs_all_at_once_gets_it() -> None:
    with staged(room=4 * CHUNK) as supply:
        (values,) = compute_all([supply.array], Control())
    np.testing.assert_array_equal(values, DATA)
    assert supply.most == 24


def test_blocks_that_are_wanted_one_by_one_come_in_parts_and_in_order() -> None:
    seen: list[float] = []
    with staged(room=6 * CHUNK) as supply:
        result = (supply.array + np.uint16(1)).astype(np.int32)
        keys = [(result.name, *index) for index in np.ndindex(*result.numblocks)]
        graph = da.Array.__dask_optimize__(result.__dask_graph__(), keys)
        control = Control(lambda fraction, _: seen.append(fraction))
        from napari_lightbox.engine.schedule import scheduler

        values = scheduler().get(graph, keys, control)
    for key, value in zip(keys, values, strict=True):
        np.testing.assert_array_equal(value, DATA[CARD.box(key[1:])] + 1)
    assert supply.most <= 3
    assert list(dict.fromkeys(supply.asked)) == list(range(24))
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


@settings(max_examples=15)
@given(st.integers(1, 30), st.sampled_from(["threshold_otsu", "connected_components", "gaussian_blur"]))
def test_parts_of_any_size_give_the_same(chunks: int, technique: str) -> None:
    cache.clear()
    data = DATA if technique != "connected_components" else (DATA > 700).astype(np.uint16)
    expected = lb.apply(technique, data)
    with staged(room=chunks * CHUNK) as supply:
        supply.read = None
        array = lazy_array("source-s", CARD, lambda index: data[CARD.box(index)])
        outcome = lb.apply(technique, volume(array))
        first = outcome[0] if isinstance(outcome, tuple) else outcome
        (values,) = compute_all([first.data], Control())
    np.testing.assert_array_equal(values, expected[0] if isinstance(expected, tuple) else expected)


def test_a_cancel_lets_go_of_everything() -> None:
    control = Control()
    control.cancel()
    with staged() as supply, pytest.raises(CancelledError):
        compute_all([supply.array], control)
