"""Map intensities through a curve that is given at evenly spaced values."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.kernels.levels import all_levels, has_few_levels, look_up
from napari_lightbox.kernels.rounding import to_dtype
from napari_lightbox.kernels.slabs import run_slabs

_PER_THREAD = 1 << 19


def apply_curve(image: NDArray[Any], values: NDArray[Any], heights: NDArray[np.float64], dtype: Any) -> NDArray[Any]:
    """Return the curve's height at each pixel as `dtype`, integers rounded; NaN stays NaN.

    The curve runs straight between its points and is level beyond its ends, as in numpy.interp.

    Parameters
    ----------
    values
        Evenly spaced, ascending; at least one.
    heights
        The curve at these values.
    """
    if has_few_levels(image.dtype):
        return look_up(image, to_dtype(np.interp(all_levels(image.dtype), values, heights), dtype))
    from napari_lightbox.kernels.tone_curve_compiled import interpolate

    flat = np.ascontiguousarray(image).reshape(-1)
    if flat.dtype == np.float16:
        flat = flat.astype(np.float32)
    kind = np.dtype(dtype)
    out = np.empty(flat.size, kind if kind in (np.float32, np.float64) else np.float64)
    first, step = float(values[0]), (float(values[-1]) - float(values[0])) / max(len(values) - 1, 1) or 1.0
    curve = np.append(heights, heights[-1]) if len(heights) == 1 else np.asarray(heights, np.float64)
    run_slabs(lambda a, b: interpolate(flat[a:b], first, step, curve, out[a:b]), flat.size, least=_PER_THREAD)
    return to_dtype(out, kind).reshape(image.shape)


def apply_knots(image: NDArray[Any], values: NDArray[np.float64], heights: NDArray[np.float64], dtype: Any) -> NDArray[Any]:
    """Do as `apply_curve` for a few points that need not be evenly spaced."""
    if has_few_levels(image.dtype):
        return look_up(image, to_dtype(np.interp(all_levels(image.dtype), values, heights), dtype))
    return to_dtype(np.interp(image, values, heights), dtype)
