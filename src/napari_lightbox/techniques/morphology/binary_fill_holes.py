"""Fill holes."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.contract import Range, Volume, technique
from napari_lightbox.contract.locality import Parameters
from napari_lightbox.contract.roles import Labels
from napari_lightbox.errors import ParameterError
from napari_lightbox.kernels.flood import reached_from_outside
from napari_lightbox.kernels.label import label


def _check(p: Parameters, ndim: int) -> None:
    axes = 2 if p["per_slice"] else ndim
    if p["connectivity"] > axes:
        raise ParameterError("connectivity", f"{p['connectivity']} does not exist in {axes}D", f"Give 1 to {axes}")


@technique(
    "binary_fill_holes",
    title="Fill holes",
    locality=Volume(),
    synonyms=("fill cavities", "imfill", "close holes"),
    check=_check,
)
def binary_fill_holes(
    mask: Labels,
    *,
    connectivity: Annotated[int, Range(1, 3)] = 1,
    per_slice: bool = False,
) -> Labels:
    """Turn background that is enclosed by foreground into foreground.

    A hole is a component of background pixels that does not reach the border of the image. In a volume a cavity with
    the smallest opening to the outside stays open; slice by slice it may still be closed everywhere.

    Parameters
    ----------
    mask
        Mask or label image (y, x) or (z, y, x).
    connectivity
        How many axes two touching background pixels may differ along: 1 is faces; more lets background leak out through
        diagonal gaps, so that fewer holes are filled.
    per_slice
        Fill the holes of every plane of a volume by itself instead of closed cavities.

    Returns
    -------
    mask
        Same shape; a hole takes the label that its rim has most of (the smallest of several).

    Raises
    ------
    ParameterError
        Connectivity beyond the number of axes.

    Notes
    -----
    Nothing is smoothed and no size limit applies; `morphological_closing` closes gaps up to a size instead.

    References
    ----------
    scipy.ndimage ``binary_fill_holes``; ITK ``BinaryFillholeImageFilter``; P. Soille, "Morphological Image Analysis",
    https://doi.org/10.1007/978-3-662-05088-0.
    """
    _check({"connectivity": connectivity, "per_slice": per_slice}, mask.ndim)
    if per_slice and mask.ndim == 3 and len(mask):
        return np.stack([_filled(plane, connectivity) for plane in mask])
    return _filled(mask, connectivity)


def _filled(mask: NDArray[Any], connectivity: int) -> NDArray[Any]:
    """Fill what the border cannot reach."""
    if mask.size == 0:
        return mask.copy()
    is_background = mask == 0
    outside = reached_from_outside(is_background, connectivity)
    if mask.dtype == bool:
        return ~outside
    if mask.min() >= 0 and mask.max() <= 1:
        return np.asarray((~outside).astype(mask.dtype))
    holes, count = label(is_background & ~outside, connectivity)
    values = np.zeros(count + 1, mask.dtype)
    if count:
        found, ids = _rims(mask, holes)
        values[found] = ids
    return np.where(holes > 0, values[holes], mask)


def _rims(mask: NDArray[Any], holes: NDArray[np.int32]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return every hole with the label that touches most of its faces."""
    touching: list[NDArray[Any]] = []
    for axis in range(mask.ndim):
        low, high = [tuple(s if a == axis else slice(None) for a in range(mask.ndim)) for s in (slice(None, -1), slice(1, None))]
        for here, there in ((low, high), (high, low)):
            at_rim = (holes[here] > 0) & (mask[there] != 0)
            touching.append(np.stack([holes[here][at_rim], mask[there][at_rim].astype(np.int64)]))
    hole, label_at_rim = np.concatenate(touching, axis=1)
    ids, place = np.unique(label_at_rim, return_inverse=True)
    pairs, counts = np.unique(hole * len(ids) + place, return_counts=True)
    holes_found, ids_found = np.divmod(pairs, len(ids))
    order = np.lexsort((ids_found, -counts, holes_found))
    found, first = np.unique(holes_found[order], return_index=True)
    return found, ids[ids_found[order][first]]
