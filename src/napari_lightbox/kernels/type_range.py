"""Defaults that follow the type of the image, as scikit-image's do on its 0..1 scale."""

from __future__ import annotations

from typing import Any

import numpy as np


def full_scale(dtype: Any) -> float:
    """Return the largest value of an integer type, 1 for true/false and floating images."""
    kind = np.dtype(dtype)
    return float(np.iinfo(kind).max) if kind.kind in "iu" else 1.0


def or_share(value: float | None, share: float, dtype: Any) -> float:
    """Return `value`, or when it is None a share of the type's full scale."""
    return share * full_scale(dtype) if value is None else value
