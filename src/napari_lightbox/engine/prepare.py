"""Compute ahead what every slice of a lazy result will need: statistics and label joins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dask.array as da
import dask.threaded

from napari_lightbox.engine.control import Control, TaskProgress
from napari_lightbox.engine.lower_labels import LabelsLayer
from napari_lightbox.engine.statistic_layer import StatisticLayer
from napari_lightbox.settings import settings

MOST_GROUPS = 64


def prepare(arrays: Sequence[da.Array], control: Control) -> None:
    """Compute and remember shared statistics and label joins of some lazy results.

    Statistics per frame are left to the frame that needs them when there are many.
    """
    for array in arrays:
        graph = array.__dask_graph__()
        for layer in graph.layers.values():
            keys = _keys(layer)
            if keys:
                culled = da.Array.__dask_optimize__(graph, keys)
                with TaskProgress(control, message=_message(layer)):
                    dask.threaded.get(culled, keys, num_workers=settings().threads)


def _keys(layer: Any) -> list[Any]:
    if isinstance(layer, StatisticLayer) and len(layer) <= MOST_GROUPS:
        return [key for key in layer if not layer.remembered(key)]
    if isinstance(layer, LabelsLayer):
        keys = layer.join_keys()
        return keys if len(keys) <= MOST_GROUPS else []
    return []


def _message(layer: Any) -> str:
    return "measuring the whole image" if isinstance(layer, StatisticLayer) else "joining labels across blocks"
