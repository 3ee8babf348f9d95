"""How good a network is on held-out samples: Dice per class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.models.predict import Predictor
from napari_lightbox.models.train.samples import IGNORED, Sample


def dice_of(predictor: Predictor, samples: Sequence[Sample], classes: int) -> NDArray[np.float64]:
    """Return 2 |A and B| / (|A| + |B|) per class over all samples together; NaN for classes that occur nowhere."""
    table = np.zeros((classes, classes), np.int64)
    for sample in samples:
        guess = predictor(sample.image[np.newaxis])[0].argmax(axis=0)
        known = sample.classes != IGNORED
        pairs = sample.classes[known].astype(np.int64) * classes + guess[known]
        table += np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)
    size = table.sum(axis=0) + table.sum(axis=1)
    return np.where(size > 0, 2 * np.diag(table) / np.maximum(size, 1), np.nan)


def mean_dice(dice: NDArray[np.float64], background: int | None) -> float:
    """Return the mean over all classes but the background."""
    counted = np.delete(dice, background) if background is not None else dice
    return float(np.nanmean(counted)) if np.isfinite(counted).any() else 0.0
