"""napari's dask cache while napari draws in one thread and others compute in theirs."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import dask.array as da
import numpy as np
import pytest

pytest.importorskip("napari")

from dask.cache import Cache

from napari_lightbox.widgets.drawing_cache import one_at_a_time


def doubled(cache: Cache, values: np.ndarray, begun: threading.Event, go: threading.Event) -> Any:
    def wait(block: Any) -> Any:
        begun.set()
        assert go.wait(30)
        return block * 2

    with cache:
        return (
            da.from_array(values, name=False).map_blocks(wait, dtype=values.dtype, meta=values[:0]).compute(scheduler="threads")
        )


def test_computations_side_by_side_leave_each_other_alone() -> None:
    cache, first, second = Cache(1e8), threading.Event(), threading.Event()
    one_at_a_time(cache)
    with ThreadPoolExecutor(2) as pool:
        go = threading.Event()
        slow = pool.submit(doubled, cache, np.arange(5), first, go)
        assert first.wait(30)
        # it begins and ends while the other one is under way
        done = threading.Event()
        done.set()
        np.testing.assert_array_equal(pool.submit(doubled, cache, np.arange(7), second, done).result(30), np.arange(7) * 2)
        go.set()
        np.testing.assert_array_equal(slow.result(30), np.arange(5) * 2)
    kept = [value for value in cache.cache.data.values() if isinstance(value, np.ndarray)]
    assert any(len(value) == 5 for value in kept)
    assert not any(len(value) == 7 for value in kept)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(doubled, cache, np.arange(9), second, done).result(30)
    assert any(len(value) == 9 for value in cache.cache.data.values() if isinstance(value, np.ndarray))


def test_what_fails_gives_the_cache_back() -> None:
    cache = Cache(1e8)
    one_at_a_time(cache)

    def fail(block: Any) -> Any:
        raise ValueError("on purpose")

    def lost() -> None:
        with cache, pytest.raises(ValueError, match="on purpose"):
            da.ones(3).map_blocks(fail, dtype=float, meta=np.empty(0)).compute(scheduler="threads")

    thread = threading.Thread(target=lost)
    thread.start()
    thread.join(30)
    done = threading.Event()
    done.set()
    doubled(cache, np.arange(4), threading.Event(), done)
    assert any(len(value) == 4 for value in cache.cache.data.values() if isinstance(value, np.ndarray))


@pytest.mark.gui
def test_every_dock_sees_to_it(open_dock: Any) -> None:
    from napari.utils import resize_dask_cache

    open_dock("gaussian_blur")
    assert {"_start", "_pretask", "_posttask", "_finish"} <= set(vars(resize_dask_cache()))
