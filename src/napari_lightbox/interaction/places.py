"""Where inputs were cut from and where results land, in indices of a source or target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_lightbox.axes import Geometry
from napari_lightbox.contract import registry
from napari_lightbox.errors import RecipeError

if TYPE_CHECKING:
    from napari_lightbox.interaction.entries import Ran
    from napari_lightbox.interaction.pieces import Box


def box_within(part: Geometry, whole: Geometry, name: str, reference: str) -> Box | None:
    """Return which box of `whole` a part was cut from, None when it is all of it.

    Raises
    ------
    RecipeError
        The part was not cut from there.
    """
    if part.axes == whole.axes and part.shape == whole.shape:
        return None
    if part.axes == whole.axes and np.allclose(part.affine[:-1, :-1], whole.affine[:-1, :-1], rtol=1e-5, atol=1e-9):
        exact = (np.linalg.inv(whole.affine) @ part.affine[:, -1])[:-1]
        start = np.rint(exact).astype(int)
        inside = all(s >= 0 and s + n <= m for s, n, m in zip(start, part.shape, whole.shape, strict=True))
        if inside and np.abs(exact - start).max() < 0.01:
            return tuple(slice(int(s), int(s) + n) for s, n in zip(start, part.shape, strict=True))
    raise RecipeError(
        name,
        f"has axes {part.axes!r} and shape {part.shape}, which is no part of {reference} ({whole.axes!r}, {whole.shape})",
        "Pass the logged image, or a box of it in its place",
    )


def landing(made: Ran, target: Geometry) -> Box | None:
    """Return where the result of a run lies in a target: the region or the cut-out it was made from; None for all of it."""
    box = _covered(made)
    return None if box is None else _mapped(box, target)


def projected(made: Ran, geometry: Geometry) -> Box:
    """Return the part of an image that a run was asked about."""
    return _mapped(_covered(made) or {}, geometry)


def settled(region: Sequence[Any], shape: Sequence[int]) -> Box:
    """Return slices with plain whole numbers inside `shape`.

    Raises
    ------
    RecipeError
        They do not fit, skip pixels or hold none.
    """
    if len(region) != len(shape):
        raise RecipeError("region", f"has {len(region)} parts for {len(shape)} axes", "Give one slice per axis")
    box = []
    for part, length in zip(region, shape, strict=True):
        start, stop, step = part.indices(length)
        if step != 1 or start >= stop or (part.stop is not None and part.stop > length):
            raise RecipeError("region", f"{part} does not fit a length of {length}", "Give a stretch inside the layer")
        box.append(slice(int(start), int(stop)))
    return tuple(box)


def _covered(made: Ran) -> dict[str, slice] | None:
    """Return the part of the first input's source that a result covers, by axis; None for all of it."""
    request = made.request
    first = request["inputs"][0]
    if not isinstance(first, Mapping) or "geometry" not in first:
        return None
    axes, lengths = first["geometry"]["axes"], first["geometry"]["shape"]
    cut = made.boxes.get(registry.get(request["technique"]).inputs[0].name)
    if cut is None and not (request["preview"] and request["region"] is not None):
        return None
    starts = dict(zip(axes, [s.start for s in cut] if cut else [0] * len(axes), strict=True))
    covered = dict(zip(axes, [slice(0, n) for n in lengths], strict=True))
    if request["preview"] and request["region"] is not None:
        covered = {a: _at_least_one(slice(*pair), covered[a].stop) for a, pair in zip(axes, request["region"], strict=True)}
    return {a: slice(s.start + starts[a], s.stop + starts[a]) for a, s in covered.items()}


def _mapped(box: Mapping[str, slice], geometry: Geometry) -> Box:
    return tuple(box.get(a, slice(0, n)) for a, n in zip(geometry.axes, geometry.shape, strict=True))


def _at_least_one(part: slice, length: int) -> slice:
    """Return the stretch that a preview computes for one it was asked for."""
    start, stop, _ = part.indices(length)
    return slice(start, max(stop, start + 1))
