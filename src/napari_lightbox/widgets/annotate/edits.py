"""Edits of whole layers in steps: write results, merge, relabel, delete. All or nothing, and each a list of changes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np

from napari_lightbox.engine.request import Region
from napari_lightbox.errors import InputError
from napari_lightbox.interaction.accept import changes
from napari_lightbox.interaction.deltas import Delta
from napari_lightbox.widgets.annotate.plan import Piece
from napari_lightbox.widgets.annotate.record import LayerRecord
from napari_lightbox.widgets.annotate.scope import slabs, within
from napari_lightbox.widgets.annotate.steps import Steps

Change = Callable[[Any, Region], Any]


def accept(record: LayerRecord, pieces: Sequence[Piece], chosen: Collection[int] | None, background: int) -> Steps:
    """Write the chosen ids of some results into a layer, all but background for None; returns the ids and the changes.

    Raises
    ------
    InputError
        There is nothing to write, or the layer's type cannot hold an id; nothing was written.
    """
    found: set[int] = set()
    for piece in pieces if chosen is None else ():
        for part in slabs(tuple(slice(0, n) for n in piece.labels.shape)):
            found |= set(np.unique(piece.labels[part]).tolist())
            yield
    ids = sorted((found if chosen is None else set(chosen)) - {0, background})
    if not ids:
        raise InputError("preview", "holds none of the objects to write", "Choose all objects, or paint some seeds")
    parts = [(piece, part) for piece in pieces for part in slabs(piece.region)]

    def written(piece: Piece) -> Change:
        def new(old: Any, part: Region) -> Any:
            where, values = changes(old, piece.labels[within(part, piece.region)], ids, record.layer.name)
            fresh = old.copy()
            fresh[where] = values
            return fresh

        return new

    deltas = yield from _edited(record, [(part, written(piece)) for piece, part in parts])
    return ids, deltas


def relabel(record: LayerRecord, region: Region, mapping: Mapping[int, int]) -> Steps:
    """Give objects other ids, 0 to delete them; returns the changes."""

    def new(old: Any, _: Region) -> Any:
        fresh = old
        for before, after in mapping.items():
            inside = old == before
            if inside.any():
                fresh = old.copy() if fresh is old else fresh
                fresh[inside] = after
        return fresh

    return _edited(record, [(part, new) for part in slabs(region)])


def put(record: LayerRecord, region: Region, values: Any) -> Steps:
    """Write pixels as they are; returns the changes."""

    def new(_: Any, part: Region) -> Any:
        return values[within(part, region)]

    return _edited(record, [(part, new) for part in slabs(region)])


def _edited(record: LayerRecord, work: Sequence[tuple[Region, Change]]) -> Steps:
    array, deltas = record.layer.data, []
    try:
        for part, new in work:
            old = np.array(array[part])
            delta = Delta.between(old, np.asarray(new(old, part), old.dtype), tuple(s.start for s in part))
            if delta is not None:
                delta.redo(array)
                deltas.append(delta)
            yield
    except BaseException:
        for delta in reversed(deltas):
            delta.undo(array)
        record.layer.refresh()
        raise
    return deltas
