"""Write a segmentation into an existing Labels layer: chosen ids only, the rest preserved, undoable."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from napari.layers import Labels

from napari_lightbox.errors import InputError, ParameterError

_PART = re.compile(r"^(\d+)(?:\s*-\s*(\d+))?$")


def read_ids(text: str) -> list[int] | None:
    """Return the ids in a text such as ``"1, 3-5"``, None for all when it is empty.

    Raises
    ------
    ParameterError
        The text is not a list of ids.
    """
    ids: list[int] = []
    for part in filter(None, (p.strip() for p in text.split(","))):
        match = _PART.match(part)
        if match is None or int(match[1]) == 0:
            raise ParameterError("ids", f"{part!r} is not a label id", "Write them like 1, 3-5, or leave the line empty for all")
        ids.extend(range(int(match[1]), int(match[2] or match[1]) + 1))
    return ids or None


def changes(target: Any, result: Any, ids: list[int] | None) -> tuple[tuple[Any, ...], Any]:
    """Return where `target` must change and to what.

    Only pixels that are background or carry one of `ids` (all ids of the result by default) may change: they take the
    result's value where that is one of `ids`, and become background where an object of these ids is no longer there.
    """
    old, new = np.asarray(target), np.asarray(result)
    if ids is None:
        chosen_new = new != 0
        chosen_old = np.isin(old, np.unique(new[chosen_new]))
    else:
        chosen_new, chosen_old = np.isin(new, ids), np.isin(old, ids)
    wanted = np.where(chosen_new, new, 0)
    differs = ((old == 0) | chosen_old) & (wanted != old)
    where = np.nonzero(differs)
    return where, wanted[where].astype(old.dtype)


def write_into(layer: Labels, result: Any, ids: list[int] | None) -> int:
    """Write a segmentation into `layer` as one step of its undo history and return how many pixels changed.

    Raises
    ------
    InputError
        The layer has another shape, is lazy or cannot hold the ids.
    """
    data = layer.data
    if getattr(layer, "multiscale", False) or not isinstance(data, np.ndarray):
        raise InputError(layer.name, "cannot be written into because it is lazy", "Choose a new layer as output")
    if tuple(result.shape) != data.shape:
        raise InputError(layer.name, f"has shape {data.shape}, the result {tuple(result.shape)}", "Choose a new layer as output")
    where, new = changes(data, result, ids)
    if new.size and int(np.asarray(result).max()) > np.iinfo(data.dtype).max:
        raise InputError(layer.name, f"has dtype {data.dtype}, too small for the new ids", "Choose a new layer as output")
    if new.size:
        layer.data_setitem(where, new)
    return int(new.size)
