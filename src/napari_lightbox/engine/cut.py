"""Cut the tasks of some keys out of a graph."""

from __future__ import annotations

from collections.abc import Iterable
from graphlib import TopologicalSorter
from typing import Any

from dask._task_spec import GraphNode
from dask.highlevelgraph import HighLevelGraph
from dask.utils import ensure_dict

from napari_lightbox.engine.layers import OnDemandLayer


def tasks_of(graph: HighLevelGraph, keys: Iterable[Any]) -> dict[Any, GraphNode]:
    """Return the tasks that some keys need, as `HighLevelGraph.cull` does.

    That lists every key of the graph before it looks for any. Where all layers make their tasks on demand, this takes as long for
    a block of a long film as for one of a short film.
    """
    wanted = set(keys)
    if not all(isinstance(layer, OnDemandLayer) for layer in graph.layers.values()):
        return dict(ensure_dict(graph.cull(wanted)))
    tasks: dict[Any, GraphNode] = {}
    for name in reversed(list(TopologicalSorter(graph.dependencies).static_order())):
        layer = graph.layers[name]
        here = {key for key in wanted if key in layer}
        if here:
            culled, dependencies = layer.cull(here, ())
            tasks.update(culled)
            wanted.update(*dependencies.values())
    return tasks
