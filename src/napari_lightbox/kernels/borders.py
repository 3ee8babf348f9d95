"""How an array goes on beyond its border."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.kernels.separable import border_code

Continuation = Literal["reflect", "mirror", "nearest"]

_NUMPY_MODE: dict[str, Any] = {"reflect": "symmetric", "mirror": "reflect", "nearest": "edge"}
_OPENCV_TYPES = ("uint8", "int8", "uint16", "int16", "int32", "float32", "float64")


def border_index(length: int, before: int, after: int, mode: Continuation) -> NDArray[np.int64]:
    """Return for each position from ``-before`` to ``length + after - 1`` the sample that stands there."""
    return np.pad(np.arange(length, dtype=np.int64), (before, after), mode=_NUMPY_MODE[mode])


def extended(block: NDArray[Any], half: Sequence[int], mode: Continuation) -> NDArray[Any]:
    """Return the block with `half` further samples on both sides of each axis, as a contiguous copy."""
    if block.ndim == 2 and block.dtype.name in _OPENCV_TYPES and min(block.shape) > 1:
        import cv2

        return np.asarray(cv2.copyMakeBorder(np.ascontiguousarray(block), half[0], half[0], half[1], half[1], border_code(mode)))
    return np.ascontiguousarray(np.pad(block, [(h, h) for h in half], mode=_NUMPY_MODE[mode]))
