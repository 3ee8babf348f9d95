"""What one benchmark case is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np


def noise_image(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> tuple[Any, ...]:
    """Return one smooth-plus-noise image that fills a good part of the type's range."""
    grids = np.meshgrid(*[np.linspace(0, 6, n) for n in shape], indexing="ij")
    smooth = 0.5 + 0.25 * sum(np.sin(g) for g in grids) / len(grids) + rng.normal(0, 0.05, shape)
    unit = np.clip(smooth, 0, 1)
    if np.dtype(dtype).kind == "f":
        return (unit.astype(dtype),)
    return ((unit * np.iinfo(dtype).max).astype(dtype),)


@dataclass(frozen=True)
class Case:
    """One technique beside the best raw library call and the scikit-image or scipy routine.

    Parameters
    ----------
    technique, parameters
        What `lb.apply` runs.
    raw
        Best single library call that gives the same result; takes the inputs, returns the result.
    peer
        The scikit-image or scipy routine for the same task.
    make
        ``make(rng, shape, dtype)`` returns the inputs.
    dims, dtypes
        Where the case is run; `raw_dtypes` and `raw_dims` narrow where the raw call exists.
    """

    technique: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    raw: Callable[..., Any] | None = None
    peer: Callable[..., Any] | None = None
    make: Callable[[np.random.Generator, tuple[int, ...], str], tuple[Any, ...]] = noise_image
    dims: tuple[int, ...] = (2, 3)
    dtypes: tuple[str, ...] = ("uint8", "uint16", "float32")
    raw_dims: tuple[int, ...] = (2, 3)
    raw_dtypes: tuple[str, ...] = ("uint8", "uint16", "float32")
    options: Mapping[str, Any] = field(default_factory=dict)
