"""Data type rules: what an output is made of, known before anything is computed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from napari_lightbox.errors import InputError


def floating(dtype: Any) -> np.dtype[Any]:
    """Return float64 for 64-bit and 32-bit integers and float64, else float32.

    float32 holds every 16-bit integer exactly; 32-bit integers need float64.
    """
    kind = np.dtype(dtype)
    wide = kind.itemsize >= 4 and kind != np.float32
    return np.dtype(np.float64) if wide else np.dtype(np.float32)


def output_dtype(rule: Any, dtype: Any, parameters: Mapping[str, Any]) -> np.dtype[Any]:
    """Return the output type that `rule` gives for an input of `dtype`.

    A rule is ``"same"``, ``"float"`` (see `floating`), a NumPy type name, or a callable(dtype, parameters).
    """
    kind: np.dtype[Any] = np.dtype(dtype)
    if callable(rule):
        chosen: np.dtype[Any] = np.dtype(rule(kind, parameters))
        return chosen
    if rule == "same":
        return kind
    if rule == "float":
        return floating(kind)
    named: np.dtype[Any] = np.dtype(rule)
    return named


def label_dtype(dtype: Any) -> np.dtype[Any]:
    """Return the Labels type for an input of `dtype`: int32, but uint32, int64 and uint64 are kept."""
    kind = np.dtype(dtype)
    wide = kind.kind in "iu" and (kind.itemsize == 8 or kind == np.uint32)
    return kind if wide else np.dtype(np.int32)


def check_dtype(name: str, dtype: Any, *, labels: bool = False) -> np.dtype[Any]:
    """Return the native form of `dtype` when a technique can work on it.

    Raises
    ------
    InputError
        Complex, object, text or date types, and floats where labels are expected.
    """
    kind = np.dtype(dtype)
    if kind.kind not in ("biu" if labels else "biuf"):
        wanted = "integers" if labels else "real numbers"
        raise InputError(
            name, f"has dtype {kind}, which does not hold {wanted}", _WAY_OUT.get(kind.kind, "Convert it with astype")
        )
    native: np.dtype[Any] = kind.newbyteorder("=")
    return native


_WAY_OUT = {
    "c": "Take the magnitude or the real part first",
    "O": "Convert it to a numeric dtype first",
    "f": "Round it and convert it to int32 first",
}
