"""Thresholds beside OpenCV, NumPy and scikit-image."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from skimage import filters

from benchmarks.case import Case


def _otsu(image: Any) -> Any:
    rows = image.reshape(image.shape[0], -1)
    # labels are int32
    return cv2.threshold(rows, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1].reshape(image.shape).astype(np.int32)


def _bands(image: Any) -> Any:
    labels = np.zeros(image.shape, np.int32)
    for label, (low, high) in enumerate(((-np.inf, -900.5), (-900, -500), (-150, -30), (-29.5, 100), (300.5, np.inf)), start=1):
        labels[(image >= low) & (image <= high)] = label
    return labels


CASES: list[Case] = [
    Case("threshold_otsu", raw=_otsu, peer=lambda image: image > filters.threshold_otsu(image), raw_dtypes=("uint8", "uint16")),
    Case("threshold_li", peer=lambda image: image > filters.threshold_li(image)),
    Case("threshold_manual", {"threshold": 100.0}, raw=lambda image: (image > 100).astype(np.int32)),
    Case("threshold_band", {"lower": 50.0, "upper": 150.0}, raw=lambda image: ((image >= 50) & (image <= 150)).astype(np.int32)),
    Case("threshold_hounsfield", raw=_bands),
    Case(
        "threshold_local",
        {"method": "mean", "block_size": 25},
        peer=lambda image: image > filters.threshold_local(image, 25, "mean"),
    ),
    Case(
        "threshold_local",
        {"method": "mean", "block_size": 25, "backend": "opencv", "offset": 4.0},
        raw=lambda image: cv2.adaptiveThreshold(image, 1, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, 25, 4),
        dims=(2,),
        dtypes=("uint8",),
        raw_dims=(2,),
        raw_dtypes=("uint8",),
    ),
    Case(
        "threshold_local",
        {"method": "gaussian", "block_size": 25},
        peer=lambda image: image > filters.threshold_local(image, 25, "gaussian"),
    ),
    Case("threshold_sauvola", peer=lambda image: image > filters.threshold_sauvola(image, 25)),
]
