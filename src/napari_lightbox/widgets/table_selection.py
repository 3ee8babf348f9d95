"""Selections of many rows as runs, so that Qt handles ranges rather than rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QAbstractItemModel, QItemSelection, QItemSelectionModel


def selected_rows(selection: QItemSelectionModel) -> NDArray[np.intp]:
    """Return the rows shown that are selected."""
    ranges = [np.arange(part.top(), part.bottom() + 1) for part in selection.selection()]
    return np.unique(np.concatenate(ranges)) if ranges else np.zeros(0, np.intp)


def runs(rows: NDArray[np.intp]) -> list[tuple[int, int]]:
    """Return ascending rows as first and last of each unbroken run."""
    if not len(rows):
        return []
    breaks = np.flatnonzero(np.diff(rows) > 1)
    firsts, lasts = rows[np.concatenate([[0], breaks + 1])], rows[np.concatenate([breaks, [len(rows) - 1]])]
    return list(zip(firsts.tolist(), lasts.tolist(), strict=True))


def selection_of(model: QAbstractItemModel, rows: NDArray[np.intp]) -> QItemSelection:
    """Return whole rows of a model as a selection."""
    chosen = QItemSelection()
    last = model.columnCount() - 1
    for first, final in runs(rows):
        chosen.select(model.index(first, 0), model.index(final, last))
    return chosen
