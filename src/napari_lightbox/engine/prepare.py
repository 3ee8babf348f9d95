"""Compute ahead what every slice of a lazy result will need: statistics and label joins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dask.array as da
from dask.utils import ensure_dict

from napari_lightbox.engine.control import Control
from napari_lightbox.engine.lower_labels import LabelsLayer
from napari_lightbox.engine.remembered import cache
from napari_lightbox.engine.schedule import scheduler
from napari_lightbox.engine.statistic_layer import StatisticLayer

MOST_GROUPS = 64


def prepare(arrays: Sequence[da.Array], control: Control) -> None:
    """Compute and remember shared statistics and label joins of some lazy results.

    Statistics per frame are left to the frame that needs them when there are many.
    """
    for array in arrays:
        graph = array.__dask_graph__()
        for layer in graph.layers.values():
            shared = _shared(layer)
            if shared:
                culled = graph.cull(set(shared.values()))
                values = scheduler().get(ensure_dict(culled), list(shared), control, message=_message(layer))
                for key, value in zip(shared, values, strict=True):
                    # tasks remember what they find, but perhaps in another process
                    cache.put(key, value)


def _shared(layer: Any) -> dict[Any, Any]:
    """Return what blocks of a layer share and is not remembered: its keys, each with a key of the layer that needs it."""
    if isinstance(layer, StatisticLayer) and len(layer) <= MOST_GROUPS:
        return {key: key for key in layer if not layer.remembered(key)}
    if isinstance(layer, LabelsLayer):
        joins = layer.joins()
        return joins if len(joins) <= MOST_GROUPS else {}
    return {}


def _message(layer: Any) -> str:
    return "measuring the whole image" if isinstance(layer, StatisticLayer) else "joining labels across blocks"
