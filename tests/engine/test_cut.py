"""A part of a graph is the part that dask itself cuts out, without a look at the rest."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
from dask.utils import ensure_dict

import napari_lightbox as lb
from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.engine.cut import tasks_of
from napari_lightbox.engine.layers import OnDemandLayer

FILM = np.random.default_rng(3).integers(0, 200, (6, 20, 24)).astype(np.uint8)


@pytest.mark.parametrize("technique", ["gaussian_blur", "threshold_otsu", "connected_components", "background_subtraction_mog2"])
@pytest.mark.parametrize("remade", [False, True])
def test_it_is_what_dask_cuts_out(technique: str, remade: bool) -> None:
    lazy = da.from_array(FILM, chunks=(1, 20, 24))
    if remade:
        lazy = lazy.rechunk((2, 10, 24)).rechunk((1, 20, 24))
    found = lb.apply(technique, Volume(lazy, Geometry.of("tyx", FILM.shape)))
    array = (found if isinstance(found, Volume) else found[0]).data
    keys = {(array.name, 4, 0, 0), (array.name, 1, 0, 0)}
    tasks = tasks_of(array.__dask_graph__(), keys)
    assert tasks.keys() == ensure_dict(array.__dask_graph__().cull(keys)).keys()
    assert da.Array(tasks, array.name, array.chunks, dtype=array.dtype).blocks[4].compute(scheduler="sync").shape == (1, 20, 24)


def test_a_long_film_is_not_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Endless(OnDemandLayer):
        def make(self, index):
            from dask._task_spec import DataNode

            return {(self.name, *index): DataNode((self.name, *index), 7)}

    from dask.highlevelgraph import HighLevelGraph

    graph = HighLevelGraph({"endless": Endless("endless", (10**12,))}, {"endless": set()})
    assert tasks_of(graph, [("endless", 10**11)])["endless", 10**11]() == 7
