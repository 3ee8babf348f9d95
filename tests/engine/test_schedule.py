"""Who computes the tasks of a run."""

from __future__ import annotations

import threading
from typing import Any

import dask
import dask.array as da
import dask.threaded
import numpy as np
import pytest
from dask.callbacks import Callback

from napari_lightbox.engine.control import Control
from napari_lightbox.engine.schedule import Threads, compute_all, compute_blocks, computed_by, scheduler
from napari_lightbox.errors import CancelledError

ARRAY = da.from_array(np.arange(12 * 10).reshape(12, 10), chunks=(5, 4))


def test_runs_side_by_side_keep_their_own_progress_and_cancel(monkeypatch: pytest.MonkeyPatch) -> None:
    both, go, ready = threading.Barrier(3, timeout=30), threading.Event(), threading.Barrier(2, timeout=30)
    get = dask.threaded.get

    def together(*args: Any, **options: Any) -> Any:
        ready.wait()
        return get(*args, **options)

    monkeypatch.setattr(dask.threaded, "get", together)
    reports: dict[str, list[str]] = {"a": [], "b": []}
    controls = {name: Control(lambda _, message, name=name: reports[name].append(message)) for name in reports}
    ends: dict[str, Any] = {}

    def first(name: str) -> str:
        both.wait()
        go.wait(30)
        return name

    def run(name: str) -> None:
        graph = {f"{name}-0": (first, name), **{f"{name}-{n}": (str.upper, f"{name}-{n - 1}") for n in range(1, 4)}}
        try:
            ends[name] = Threads().get(graph, [f"{name}-3"], controls[name], message=name)
        except CancelledError as error:
            ends[name] = error

    threads = [threading.Thread(target=run, args=(name,)) for name in reports]
    for thread in threads:
        thread.start()
    both.wait()
    controls["a"].cancel()
    go.set()
    for thread in threads:
        thread.join(30)
    assert isinstance(ends["a"], CancelledError)
    assert list(ends["b"]) == ["B"]
    assert set(reports["b"]) == {"b"}
    assert "b" not in reports["a"]


def test_lazy_values_are_computed_by_whoever_was_named() -> None:
    asked: list[Any] = []

    class Counting(Threads):
        def get(self, graph: Any, keys: Any, *more: Any) -> Any:
            asked.append(list(keys))
            return super().get(graph, keys, *more)

    lazy = dask.delayed(np.sum)(np.arange(5))
    with computed_by(Counting()):
        assert compute_all([lazy, 7], Control()) == [10, 7]
    assert len(asked) == 1
    assert type(scheduler()) is Threads


def test_a_cancelled_run_ends_between_tasks() -> None:
    control, done = Control(), []

    def step(before: Any) -> int:
        done.append(before)
        control.cancel()
        return 1

    with pytest.raises(CancelledError):
        Threads().get({"a": (step, 0), "b": (step, "a")}, ["b"], control)
    assert done == [0]


def test_what_others_have_entered_hears_nothing() -> None:
    heard: list[Any] = []
    with Callback(pretask=lambda *told: heard.append(told)):
        (total,) = compute_all([da.arange(10, chunks=5).sum()])
    assert total == 45
    assert heard == []


@pytest.mark.parametrize("array", [ARRAY, ARRAY[1:, ::2] + 1, ARRAY.rechunk((5, 2)), da.overlap.overlap(ARRAY, 1, "reflect")])
def test_blocks_are_what_slices_would_be(array) -> None:
    indices = [index for index in np.ndindex(array.numblocks) if sum(index) % 3 != 1]
    for index, block in zip(indices, compute_blocks(array, indices), strict=True):
        np.testing.assert_array_equal(block, array.blocks[index].compute())


def test_blocks_are_computed_by_whoever_computes_here() -> None:
    class Listening(Threads):
        def get(self, graph, keys, *rest):
            asked.append((len(graph), sorted(keys)))
            return super().get(graph, keys, *rest)

    asked: list = []
    with computed_by(Listening()):
        compute_blocks(ARRAY, [(1, 2), (0, 0)])
    # no task of any other block is among them
    assert asked == [(2, [(ARRAY.name, 0, 0), (ARRAY.name, 1, 2)])]
