"""Split one object: seeds inside it, one per part, flooded by the watershed within its mask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_lightbox.axes import Volume
from napari_lightbox.axes.order import CHANNEL
from napari_lightbox.engine.request import Region, Request
from napari_lightbox.errors import InputError

_ENGINE = "marker_controlled_watershed"


@dataclass(frozen=True)
class Split:
    """A split on its way: what runs, where it lies, and which pixels belong to the object."""

    request: Request
    region: Region
    inside: Any
    old: Any

    def result(self, labels: Any) -> Any:
        """Return the pixels of the box with the object divided; pixels no flood reached keep the old id."""
        return np.where(self.inside & (labels > 0), labels, self.old).astype(self.old.dtype)


def split(image: Volume, seeds: Volume, target: Volume, label: int, region: Region, free: int) -> Split:
    """Return the run that divides an object by the seeds painted inside it.

    Every connected stroke is one part, whatever its label; the first keeps the object's id, the others get new ones.

    Parameters
    ----------
    image, seeds, target
        All on one grid, the image possibly with colour.
    label, region
        The object, and the smallest box around it.
    free
        First id for the new parts.

    Raises
    ------
    InputError
        Fewer than two strokes inside the object.
    """
    from scipy.ndimage import label as connected

    old = np.array(target.data[region])
    inside = old == label
    painted = np.where(inside, np.asarray(seeds.data[region]), 0)
    parts = np.zeros(old.shape, np.int32)
    count = 0
    for stroke in np.unique(painted[painted > 0]):
        numbered, found = connected(painted == stroke, np.ones((3,) * painted.ndim))
        parts[numbered > 0] = numbered[numbered > 0] + count
        count += found
    if count < 2:
        reason = f"has {count} of at least two separate strokes inside"
        raise InputError(f"object {label}", reason, "Paint a stroke in each of its parts, then press Split")
    ids = np.array([0, label, *range(free, free + count - 1)], np.int32)
    places = dict(zip(target.axes, region, strict=True))
    wide = tuple(slice(None) if a == CHANNEL else places[a] for a in image.axes)
    request = Request(
        _ENGINE,
        (_cut(image, wide), _at(seeds, ids[parts], region), _at(seeds, inside.astype(np.int32), region)),
        {"watershed_line": False},
        lazy=False,
    )
    return Split(request, region, inside, old)


def _cut(volume: Volume, box: Region) -> Volume:
    box = tuple(slice(*part.indices(n)[:2]) for part, n in zip(box, volume.shape, strict=True))
    return volume.with_data(volume.data[box], geometry=_cropped(volume, box))


def _at(like: Volume, data: Any, box: Region) -> Volume:
    return Volume(data, _cropped(like, box), {}, "labels", like.name)


def _cropped(volume: Volume, box: Region) -> Any:
    return volume.geometry.crop([s.start for s in box], [s.stop - s.start for s in box])
