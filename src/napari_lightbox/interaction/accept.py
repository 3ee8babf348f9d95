"""Which pixels change when a segmentation is written into existing labels: chosen ids only, the rest preserved."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.errors import InputError, ParameterError

_PART = re.compile(r"^(\d+)(?:\s*-\s*(\d+))?$")
_MOST_IDS = 2**24


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
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first or last - first > _MOST_IDS:
            raise ParameterError("ids", f"{part!r} is not a range of ids", "Write the smaller number first, like 3-5")
        ids.extend(range(first, last + 1))
    return ids or None


def changes(
    target: Any, result: Any, ids: Sequence[int] | None, name: str = "target"
) -> tuple[tuple[NDArray[np.intp], ...], NDArray[Any]]:
    """Return where `target` must change and to what.

    Only pixels that are background or carry one of `ids` (all ids of the result by default) may change: they take the
    result's value where that is one of `ids`, and become background where an object of these ids is no longer there.

    Raises
    ------
    InputError
        Different shapes, or an id that the target's type cannot hold; `name` says whose.
    """
    old, new = np.asarray(target), np.asarray(result)
    if old.shape != new.shape:
        raise InputError(name, f"has shape {old.shape}, the result {new.shape}", "Choose a new layer as output")
    if ids is None:
        chosen_new = new != 0
        chosen_old = np.isin(old, _ids_in(new))
    else:
        chosen_new, chosen_old = np.isin(new, ids), np.isin(old, ids)
    wanted = np.where(chosen_new, new, np.zeros((), new.dtype))
    where = np.nonzero(((old == 0) | chosen_old) & (wanted != old))
    values = wanted[where]
    held = values.astype(old.dtype)
    if (held != values).any():
        raise InputError(name, f"has dtype {old.dtype}, too small for the new ids", "Choose a new layer as output")
    return where, held


def _ids_in(labels: NDArray[Any]) -> NDArray[Any]:
    """Return the ids other than 0; without sorting all pixels where the ids are small, as they mostly are."""
    if labels.dtype.kind in "iu" and labels.size and labels.min() >= 0 and labels.max() < _MOST_IDS:
        present = np.zeros(int(labels.max()) + 1, bool)
        present[labels] = True
        return np.flatnonzero(present[1:]) + 1
    found = np.unique(labels)
    return np.asarray(found[found != 0])
