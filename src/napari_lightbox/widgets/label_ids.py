"""Write a segmentation into an existing Labels layer: chosen ids only, the rest preserved, undoable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from napari.layers import Labels

from napari_lightbox.errors import InputError
from napari_lightbox.interaction.accept import changes, read_ids

__all__ = ["changes", "read_ids", "write_into"]


def write_into(layer: Labels, result: Any, ids: Sequence[int] | None) -> int:
    """Write a segmentation into `layer` as one step of its undo history and return how many pixels changed.

    Raises
    ------
    InputError
        The layer has another shape, is lazy or cannot hold the ids.
    """
    data = layer.data
    if getattr(layer, "multiscale", False) or not isinstance(data, np.ndarray):
        raise InputError(layer.name, "cannot be written into because it is lazy", "Choose a new layer as output")
    where, new = changes(data, result, ids, layer.name)
    if new.size:
        layer.data_setitem(where, new)
    return int(new.size)
