"""What a person painted, checked: ids above 0 are seeds, 0 is unknown, below 0 is left out."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.contract import label_dtype
from napari_lightbox.errors import InputError


class PaintedSeeds(NamedTuple):
    """Seed ids (0 elsewhere), the flat places of each id, and the pixels that take no part (None when all do)."""

    markers: NDArray[Any]
    places: dict[int, NDArray[np.int64]]
    excluded: NDArray[np.bool_] | None


def read_seeds(seeds: NDArray[Any], mask: NDArray[np.bool_] | None, least: int = 1) -> PaintedSeeds:
    """Return the seeds with everything outside `mask` and every negative id excluded.

    Raises
    ------
    InputError
        Fewer than `least` different ids.
    """
    excluded = None if mask is None or mask.all() else ~mask
    painted = np.flatnonzero(seeds != 0)
    if np.any(seeds.ravel()[painted] < 0):
        excluded = seeds < 0 if excluded is None else excluded | (seeds < 0)
    markers = seeds if excluded is None else np.where(excluded, 0, seeds)
    painted = painted[markers.ravel()[painted] > 0]
    found = markers.ravel()[painted]
    ids = np.unique(found)
    if len(ids) < least:
        where = " inside the mask" if mask is not None else ""
        reason = f"hold {len(ids)} of at least {least} ids{where}" if len(ids) else f"hold no painted pixel{where}"
        raise InputError("seeds", reason, _WAY_OUT[least])
    places = {int(label): painted[found == label] for label in ids}
    return PaintedSeeds(markers.astype(label_dtype(seeds.dtype), copy=False), places, excluded)


_WAY_OUT = {
    1: "Paint at least one pixel with an id of 1 or more",
    2: "Paint some pixels of the object with one id and some of the background with another",
}
