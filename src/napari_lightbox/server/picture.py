"""The middle plane of a result as a picture: contrast from the values, labels in colours, colour pictures as they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import product
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.axes.order import CHANNEL, is_rgb

_GOLDEN = 0.6180339887
_DARKEST, _BRIGHTEST = 1.0, 99.0


@dataclass(frozen=True)
class Plane:
    """Which positions of an array make up a picture.

    Parameters
    ----------
    axes
        One letter per axis; an empty text when nobody knows them.
    shape
        Lengths of the axes.
    size
        Most pixels of the longer side.
    colour
        Whether the last axis is a colour.
    """

    axes: str
    shape: tuple[int, ...]
    size: int
    colour: bool

    @property
    def shown(self) -> tuple[int, ...]:
        """The axes that become rows and columns."""
        rest = [i for i in range(len(self.shape)) if not (self.colour and i == len(self.shape) - 1)]
        named = [self.axes.index(letter) for letter in "yx" if letter in self.axes]
        plain = [i for i in rest if not self.axes or self.axes[i] != CHANNEL]
        return tuple(named) if len(named) == 2 else tuple((plain or rest)[-2:])

    def positions(self) -> list[NDArray[np.intp]]:
        """Return the positions along each axis: every so many of those that are shown, the middle of the others."""
        longest = max((self.shape[i] for i in self.shown), default=1)
        step = max(1, ceil(longest / self.size))
        last = len(self.shape) - 1
        return [
            np.arange(0, n, step) if i in self.shown else np.arange(n) if self.colour and i == last else np.array([n // 2])
            for i, n in enumerate(self.shape)
        ]

    def arranged(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return values at these positions as rows, columns and, for a colour picture, colours."""
        last = [values.ndim - 1] if self.colour else []
        others = [i for i in range(values.ndim) if i not in (*self.shown, *last)]
        lengths = [values.shape[i] for i in self.shown]
        colours = [values.shape[i] for i in last]
        return values.transpose(*others, *self.shown, *last).reshape([1] * (2 - len(lengths)) + lengths + colours)


def picture_of(array: Any, axes: str, role: str, size: int) -> bytes:
    """Return the middle plane of a result as PNG; what is not computed yet is transparent.

    Parameters
    ----------
    array
        A `ResultArray`.
    axes
        One letter per axis; an empty text when nobody knows them.
    role
        ``"image"`` or ``"labels"``.
    size
        Most pixels of the longer side.
    """
    from PIL import Image

    shape = array.card.shape
    plane = Plane(axes, shape, size, role == "image" and bool(axes) and is_rgb(axes, shape))
    values, there = read_at(array, plane.positions())
    values, there = plane.arranged(values), plane.arranged(there)
    if plane.colour:
        there = there[..., 0]
    pixels = np.empty((*there.shape, 4), np.uint8)
    pixels[..., :3] = coloured(values) if role == "labels" else as_is(values) if plane.colour else contrasted(values, there)
    pixels[..., 3] = np.where(there, 255, 0)
    file = BytesIO()
    Image.fromarray(pixels, "RGBA").save(file, "PNG")
    return file.getvalue()


def read_at(array: Any, positions: Sequence[NDArray[np.intp]]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return the values at all combinations of positions, and which of them are there; reads only their chunks."""
    card = array.card
    lengths = [len(p) for p in positions]
    values, there = np.zeros(lengths, card.kind), np.zeros(lengths, bool)
    for parts in product(*(_by_chunk(p, c) for p, c in zip(positions, card.chunks, strict=True))):
        path = array.path(tuple(chunk for chunk, _, _ in parts))
        try:
            stored = np.memmap(path, card.kind, "r", shape=card.chunks or (1,)).reshape(card.chunks)
        except FileNotFoundError:
            continue
        target = np.ix_(*(to for _, _, to in parts))
        values[target] = stored[np.ix_(*(inside for _, inside, _ in parts))]
        there[target] = True
    return values, there


def contrasted(values: NDArray[Any], there: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return gray values that stretch from nearly the darkest to nearly the brightest value that is there."""
    if values.dtype.kind == "c":
        values = np.abs(values)
    plain = values.astype(np.float64)
    known = plain[there & np.isfinite(plain)]
    low, high = np.percentile(known, (_DARKEST, _BRIGHTEST)) if known.size else (0.0, 1.0)
    if low == high and known.size:
        low, high = float(known.min()), float(known.max())
    with np.errstate(invalid="ignore", over="ignore"):
        share = np.nan_to_num((plain - low) / ((high - low) or 1.0), nan=0.0, posinf=1.0, neginf=0.0)
    return _in_eight_bits(share)[..., None].repeat(3, axis=-1)


def as_is(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Return the colours of a picture in eight bits."""
    colours = values[..., :3]
    if colours.dtype.kind == "f":
        return _in_eight_bits(np.nan_to_num(colours))
    if colours.dtype == np.bool_:
        return colours.astype(np.uint8) * np.uint8(255)
    largest = np.iinfo(colours.dtype).max
    return _in_eight_bits(colours / largest)


def coloured(labels: NDArray[Any]) -> NDArray[np.uint8]:
    """Return a colour for each label, far from that of its neighbours; 0 is black."""
    hue = labels.astype(np.float64) * _GOLDEN % 1.0 * 6.0
    ramps = [np.abs(hue - 3.0) - 1.0, 2.0 - np.abs(hue - 2.0), 2.0 - np.abs(hue - 4.0)]
    colours = np.stack([0.3 + 0.7 * ramp.clip(0, 1) for ramp in ramps], axis=-1)
    return _in_eight_bits(np.where((labels != 0)[..., None], colours, 0.0))


def _in_eight_bits(share: NDArray[Any]) -> NDArray[np.uint8]:
    """Return 0 to 255 for 0 to 1."""
    values: NDArray[np.uint8] = np.rint(share.clip(0, 1) * 255).astype(np.uint8)
    return values


def _by_chunk(positions: NDArray[np.intp], length: int) -> Iterator[tuple[int, NDArray[np.intp], NDArray[np.intp]]]:
    """Return for each chunk along an axis its number, the positions inside of it and where they go."""
    numbers = positions // length
    for number in np.unique(numbers):
        to = np.flatnonzero(numbers == number)
        yield int(number), positions[to] - number * length, to
