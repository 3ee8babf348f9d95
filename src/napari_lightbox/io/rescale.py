"""Stored samples to real values: ``value = stored * slope + intercept``, exact where integers allow it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Rescale:
    """A slope and an intercept with the dtype that holds every result."""

    slope: float
    intercept: float
    dtype: np.dtype[Any]

    @classmethod
    def over(cls, slope: float, intercept: float, low: float, high: float, stored: Any) -> Rescale:
        """Choose the dtype for stored samples between `low` and `high`.

        Integers stay integers when slope and intercept are whole: int16 when that holds every value, else the next
        that does. Otherwise float32, or float64 for samples of 32 bits and more.
        """
        kind = np.dtype(stored).newbyteorder("=")
        if slope == 1 and intercept == 0:
            return cls(1.0, 0.0, kind)
        if kind.kind in "iu" and float(slope).is_integer() and float(intercept).is_integer():
            ends = sorted((low * slope + intercept, high * slope + intercept))
            for name in ("int16", "uint16", "int32", "int64"):
                info = np.iinfo(name)
                if info.min <= ends[0] and ends[1] <= info.max:
                    return cls(slope, intercept, np.dtype(name))
        if kind.kind == "c":
            return cls(slope, intercept, kind)
        wide = kind.itemsize >= 4 and kind != np.float32
        return cls(slope, intercept, np.dtype(np.float64 if wide else np.float32))

    @property
    def trivial(self) -> bool:
        """Whether values are the stored samples."""
        return self.slope == 1 and self.intercept == 0

    def __call__(self, stored: NDArray[Any]) -> NDArray[Any]:
        """Return the values of stored samples."""
        if self.trivial:
            return np.asarray(stored, self.dtype)
        if self.dtype.kind in "iu":
            return (stored.astype(np.int64) * int(self.slope) + int(self.intercept)).astype(self.dtype)
        wide = stored.astype(np.complex128 if self.dtype.kind == "c" else np.float64)
        return (wide * self.slope + self.intercept).astype(self.dtype)
