"""Lower a technique whose outputs are all tables or values: a reduction and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

from dask._task_spec import List, Task, TaskRef
from dask.delayed import Delayed

from napari_lightbox.engine.bind import Bound
from napari_lightbox.engine.blocking import choose_blocks
from napari_lightbox.engine.gather import make_gather
from napari_lightbox.engine.kernel import Index, Kernel
from napari_lightbox.engine.lower_region import extend_graph, token_of
from napari_lightbox.engine.make_kernel import make_kernel
from napari_lightbox.engine.statistic_layer import StatisticLayer


def lower_tables(bound: Bound) -> tuple[Kernel, tuple[Any, ...]]:
    """Return one Delayed list of (group, value) per output."""
    kernel, gather = make_kernel(bound), make_gather(bound)
    blocking = choose_blocks(bound)
    name = f"{bound.technique.id}-statistic-{token_of(bound, gather, 'view')}"
    layer = StatisticLayer(name, kernel, gather, blocking.mapped, blocking.over, blocking.source)
    sources = {array.name for array in gather.arrays}
    groups = list(product(*map(range, layer.blocks)))
    outputs: list[Any] = []
    for position, spec in enumerate(bound.technique.outputs):
        if not spec.present(bound.parameters):
            outputs.append(None)
            continue
        key = f"{name}-{spec.name}"
        task = Task(key, _summarise, kernel, position, groups, List(*[TaskRef((name, *g)) for g in groups]))
        graph = extend_graph(gather.arrays, {name: layer, key: {key: task}}, {name: sources, key: {name}})
        outputs.append(Delayed(key, graph))
    return kernel, tuple(outputs)


def _summarise(kernel: Kernel, position: int, groups: Sequence[Index], statistics: Sequence[Any]) -> list[tuple[Index, Any]]:
    return [(group, kernel.summarise(statistic)[position]) for group, statistic in zip(groups, statistics, strict=True)]
