"""What goes to the workers is the same work in fewer tasks."""

from __future__ import annotations

import hypothesis.strategies as st
from dask._task_spec import DataNode, GraphNode, Task, TaskRef
from dask.local import get_sync
from hypothesis import given

from napari_lightbox.server.cluster.own_graph import fused, own_graph


def total(number: int, *values: int) -> int:
    return number + sum((n + 2) * value for n, value in enumerate(values)) % 10007


@st.composite
def graphs(draw) -> dict[int, GraphNode]:
    """Return a graph in which every task may need any before it."""
    nodes: dict[int, GraphNode] = {}
    for key in range(draw(st.integers(1, 12))):
        before = draw(st.lists(st.integers(0, key - 1), max_size=3, unique=True)) if key else []
        plain = not before and draw(st.booleans())
        nodes[key] = DataNode(key, key) if plain else Task(key, total, key, *map(TaskRef, before))
    return nodes


@given(graphs(), st.data())
def test_wanted_values_stay_the_same(nodes, data) -> None:
    keys = data.draw(st.lists(st.sampled_from(sorted(nodes)), min_size=1, unique=True))
    expected = get_sync(nodes, keys)
    assert get_sync(fused(nodes, set(keys)), keys) == expected
    own, names = own_graph(nodes, keys)
    assert get_sync(own, [names[key] for key in keys]) == expected
    assert len(own) <= len(nodes)


def test_a_chain_becomes_one_task_but_not_across_what_is_wanted() -> None:
    nodes = {n: Task(n, total, n, *([TaskRef(n - 1)] if n else [])) for n in range(9)}
    assert set(fused(nodes, {8})) == {8}
    assert set(fused(nodes, {3, 8})) == {3, 8}


def test_what_two_need_stays_a_task() -> None:
    nodes = {
        "read": Task("read", total, 1),
        "left": Task("left", total, 2, TaskRef("read")),
        "right": Task("right", total, 3, TaskRef("read")),
        "both": Task("both", total, 4, TaskRef("left"), TaskRef("right")),
    }
    assert set(fused(nodes, {"both"})) == set(nodes)
