"""A slice of a huge stack costs a handful of tasks and chunks, whatever the length."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest

import napari_lightbox as lb
from napari_lightbox.engine.layers import OnDemandLayer


def tasks_of(result: da.Array, keys: list) -> list[str]:
    graph = da.Array.__dask_optimize__(result.__dask_graph__(), keys)
    return list(graph)


@pytest.mark.parametrize(
    ("technique", "over", "most"), [("invert_intensity", "yx", 6), ("gaussian_blur", "yx", 6), ("gaussian_blur", "tyx", 24)]
)
def test_one_slice_of_a_long_stack_makes_few_tasks(technique: str, over: str, most: int) -> None:
    stack = da.zeros((100_000, 64, 64), chunks=(1, 64, 64), dtype=np.uint8)
    result = lb.apply(technique, stack, axes="tyx", over=over)
    assert len(tasks_of(result, [(result.name, 50_000, 0, 0)])) <= most


def test_layers_do_not_list_their_keys_to_serve_one() -> None:
    class Counting(OnDemandLayer):
        def __iter__(self):
            raise AssertionError("the whole layer was listed")

    result = lb.apply("gaussian_blur", da.zeros((500, 32, 32), chunks=(1, 32, 32)), axes="tyx", over="tyx")
    graph = result.__dask_graph__()
    for layer in graph.layers.values():
        if isinstance(layer, OnDemandLayer):
            layer.__class__ = type("Watched", (type(layer),), {"__iter__": Counting.__iter__})
    assert np.asarray(result[250]).shape == (32, 32)


def test_thin_chunks_are_joined_for_full_runs_only() -> None:
    from napari_lightbox.contract import registry
    from napari_lightbox.engine.bind import bind
    from napari_lightbox.engine.blocking import choose_blocks

    stack = da.zeros((64, 32, 32), chunks=(1, 32, 32))
    bound = bind(registry.get("gaussian_blur"), [stack], {"sigma": 2.0}, axes="tyx", over="tyx")
    assert choose_blocks(bound, "view").counts == (64, 1, 1)
    assert choose_blocks(bound, "full").counts[0] <= 2


def test_in_memory_inputs_beside_a_long_stack_leave_nothing_old_in_the_graph() -> None:
    stack = da.zeros((100_000, 16, 16), chunks=(1, 16, 16), dtype=np.uint8)
    result = lb.apply("mask_cutout", stack, np.ones((16, 16), np.int32), axes="tyx")
    result = result[0] if isinstance(result, tuple) else result
    old = [name for name, layer in result.__dask_graph__().layers.items() if layer.has_legacy_tasks]
    assert not old
    assert len(tasks_of(result, [(result.name, 50_000, 0, 0)])) <= 8
