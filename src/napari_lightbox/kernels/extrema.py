"""Smallest and largest finite value, mergeable over blocks."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.contract import Pass


@dataclass(frozen=True)
class Extrema:
    """Smallest and largest finite value; `low` is above `high` when there was none."""

    low: float = inf
    high: float = -inf

    @property
    def empty(self) -> bool:
        """Whether no finite pixel was seen."""
        return self.low > self.high

    def merged(self, other: Extrema) -> Extrema:
        """Return the extrema of both parts."""
        return Extrema(min(self.low, other.low), max(self.high, other.high))


def find_extrema(values: NDArray[Any]) -> Extrema:
    """Return the extrema of an array; NaN and infinities are ignored, integers stay exact."""
    if values.size == 0:
        return Extrema()
    low, high = values.min().item(), values.max().item()
    if not (abs(low) < inf and abs(high) < inf):
        finite = values[np.isfinite(values)]
        return find_extrema(finite) if finite.size < values.size else Extrema(low, high)
    return Extrema(low, high)


def _block(image: Any, mask: Any, *_: Any) -> Extrema:
    return find_extrema(image if mask is None else image[mask])


def _merge(a: Extrema, b: Extrema) -> Extrema:
    return a.merged(b)


extrema_pass = Pass(_block, _merge)
