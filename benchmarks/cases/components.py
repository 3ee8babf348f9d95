"""Connected components beside OpenCV, scipy and scikit-image."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.case import Case
from benchmarks.cases.morphology import blob_mask


def speckle_mask(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> tuple[Any, ...]:
    """Return independent pixels of which 30 % are foreground, close to the threshold where all join in 3D."""
    return ((rng.random(shape) < 0.3).astype(dtype),)


def opencv_label(mask: Any) -> Any:
    import cv2

    return cv2.connectedComponents(mask, connectivity=4)[1]


def scipy_label(mask: Any) -> Any:
    from scipy import ndimage

    return ndimage.label(mask)[0]


def skimage_label(mask: Any) -> Any:
    from skimage import measure

    return measure.label(mask, connectivity=1)


CASES: list[Case] = [
    Case("connected_components", raw=opencv_label, peer=skimage_label, make=blob_mask, raw_dims=(2,), dtypes=("uint8",)),
    Case("connected_components", raw=scipy_label, peer=skimage_label, make=speckle_mask, raw_dims=(3,), dtypes=("uint8",)),
]
