"""Video beside NumPy and OpenCV."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from benchmarks.case import Case


def _subtracted(video: Any) -> Any:
    subtractor = cv2.createBackgroundSubtractorMOG2(500, 32, False)
    labels, backgrounds = [], []
    for frame in video:
        labels.append(subtractor.apply(frame))
        backgrounds.append(subtractor.getBackgroundImage())
    return np.stack(labels), np.stack(backgrounds)


CASES: list[Case] = [
    Case("long_exposure", {}, peer=lambda a: a.mean(axis=0), dims=(3,), options={"axes": "tyx"}),
    Case("long_exposure", {"reduce": "median"}, peer=lambda a: np.median(a, axis=0), dims=(3,), options={"axes": "tyx"}),
    Case("background_subtraction_mog2", {}, raw=_subtracted, dims=(3,), dtypes=("uint8", "float32"), options={"axes": "tyx"}),
]
