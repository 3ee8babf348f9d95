"""What GrabCut is told, by strokes, boxes, classes and rectangles, and the picture in bytes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.contract.values import Shapes
from napari_lightbox.errors import InputError, ParameterError
from napari_lightbox.techniques.segment_interactive._grabcut import BACKGROUND, MAYBE_BACKGROUND, MAYBE_OBJECT, OBJECT
from napari_lightbox.techniques.segment_interactive._grabcut_models import Bytes
from napari_lightbox.techniques.segment_interactive._seeds import PaintedSeeds, read_seeds

_PAINTED_CLASSES = np.array([MAYBE_BACKGROUND, BACKGROUND, OBJECT, MAYBE_BACKGROUND, MAYBE_OBJECT], np.uint8)


class Task(NamedTuple):
    """What to segment.

    Parameters
    ----------
    classes
        What is known of each pixel; all objects are one.
    owners
        Id of each pixel should it turn out to be object, 0 where strokes decide.
    rest
        Id of the pixels of no object.
    strokes
        Ids that come out as they were painted, 0 elsewhere.
    drawn
        Whether there are rectangles.
    outside
        Pixels that take no part.
    """

    classes: Bytes
    owners: NDArray[Any]
    rest: int
    strokes: NDArray[Any]
    drawn: bool
    outside: NDArray[np.bool_]

    def colours(self, pixels: Bytes) -> tuple[Bytes, Bytes]:
        """Return the pixels under the strokes of the background and of the objects."""
        on_background = (self.strokes > 0) & (self.strokes == self.rest)
        return pixels[on_background], pixels[(self.strokes > 0) & (self.classes == OBJECT)]

    def apart(self) -> Iterator[Task]:
        """Return one task per object, the strokes of all others its background."""
        ids = np.unique(self.strokes[(self.strokes > 0) & (self.classes == OBJECT)]).tolist()
        if len(ids) < 2:
            yield self
            return
        for label in ids:
            yield self._replace(
                classes=np.where((self.strokes > 0) & (self.strokes != label), np.uint8(BACKGROUND), self.classes)
            )


class Given(NamedTuple):
    """The inputs as they came, on a grid of `shape`; `missing` are pixels without a value."""

    shape: tuple[int, ...]
    seeds: NDArray[Any] | None
    shapes: Shapes | None
    mask: NDArray[np.bool_] | None
    missing: NDArray[np.bool_] | None


def read_task(given: Given, seeds_are: str, background_id: int | None) -> Task:
    """Return what to segment.

    Raises
    ------
    InputError
        Nothing painted or drawn, no object, or no background.
    """
    region = None if given.shapes is None else _region(given.shapes, given.shape)
    if given.seeds is None and region is None:
        raise InputError("seeds", "are missing, and there is no rectangle", "Paint strokes or draw a rectangle around the object")
    grid = np.zeros(given.shape, np.int32) if given.seeds is None else given.seeds
    if region is not None and not (grid > 0).any():
        seeds = PaintedSeeds(grid, {}, None if given.mask is None else ~given.mask)
    else:
        alone = seeds_are != "strokes" or region is not None or background_id is not None
        seeds = read_seeds(grid, given.mask, least=1 if alone else 2)
    outside = np.zeros(given.shape, bool) if seeds.excluded is None else seeds.excluded.copy()
    if given.missing is not None:
        outside |= given.missing
    task = _READERS[seeds_are](seeds, region, outside, background_id)
    task.classes[outside] = BACKGROUND
    if region is not None:
        task.classes[_beyond(region) & (task.classes != OBJECT)] = BACKGROUND
    _check(task.classes)
    return task


def _check(classes: Bytes) -> None:
    """Raise unless there is an object, and some background on each plane with a probable one."""
    if not (classes & 1).any():
        raise InputError("seeds", "hold no object", "Paint the object, or name the id of the background")
    for plane in classes.reshape(-1, *classes.shape[-2:]):
        if (plane & 1).all() and (plane == MAYBE_OBJECT).any():
            raise InputError("shapes", "leave no background on a plane", "Draw the rectangle smaller than the picture")


def _from_strokes(
    seeds: PaintedSeeds, region: NDArray[np.bool_] | None, outside: NDArray[np.bool_], background_id: int | None
) -> Task:
    ids = list(seeds.places)
    background = background_id if background_id is not None or len(ids) < 2 else max(ids)
    objects = [i for i in ids if i != background]
    classes = np.full(outside.shape, MAYBE_BACKGROUND, np.uint8)
    if region is not None:
        classes[region] = MAYBE_OBJECT
        objects = objects or [1 if background != 1 else 2]
    classes[seeds.markers > 0] = OBJECT
    if background in ids:
        classes.ravel()[seeds.places[background]] = BACKGROUND
    owners = np.full(outside.shape, objects[0] if len(objects) == 1 else 0, seeds.markers.dtype)
    rest = background if background in ids else 0
    return Task(classes, owners, rest, seeds.markers, region is not None, outside)


def _from_boxes(
    seeds: PaintedSeeds, region: NDArray[np.bool_] | None, outside: NDArray[np.bool_], background_id: int | None
) -> Task:
    owners = np.zeros(outside.shape, seeds.markers.dtype)
    boxes = []
    for label, places in seeds.places.items():
        ends = [(int(at.min()), int(at.max()) + 1) for at in np.unravel_index(places, outside.shape)]
        boxes.append((np.prod([b - a for a, b in ends]), label, tuple(slice(a, b) for a, b in ends)))
    # the largest box first, so that a smaller one inside it keeps its pixels
    for _, label, box in sorted(boxes, key=lambda b: (-b[0], -b[1])):
        owners[box] = 0 if label == background_id else label
    classes = np.where(owners > 0, np.uint8(MAYBE_OBJECT), np.uint8(BACKGROUND))
    return Task(classes, owners, 0, np.zeros_like(owners), True, outside)


def _from_classes(
    seeds: PaintedSeeds, region: NDArray[np.bool_] | None, outside: NDArray[np.bool_], background_id: int | None
) -> Task:
    if seeds.places and max(seeds.places) > 4:
        raise InputError("seeds", f"hold the id {max(seeds.places)}, which is no class", "Paint 1 to 4, or take them as strokes")
    classes = _PAINTED_CLASSES[seeds.markers]
    return Task(classes, np.ones(outside.shape, np.int32), 0, np.zeros(outside.shape, np.int32), region is not None, outside)


_READERS = {"strokes": _from_strokes, "boxes": _from_boxes, "classes": _from_classes}


def _region(shapes: Shapes, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return the pixels whose centres lie in the bounding box of any shape."""
    region = np.zeros(shape, bool)
    for one in shapes.data:
        vertices = np.asarray(one, float)[:, -len(shape) :]
        low, high = vertices.min(axis=0), vertices.max(axis=0)
        rows = tuple(
            slice(max(int(np.ceil(a)), 0), max(int(np.floor(b)) + 1, 0)) for a, b in zip(low[-2:], high[-2:], strict=True)
        )
        planes = (...,) if len(low) < len(shape) or len(shape) == 2 else (_planes(low[0], high[0]),)
        region[(*planes, *rows)] = True
    if not region.any():
        raise InputError("shapes", f"cover no pixel of the image of shape {shape}", "Draw a rectangle around the object")
    return region


def _planes(low: float, high: float) -> slice:
    """Return the planes from `low` to `high`, at least the nearest one."""
    first = max(int(np.rint(low)), 0)
    return slice(first, max(int(np.rint(high)), first) + 1)


def _beyond(region: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return what lies outside the rectangles, on the planes that have one."""
    return ~region & region.any(axis=(-2, -1), keepdims=True)


def as_bytes(image: NDArray[Any], ndim: int, lower: float | None, upper: float | None) -> Bytes:
    """Return the picture with three channels of 8 bits last; `lower` and `upper` become 0 and 255.

    Raises
    ------
    ParameterError
        The limits are not in order.
    """
    values = image[..., :3] if image.ndim > ndim else image[..., np.newaxis]
    if values.dtype == bool:
        values = values.view(np.uint8) * np.uint8(255)
    if values.dtype != np.uint8 or lower is not None or upper is not None:
        values = _stretched(values, lower, upper)
    return np.ascontiguousarray(np.broadcast_to(values, (*values.shape[:-1], 3)))


def _stretched(values: NDArray[Any], lower: float | None, upper: float | None) -> Bytes:
    whole = values.dtype == np.uint8
    floats: NDArray[Any] = values.astype(np.float64 if values.dtype.itemsize > 2 and values.dtype != np.float32 else np.float32)
    finite = floats[np.isfinite(floats)] if values.dtype.kind == "f" else floats
    guess = (0.0, 255.0) if whole else tuple(map(float, np.percentile(finite, (0.1, 99.9)))) if finite.size else (0.0, 1.0)
    low, high = guess[0] if lower is None else lower, guess[1] if upper is None else upper
    if low > high or (low == high and None not in (lower, upper)):
        raise ParameterError(
            "lower", f"{low:g} is not below upper, {high:g}", "Give limits that enclose the object's grey values"
        )
    scaled = (floats - low) * (255 / (high - low) if high > low else 1.0)
    return np.asarray(np.rint(np.clip(np.nan_to_num(scaled, posinf=255, neginf=0), 0, 255)).astype(np.uint8))
