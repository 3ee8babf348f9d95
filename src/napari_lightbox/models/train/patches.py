"""Random patches: half of them around a pixel of a class drawn at random, so that rare classes are seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.models.train.samples import IGNORED, Sample

_REMEMBERED = 2000


class Patches:
    """Draws batches of patches from samples.

    Parameters
    ----------
    samples
        Where patches come from; samples smaller than a patch are filled up with their border, without labels.
    size
        Pixels of a patch per axis.
    rng
        Everything random comes from here.
    """

    def __init__(self, samples: Sequence[Sample], size: Sequence[int], rng: np.random.Generator) -> None:
        self.size = tuple(size)
        self._rng = rng
        self._samples = [_filled(s, self.size) for s in samples]
        share = np.array([s.classes.size for s in self._samples], float)
        self._share = share / share.sum()
        self._places: dict[int, list[tuple[int, NDArray[np.intp]]]] = {}
        for number, sample in enumerate(self._samples):
            for c in np.unique(sample.classes):
                if c != IGNORED:
                    self._places.setdefault(int(c), []).append((number, self._some(sample, int(c))))
        self._classes = sorted(self._places)

    def draw(self, count: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Return images (patch, channel, ...) and class numbers (patch, ...)."""
        images, classes = zip(*[self._one() for _ in range(count)], strict=True)
        return np.stack(images), np.stack(classes).astype(np.int64)

    def _one(self) -> tuple[NDArray[np.float32], NDArray[np.int16]]:
        rng = self._rng
        if rng.random() < 0.5:
            places = self._places[self._classes[rng.integers(len(self._classes))]]
            number, pixels = places[rng.integers(len(places))]
            shape = self._samples[number].classes.shape
            centre = np.array(np.unravel_index(pixels[rng.integers(len(pixels))], shape))
            start = centre - rng.integers(0, self.size)
        else:
            number = int(rng.choice(len(self._samples), p=self._share))
            shape = self._samples[number].classes.shape
            start = rng.integers(0, [n - own + 1 for n, own in zip(shape, self.size, strict=True)])
        start = np.clip(start, 0, np.array(shape) - self.size)
        box = tuple(slice(int(a), int(a) + n) for a, n in zip(start, self.size, strict=True))
        sample = self._samples[number]
        return sample.image[(slice(None), *box)], sample.classes[box]

    def _some(self, sample: Sample, number: int) -> NDArray[np.intp]:
        found = np.flatnonzero(sample.classes == number)
        return found if len(found) <= _REMEMBERED else self._rng.choice(found, _REMEMBERED, replace=False)


def _filled(sample: Sample, size: Sequence[int]) -> Sample:
    missing = [max(0, n - have) for n, have in zip(size, sample.classes.shape, strict=True)]
    if not any(missing):
        return sample
    pads = [(m // 2, m - m // 2) for m in missing]
    image = np.pad(sample.image, [(0, 0), *pads], mode="edge")
    return Sample(image, np.pad(sample.classes, pads, constant_values=IGNORED), sample.pair)
