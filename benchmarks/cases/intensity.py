"""Intensity techniques beside OpenCV, NumPy and scikit-image."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from skimage import exposure, filters, util

from benchmarks.case import Case, noise_image


def _minmax(image: Any) -> Any:
    low, high = image.min(), image.max()
    return (image - np.float32(low)) / (np.float32(high) - np.float32(low))


def _sigmoid(image: Any) -> Any:
    return 1 / (1 + np.exp((image - np.float32(128)) / np.float32(-20)))


def _unsharp(image: Any) -> Any:
    blurred = cv2.GaussianBlur(image, (9, 9), 1.0, borderType=cv2.BORDER_REFLECT)
    return cv2.addWeighted(image, 2.0, blurred, -1.0, 0.0)


def _pair(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> tuple[Any, ...]:
    (image,), (template,) = noise_image(rng, shape, dtype), noise_image(rng, shape, dtype)
    return image, template[::-1] // 2 if np.dtype(dtype).kind in "iu" else template[::-1] / 2


CASES: list[Case] = [
    Case("rescale_intensity", raw=_minmax, peer=lambda image: exposure.rescale_intensity(image, out_range=(0.0, 1.0))),
    Case("histogram_equalization", peer=exposure.equalize_hist),
    Case(
        "clahe",
        {"backend": "opencv", "clip_limit": 2 / 256},
        raw=lambda image: cv2.createCLAHE(2, (8, 8)).apply(image),
        peer=exposure.equalize_adapthist,
        dims=(2,),
        dtypes=("uint8",),
        raw_dims=(2,),
        raw_dtypes=("uint8",),
    ),
    Case("clahe", peer=exposure.equalize_adapthist),
    Case("histogram_matching", peer=exposure.match_histograms, make=_pair),
    Case("invert_intensity", raw=cv2.bitwise_not, peer=util.invert, raw_dtypes=("uint8", "uint16")),
    Case("sigmoid_intensity", {"alpha": 20.0}, raw=_sigmoid),
    # scikit-image puts the curve on the whole range of the type and cuts off the fraction
    *(
        Case(
            "sigmoid_intensity",
            {"alpha": full / 10, "beta": full / 2, "output_maximum": full, "output": "same"},
            peer=exposure.adjust_sigmoid,
            dtypes=(dtype,),
        )
        for dtype, full in (("uint8", 255.0), ("uint16", 65535.0), ("float32", 1.0))
    ),
    # OpenCV rounds the blur of integers before it is amplified: only floats give the same
    Case(
        "unsharp_mask", raw=_unsharp, peer=lambda image: filters.unsharp_mask(image, 1, 1), raw_dims=(2,), raw_dtypes=("float32",)
    ),
    Case(
        "gray_level_slicing",
        raw=lambda image: (np.where((image >= 90) & (image <= 255), 255, 0).astype(image.dtype), (image >= 90) & (image <= 255)),
    ),
]
