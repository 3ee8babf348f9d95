"""Images and labels as training samples: planes or volumes of class numbers, some of them held out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.axes import Volume
from napari_lightbox.errors import InputError, MemoryForecastError
from napari_lightbox.models.card import ModelClass, Normalisation
from napari_lightbox.models.predict import normalised
from napari_lightbox.models.train.settings import TrainSettings
from napari_lightbox.settings import settings

IGNORED = -1
_MERGED = -1
_MOST_CLASSES = 64
_ENOUGH, _BLOCKS = 5, 8
_VALIDATED = {2: 4_000_000, 3: 16_000_000}

Pair = tuple[Volume, Volume]


@dataclass(frozen=True)
class Sample:
    """A plane or a volume: image (channel, ...) and class numbers, `IGNORED` where nothing is known."""

    image: NDArray[np.float32]
    classes: NDArray[np.int16]
    pair: int


@dataclass(frozen=True)
class Dataset:
    """Everything a training needs to know about its data.

    `held_out` says in words what the validation is made of.
    """

    training: list[Sample]
    validation: list[Sample]
    classes: tuple[ModelClass, ...]
    background: int | None
    normalisation: Normalisation
    spacing: tuple[float, ...]
    units: tuple[str, ...]
    held_out: str

    @property
    def channels(self) -> int:
        """Channels of the images."""
        return len(self.normalisation.mean)


def make_dataset(pairs: Sequence[Pair], options: TrainSettings) -> Dataset:
    """Cut pairs of image and labels into samples, hold some out, and measure the grey values.

    Raises
    ------
    InputError
        No pair, labels that do not fit their image, empty labels, or one class only.
    MemoryForecastError
        More pixels than the memory budget holds.
    """
    if not pairs:
        raise InputError("training data", "is empty", "Give at least one image with its labels")
    raw = [pixels for number, pair in enumerate(pairs) for pixels in _cut(pair, number, options.axes)]
    _check_memory(raw)
    if len({image.shape[0] for image, _, _ in raw}) > 1:
        raise InputError("training data", "has images with different numbers of channels", "Train on one kind of image")
    ids = _ids(raw, options)
    normalisation = _measure([image for image, _, _ in raw])
    samples = []
    for image, labels, pair in raw:
        numbers = _numbered(labels, ids, options)
        if (numbers != IGNORED).any():
            pixels = normalised(np.moveaxis(image, 0, -1), normalisation, options.ndim)
            samples.append(Sample(pixels, numbers, pair))
    training, validation, held_out = _split(samples, options)
    geometry = pairs[0][0].geometry.select(options.axes)
    names = pairs[0][1].metadata.get("names", {})
    return Dataset(
        training,
        _limited(validation, options.ndim),
        tuple(ModelClass(_written(i, options), _name(i, names, options)) for i in ids),
        ids.index(options.background_id) if options.background_id in ids else None,
        normalisation,
        geometry.spacing,
        geometry.units,
        held_out,
    )


def _cut(pair: Pair, number: int, axes: str) -> list[tuple[NDArray[Any], NDArray[Any], int]]:
    """Return images (channel, ...) and labels over `axes`, one per plane, frame or volume."""
    image, labels = pair
    name = labels.name or f"labels {number + 1}"
    missing = [a for a in axes if a not in image.axes]
    if missing:
        raise InputError(
            image.name or "image", f"has axes {image.axes!r}, training needs {axes!r}", "Train in 2D, or give volumes"
        )
    flat = image.axes.replace("c", "")
    lengths = tuple(image.geometry.length(a) for a in flat)
    if sorted(labels.axes) != sorted(flat) or tuple(labels.geometry.length(a) for a in flat) != lengths:
        raise InputError(
            name,
            f"has axes {labels.axes!r} and shape {labels.shape}, its image {image.axes!r} and {image.shape}",
            "Choose labels painted on that image",
        )
    if np.dtype(labels.dtype).kind not in "biu":
        raise InputError(name, f"has dtype {labels.dtype}, labels are whole numbers", "Choose a Labels layer")
    mapped = "".join(a for a in flat if a not in axes)
    pixels = _arranged(image, ("c" if "c" in image.axes else "") + mapped + axes)
    pixels = pixels if "c" in image.axes else pixels[np.newaxis]
    ids = _arranged(labels, mapped + axes)
    return [(pixels[(slice(None), *i)], ids[i], number) for i in np.ndindex(*ids.shape[: len(mapped)])]


def _arranged(volume: Volume, order: str) -> NDArray[Any]:
    return np.asarray(volume.data).transpose([volume.axes.index(a) for a in order])


def _check_memory(raw: Sequence[tuple[NDArray[Any], NDArray[Any], int]]) -> None:
    need = sum(4 * image.size + 2 * labels.size for image, labels, _ in raw)
    budget = settings().memory_budget
    if need > budget:
        raise MemoryForecastError(
            "training data",
            f"needs {need / 1e9:.1f} GB, the memory budget is {budget / 1e9:.1f} GB",
            "Train on a part of it, or raise the budget",
        )


def _ids(raw: Sequence[tuple[NDArray[Any], NDArray[Any], int]], options: TrainSettings) -> list[int]:
    """Return the label ids that are classes, background first; one id stands for all others when they are merged."""
    found = {int(i) for _, labels, _ in raw for i in np.unique(labels)}
    background = options.background_id
    if min(found) < 0:
        raise InputError("labels", f"hold {min(found)}, ids are not negative", "Renumber them")
    found -= {options.ignore} if options.ignore is not None else set()
    objects = sorted(found - {background})
    if options.merge:
        objects = objects[:1] and [_MERGED]
    ids = ([background] if background is not None and background in found else []) + objects
    if len(ids) < 2:
        what = f"hold {'nothing but one class' if ids else 'nothing painted'}"
        raise InputError("labels", what, "Paint at least two classes; background counts as one")
    if len(ids) > _MOST_CLASSES:
        raise InputError(
            "labels", f"hold {len(ids)} different ids", "They look like numbered objects: take all of them as one class (merge)"
        )
    return [int(i) for i in ids]


def _numbered(labels: NDArray[Any], ids: Sequence[int], options: TrainSettings) -> NDArray[np.int16]:
    """Return class numbers, `IGNORED` where the label says nothing."""
    numbers = np.full(labels.shape, ids.index(_MERGED) if _MERGED in ids else IGNORED, np.int16)
    for number, label in enumerate(ids):
        if label != _MERGED:
            numbers[labels == label] = number
    if options.ignore is not None:
        numbers[labels == options.ignore] = IGNORED
    return numbers


def _written(label: int, options: TrainSettings) -> int:
    return 0 if label == options.background_id else 1 if label == _MERGED else label


def _name(label: int, names: Mapping[Any, Any], options: TrainSettings) -> str:
    if label == options.background_id:
        return "background"
    return "object" if options.merge else str(names.get(label, names.get(str(label), f"label {label}")))


def _measure(images: Sequence[NDArray[Any]]) -> Normalisation:
    """Return mean and deviation per channel over all images, numbers only."""
    count, total, squares = np.zeros((3, images[0].shape[0]))
    for image in images:
        flat = image.reshape(image.shape[0], -1).astype(np.float64)
        finite = np.isfinite(flat)
        flat = np.where(finite, flat, 0)
        count += finite.sum(axis=1)
        total += flat.sum(axis=1)
        squares += (flat**2).sum(axis=1)
    count = np.maximum(count, 1)
    mean = total / count
    deviation = np.sqrt(np.maximum(squares / count - mean**2, 0))
    deviation[deviation <= 1e-6 * np.maximum(np.abs(mean), 1e-6)] = 1.0
    return Normalisation(tuple(map(float, mean)), tuple(map(float, deviation)))


def _split(samples: Sequence[Sample], options: TrainSettings) -> tuple[list[Sample], list[Sample], str]:
    """Hold out whole pairs where there are enough, else planes or volumes, else blocks of the picture."""
    rng = np.random.default_rng(options.seed)
    pairs = sorted({s.pair for s in samples})
    if len(pairs) >= _ENOUGH:
        chosen = {pairs[i] for i in _spread(len(pairs), options.validation, rng)}
        return [s for s in samples if s.pair not in chosen], [s for s in samples if s.pair in chosen], "images"
    if len(samples) >= _ENOUGH:
        kept = set(_spread(len(samples), options.validation, rng))
        training = [s for i, s in enumerate(samples) if i not in kept]
        return training, [s for i, s in enumerate(samples) if i in kept], "planes" if options.ndim == 2 else "volumes"
    return _split_blocks(samples, options.validation, rng)


def _spread(count: int, share: float, rng: np.random.Generator) -> list[int]:
    """Return numbers spread evenly over a range, with a random start."""
    wanted = min(max(round(count * share), 1), count - 1)
    step = count / wanted
    offset = rng.uniform(0, step)
    return sorted({int(offset + step * i) % count for i in range(wanted)})


def _split_blocks(samples: Sequence[Sample], share: float, rng: np.random.Generator) -> tuple[list[Sample], list[Sample], str]:
    training, validation = [], []
    for sample in samples:
        shape = sample.classes.shape
        sizes = [max(-(-n // _BLOCKS), min(n, 8)) for n in shape]
        counts = [-(-n // size) for n, size in zip(shape, sizes, strict=True)]
        grid = np.ix_(*[np.arange(n) // size for n, size in zip(shape, sizes, strict=True)])
        block: NDArray[np.intp] = np.zeros(shape, np.intp)
        for index, count in zip(grid, counts, strict=True):
            block = block * count + index
        labelled = np.unique(block[sample.classes != IGNORED])
        if len(labelled) < 2 or prod(counts) < 2:
            training.append(sample)
            continue
        chosen = rng.choice(labelled, max(1, round(share * len(labelled))), replace=False)
        out = np.isin(block, chosen)
        training.append(replace(sample, classes=np.where(out, np.int16(IGNORED), sample.classes)))
        validation.append(replace(sample, classes=np.where(out, sample.classes, np.int16(IGNORED))))
    seen = {int(c) for s in training for c in np.unique(s.classes)} - {IGNORED}
    needed = {int(c) for s in samples for c in np.unique(s.classes)} - {IGNORED}
    if not validation or seen != needed:
        return list(samples), list(samples), "nothing: too little is painted, so the labels themselves are the measure"
    return training, validation, "blocks of the picture"


def _limited(samples: list[Sample], ndim: int) -> list[Sample]:
    """Return evenly spread samples that a validation goes through in reasonable time."""
    total = sum(s.classes.size for s in samples)
    keep = max(1, int(len(samples) * min(1.0, _VALIDATED[ndim] / total)))
    return [samples[i] for i in np.linspace(0, len(samples) - 1, keep).astype(int)]
