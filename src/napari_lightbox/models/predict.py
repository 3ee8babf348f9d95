"""Predict with a network tile by tile: any size, blended, equal to the whole, smaller tiles when memory runs out."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.errors import InputError, MemoryForecastError
from napari_lightbox.models.device import memory_format, need_torch
from napari_lightbox.models.tiles import Span, Tile, tiles
from napari_lightbox.settings import settings

if TYPE_CHECKING:
    from napari_lightbox.models.card import Normalisation
    from napari_lightbox.models.nets.unet_plan import UNetPlan

_SHARE = 0.25
_LARGEST = {2: 1024, 3: 160}
_FLOAT = 4
_EXTREME = 20.0
_computing = threading.Lock()


@dataclass(frozen=True)
class Part:
    """Which part of an element is at hand and which is wanted, per axis of the network, in pixels of the element."""

    start: tuple[int, ...]
    whole: tuple[int, ...]
    wanted: tuple[Span, ...]

    @classmethod
    def all_of(cls, shape: Sequence[int]) -> Part:
        """Return the whole of an element."""
        return cls((0,) * len(shape), tuple(shape), tuple((0, n) for n in shape))


class Predictor:
    """A network on a device that predicts class probabilities.

    Parameters
    ----------
    network, plan
        The network in evaluation mode and its plan.
    activation
        ``"softmax"`` or ``"sigmoid"``.
    device
        Where the network lies.
    threads
        Threads on the CPU; those of the settings when not given.
    """

    def __init__(
        self, network: Any, plan: UNetPlan, activation: str = "softmax", device: str = "cpu", threads: int | None = None
    ) -> None:
        self.network = network
        self.plan = plan
        self.activation = activation
        self.device = device
        self.threads = threads
        self._cells: int | None = None

    @property
    def core(self) -> tuple[int, ...]:
        """Largest core of a tile at present, per axis; it shrinks when memory runs out."""
        if self._cells is None:
            self._cells = self._largest_core()
        return tuple(self._cells * cell for cell in self.plan.cell)

    @core.setter
    def core(self, size: int) -> None:
        self._cells = max(1, size // max(self.plan.cell))

    def __call__(self, images: NDArray[np.float32], part: Part | None = None) -> NDArray[np.float32]:
        """Return probabilities (image, class, ...) for normalised images (image, channel, ...).

        Parameters
        ----------
        images
            Pixels at hand: the wanted part with the network's halo around it, cut at the borders of the element.
        part
            Where they lie; a whole element when not given.

        Raises
        ------
        MemoryForecastError
            Not even the smallest tile fits into memory.
        """
        place = part or Part.all_of(images.shape[2:])
        while True:
            cells = self.core[0] // self.plan.cell[0]
            try:
                with _computing:
                    return self._predict(images, place, cells)
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
            if cells == 1:
                raise MemoryForecastError(
                    "model", f"not even one tile of {self.core} pixels fits into the memory of {self.device}", _SMALLER
                )
            # a run beside this one may have made the tiles smaller already
            self._cells = min(self._cells or cells, cells // 2)
            self._free()

    def _predict(self, images: NDArray[np.float32], part: Part, count: int) -> NDArray[np.float32]:
        plan = self.plan
        whole = [_up(n, cell) for n, cell in zip(part.whole, plan.cell, strict=True)]
        there = []
        for start, size, real, padded, cell in zip(part.start, images.shape[2:], part.whole, whole, plan.cell, strict=True):
            end = padded if start + size == real else (start + size) // cell * cell
            there.append((_up(start, cell), end))
        wanted = [(low // cell * cell, _up(high, cell)) for (low, high), cell in zip(part.wanted, plan.cell, strict=True)]
        result = np.zeros((len(images), plan.classes, *(high - low for low, high in part.wanted)), np.float32)
        for tile in tiles(wanted, there, plan.cell, plan.reach, count):
            for image in range(0, len(images), self._batch(tile)):
                batch = slice(image, image + self._batch(tile))
                self._add(result[batch], images[batch], part, tile)
        return result

    def _add(self, result: NDArray[np.float32], images: NDArray[np.float32], part: Part, tile: Tile) -> None:
        box = [(low - start, high - start) for (low, high), start in zip(tile.read, part.start, strict=True)]
        inside = tuple(slice(low, min(high, n)) for (low, high), n in zip(box, images.shape[2:], strict=True))
        pixels = images[(slice(None), slice(None), *inside)]
        missing = [high - low - (s.stop - s.start) for (low, high), s in zip(box, inside, strict=True)]
        if any(missing):
            pixels = np.pad(pixels, [(0, 0), (0, 0), *((0, n) for n in missing)], mode="edge")
        found = self._forward(pixels)
        source, target = [], []
        for (low, high), (first, _), (begin, end) in zip(part.wanted, tile.read, tile.core, strict=True):
            kept = max(low, begin), min(high, end)
            source.append(slice(kept[0] - first, kept[1] - first))
            target.append(slice(kept[0] - low, kept[1] - low))
        found = found[(slice(None), slice(None), *source)]
        for axis, (weight, span, into) in enumerate(zip(tile.weight, part.wanted, target, strict=True)):
            offset = span[0] - tile.core[axis][0]
            own = weight[into.start + offset : into.stop + offset]
            if own.min() < 1:
                found = found * own.reshape([-1 if i == axis + 2 else 1 for i in range(found.ndim)])
        result[(slice(None), slice(None), *target)] += found

    def _forward(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        torch = need_torch()
        threads = self.threads or settings().threads
        if self.device == "cpu" and torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
        with torch.inference_mode():
            batch = torch.from_numpy(np.ascontiguousarray(pixels)).to(self.device)
            logits = self.network(batch.contiguous(memory_format=memory_format(self.plan.ndim))).float()
            chances = logits.softmax(1) if self.activation == "softmax" else logits.sigmoid()
            array: NDArray[np.float32] = chances.contiguous().cpu().numpy()
        return array

    def _free(self) -> None:
        if self.device.startswith("cuda"):
            need_torch().cuda.empty_cache()

    def _bytes(self, pixels: int) -> int:
        """Return about what a forward pass over so many pixels holds at once."""
        share, features = 1.0, 6.0 * self.plan.filters[0] + 4 * self.plan.classes + self.plan.channels
        for width, stride in zip(self.plan.filters[1:], self.plan.strides, strict=True):
            share /= prod(stride)
            features += 3 * width * share
        return int(_FLOAT * features * pixels)

    def _largest_core(self) -> int:
        room, largest = self._room(), _LARGEST[self.plan.ndim]
        count = 1
        while 2 * count * max(self.plan.cell) <= largest:
            read = prod((2 * count + 2 * r) * cell for r, cell in zip(self.plan.reach, self.plan.cell, strict=True))
            if self._bytes(read) > room:
                break
            count *= 2
        return count

    def _batch(self, tile: Tile) -> int:
        return max(1, min(16, int(self._room() // max(self._bytes(prod(b - a for a, b in tile.read)), 1))))

    def _room(self) -> float:
        if self.device.startswith("cuda"):
            free, _ = need_torch().cuda.mem_get_info(self.device)
            return float(free) / 2
        return settings().memory_budget * _SHARE


_SMALLER = "Close other programs, set LIGHTBOX_DEVICE=cpu, or train a smaller network"


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether an error of torch or Python means that memory ran out."""
    if isinstance(error, (MemoryError, need_torch().OutOfMemoryError)):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and any(
        t in text for t in ("out of memory", "not enough memory", "can't allocate memory")
    )


def normalised(pixels: NDArray[Any], normalisation: Normalisation, ndim: int) -> NDArray[np.float32]:
    """Return images (..., channel, *spatial) as the network wants them, from pixels with colour last where there are several.

    What is no number becomes the mean, and extreme values are cut 20 deviations away from it.

    Raises
    ------
    InputError
        Another number of channels than the model was trained with.
    """
    channels = len(normalisation.mean)
    colour = pixels.ndim > ndim
    there = pixels.shape[-1] if colour else 1
    if there != channels:
        wanted = "a gray image" if channels == 1 else f"{channels} channels"
        given = f"{there} channels" if there > 1 else "one channel"
        raise InputError("image", f"has {given}, the model was trained on {wanted}", "Give it an image of that kind")
    whole = pixels if colour else pixels[..., np.newaxis]
    image = np.moveaxis(whole, -1, -1 - ndim).astype(np.float64 if whole.dtype.itemsize > 4 else np.float32)
    shape = (channels, *(1,) * ndim)
    image = (image - np.reshape(normalisation.mean, shape)) / np.reshape(normalisation.deviation, shape)
    np.nan_to_num(image, copy=False, nan=0.0, posinf=_EXTREME, neginf=-_EXTREME)
    calm: NDArray[np.float32] = np.clip(image, -_EXTREME, _EXTREME).astype(np.float32)
    return calm


def _up(value: int, cell: int) -> int:
    return -(-value // cell) * cell
