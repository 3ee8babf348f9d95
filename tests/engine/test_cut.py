"""A part of a graph is the part that dask itself cuts out, without a look at the rest."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
from dask._task_spec import DataNode
from dask.highlevelgraph import HighLevelGraph
from dask.local import get_sync
from dask.utils import ensure_dict

import napari_lightbox as lb
from napari_lightbox.axes import Geometry, Volume
from napari_lightbox.engine.cut import tasks_of
from napari_lightbox.engine.layers import OnDemandLayer

FILM = np.random.default_rng(3).integers(0, 200, (6, 20, 24)).astype(np.uint8)


class Frames(OnDemandLayer):
    """Frames of the film that are made when somebody asks for them."""

    def make(self, index):
        return {(self.name, *index): DataNode((self.name, *index), FILM[index[0] : index[0] + 1])}


def film() -> da.Array:
    graph = HighLevelGraph({"frames": Frames("frames", (6, 1, 1))}, {"frames": set()})
    return da.Array(graph, "frames", ((1,) * 6, (20,), (24,)), dtype=FILM.dtype)


@pytest.mark.parametrize("technique", ["gaussian_blur", "threshold_otsu", "connected_components", "background_subtraction_mog2"])
@pytest.mark.parametrize("on_demand", [False, True])
def test_it_is_what_dask_cuts_out(technique: str, on_demand: bool) -> None:
    lazy = film() if on_demand else da.from_array(FILM, chunks=(1, 20, 24)).rechunk((2, 10, 24)).rechunk((1, 20, 24))
    found = lb.apply(technique, Volume(lazy, Geometry.of("tyx", FILM.shape)))
    array = (found if isinstance(found, Volume) else found[0]).data
    graph = array.__dask_graph__()
    assert all(isinstance(layer, OnDemandLayer) for layer in graph.layers.values()) == on_demand
    keys = [(array.name, 4, 0, 0), (array.name, 1, 0, 0)]
    tasks, expected = tasks_of(graph, keys), ensure_dict(graph.cull(set(keys)))
    assert tasks.keys() == expected.keys()
    for one, other in zip(get_sync(tasks, keys), get_sync(expected, keys), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_long_film_is_not_listed() -> None:
    class Endless(OnDemandLayer):
        def make(self, index):
            return {(self.name, *index): DataNode((self.name, *index), 7)}

    graph = HighLevelGraph({"endless": Endless("endless", (10**12,))}, {"endless": set()})
    assert tasks_of(graph, [("endless", 10**11)])["endless", 10**11]() == 7
