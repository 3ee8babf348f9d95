"""GrabCut of one object: a plane at once, a stack plane after plane, each beginning with what the one before ended with."""

from __future__ import annotations

from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.kernels.flood import flood
from napari_lightbox.kernels.mask_box import box_of
from napari_lightbox.kernels.slabs import run_slabs
from napari_lightbox.techniques.segment_interactive._grabcut_models import COMPONENTS, Bytes, Mixtures, likelihood

BACKGROUND, OBJECT, MAYBE_BACKGROUND, MAYBE_OBJECT = range(4)  # as in OpenCV
_MARGIN = 20  # pixels of surroundings to learn the background from
NO_RECTANGLE = (0, 0, 1, 1)  # not looked at: what is known of each pixel says it all


class Effort(NamedTuple):
    """How a plane is decided.

    Parameters
    ----------
    iterations
        Rounds of fitting and cutting.
    seed
        Seed of the first fit.
    reach
        How far an object may extend beyond itself from plane to plane; None for any distance.
    connected
        Whether probable objects count only where they connect to a sure one, or to the object on the plane before.
    """

    iterations: int
    seed: int
    reach: int | None
    connected: bool


class Found(NamedTuple):
    """Classes of every pixel, and the mixtures per plane (None where nothing had to be decided)."""

    classes: Bytes
    mixtures: list[Mixtures | None]

    @property
    def first_mixtures(self) -> Mixtures:
        """The mixtures of the first plane that has some; zeros when nothing had to be decided."""
        nothing = np.zeros(13 * COMPONENTS)
        return next((m for m in self.mixtures if m is not None), Mixtures(nothing, nothing))


def is_object(classes: Bytes) -> NDArray[np.bool_]:
    """Return the pixels of the sure and the probable object."""
    return np.asarray((classes & 1) == 1)


def segment(pixels: Bytes, classes: Bytes, known: Mixtures | None, go_on: bool, effort: Effort) -> Found:
    """Decide the probable pixels of one object.

    Parameters
    ----------
    pixels
        (z, y, x, 3).
    classes
        What is known of each pixel. Planes that hold no object pixel wait for the plane beside them.
    known
        Mixtures to begin with; they are fitted to the classes when not given.
    go_on
        Known mixtures continue from the probable classes instead of deciding them anew.
    effort
        How to decide.
    """
    found = Found(classes.copy(), [None] * len(classes))
    starts = [z for z in range(len(classes)) if is_object(classes[z]).any()]

    def begin(first: int, last: int) -> None:
        for z in starts[first:last]:
            if known is None or go_on:
                found.classes[z], found.mixtures[z] = _continue(pixels[z], classes[z], known, effort)
            else:
                sure = classes[z] == OBJECT
                box = _around(pixels[z], classes[z], known) if effort.connected and sure.any() else (slice(None),) * 2
                found.classes[z][box], found.mixtures[z] = _decide(pixels[z][box], classes[z][box], known, sure[box], effort)

    def go(first: int, last: int) -> None:
        for way in ways[first:last]:
            _follow(pixels, way, found, effort)

    run_slabs(begin, len(starts))
    ways = list(chain.from_iterable(_ways(starts, len(classes))))
    run_slabs(go, len(ways))
    return found


def _ways(starts: list[int], depth: int) -> list[list[range]]:
    """Return the planes from each start up and down, as far as it is the nearest start (the lower one among equals)."""
    ways = []
    for number, start in enumerate(starts):
        lowest = (starts[number - 1] + start) // 2 + 1 if number else 0
        highest = (start + starts[number + 1]) // 2 if number + 1 < len(starts) else depth - 1
        ways.append([range(start, highest + 1), range(start, lowest - 1, -1)])
    return ways


def _follow(pixels: Bytes, way: range, found: Found, effort: Effort) -> None:
    """Carry the object from the first plane of a way to all others, until it ends."""
    for before, z in zip(way[:-1], way[1:], strict=True):
        mixtures, last = found.mixtures[before], is_object(found.classes[before])
        if mixtures is None or not last.any():
            return
        own = found.classes[z]
        near = _grown(last, effort.reach)
        box = box_of(near)
        classes = np.where(last[box], np.uint8(MAYBE_OBJECT), np.uint8(MAYBE_BACKGROUND))
        classes[~near[box]] = BACKGROUND
        hard = own[box] == BACKGROUND
        classes[hard] = BACKGROUND
        decided, found.mixtures[z] = _decide(pixels[z][box], classes, mixtures, last[box], effort)
        own[box] = np.where(hard, own[box], np.where(is_object(decided), MAYBE_OBJECT, MAYBE_BACKGROUND))


def _grown(mask: NDArray[np.bool_], reach: int | None) -> NDArray[np.bool_]:
    import cv2

    if reach is None:
        return np.ones_like(mask)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return np.asarray(cv2.dilate(mask.view(np.uint8), disc) > 0)


def _continue(pixels: Bytes, classes: Bytes, known: Mixtures | None, effort: Effort) -> tuple[Bytes, Mixtures | None]:
    """Return the classes of one plane after all rounds, and the mixtures, fitted to the classes or known; as OpenCV does it."""
    import cv2

    objects = is_object(classes)
    if not (classes > OBJECT).any() or objects.all() or not objects.any():
        return classes.copy(), known
    decided, sides = classes.copy(), _flat(known)
    cv2.setRNGSeed(effort.seed)  # each thread has a generator of its own
    mode = cv2.GC_INIT_WITH_MASK if known is None else cv2.GC_EVAL
    cv2.grabCut(np.ascontiguousarray(pixels), decided, NO_RECTANGLE, *sides, effort.iterations, mode)
    return decided, Mixtures(*(m.ravel() for m in sides))


def _decide(pixels: Bytes, classes: Bytes, known: Mixtures, anchor: NDArray[np.bool_], effort: Effort) -> tuple[Bytes, Mixtures]:
    """Return the classes of one plane, decided first by known mixtures and then by ones fitted to it, and the latter."""
    import cv2

    pixels, decided, sides = np.ascontiguousarray(pixels), np.ascontiguousarray(classes).copy(), _flat(known)
    for number in range(effort.iterations if (classes > OBJECT).any() else 0):
        objects, before = is_object(decided), decided.copy()
        if number and (objects.all() or not objects.any()):
            break
        cv2.grabCut(pixels, decided, NO_RECTANGLE, *sides, 1, cv2.GC_EVAL if number else cv2.GC_EVAL_FREEZE_MODEL)
        if effort.connected and anchor.any():
            objects = is_object(decided)
            decided[objects & ~flood(objects, np.flatnonzero(anchor | (decided == OBJECT)))] = MAYBE_BACKGROUND
        if number and np.array_equal(decided, before):
            break
    return decided, Mixtures(*(m.ravel() for m in sides))


def _around(pixels: Bytes, classes: Bytes, known: Mixtures) -> tuple[slice, ...]:
    """Return a box around the strokes of an object and all that connects to them by colours that are likelier in the object."""
    even = bool((pixels == pixels[..., :1]).all())
    colours = np.repeat(np.arange(256)[:, np.newaxis], 3, axis=1) if even else pixels.reshape(-1, 3)
    likelier = likelihood(known.object, colours) > likelihood(known.background, colours)
    likely = likelier[pixels[..., 0]] if even else likelier.reshape(classes.shape)
    sure = np.flatnonzero(classes == OBJECT)
    piece = flood((likely & (classes != BACKGROUND)) | (classes == OBJECT), sure)
    return tuple(slice(max(part.start - _MARGIN, 0), part.stop + _MARGIN) for part in box_of(piece))


def _flat(known: Mixtures | None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mixtures as OpenCV wants them, for it to write into."""
    if known is None:
        return np.zeros((1, 13 * COMPONENTS)), np.zeros((1, 13 * COMPONENTS))
    return known.background.reshape(1, -1).copy(), known.object.reshape(1, -1).copy()
