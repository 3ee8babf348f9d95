"""Rescale intensity between minimum and maximum."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.contract import Advanced, GlobalThenPointwise, Statistic, VisibleIf, floating, technique
from napari_lightbox.contract.roles import Image, Mask
from napari_lightbox.errors import ParameterError
from napari_lightbox.kernels.extrema import Extrema, extrema_pass
from napari_lightbox.kernels.levels import all_levels, has_few_levels, look_up
from napari_lightbox.kernels.rounding import to_dtype
from napari_lightbox.kernels.slabs import run_slabs

_PER_THREAD = 1 << 20
_SAFE = 1e30


def _dtype(dtype: Any, parameters: Mapping[str, Any]) -> Any:
    return floating(dtype) if parameters["output"] == "float" else dtype


@technique(
    "rescale_intensity",
    title="Rescale intensity (min-max)",
    locality=GlobalThenPointwise((extrema_pass,)),
    dtype=_dtype,
    synonyms=("min-max scaling", "normalise", "stretch"),
)
def rescale_intensity(
    image: Image,
    mask: Mask | None = None,
    *,
    statistic: Statistic,
    method: Literal["minmax", "maximum"] = "minmax",
    output_minimum: Annotated[float, VisibleIf("method", "minmax")] = 0.0,
    output_maximum: float = 1.0,
    output: Literal["float", "same"] = "float",
    scope: Annotated[Literal["element", "layer", "plane"], Advanced()] = "element",
) -> Image:
    """Map the smallest and largest intensity to a chosen range.

    A straight line that keeps all differences in proportion. Use it before steps that expect 0 to 1, or to use the whole range
    of a type. A single hot pixel takes most of the range: stretch between percentiles when there are outliers.

    Parameters
    ----------
    image
        Image (y, x) or (z, y, x), any real type.
    mask
        Pixels whose minimum and maximum count; the whole image is mapped, and what lies beyond them gets the ends of the range.
    method
        minmax maps minimum and maximum to the output range; maximum divides by the maximum, so that 0 stays 0.
    output_minimum
        Value of the smallest intensity.
    output_maximum
        Value of the largest intensity.
    output
        float (float32, or float64 for types of 32 bits and more), or same: the type of the image, rounded and clipped.
    scope
        What shares one minimum and maximum: each volume or frame of each channel (element), all of a channel (layer), or each
        plane (plane).

    Returns
    -------
    image
        Rescaled image; both ends of the range are hit exactly.

    Raises
    ------
    ParameterError
        The output minimum is above the output maximum.

    Notes
    -----
    NaN and infinities are not counted; NaN stays NaN and infinities get the ends of the range. A constant image becomes the
    output minimum, as does an image without any pixel to count. With "maximum" and no intensity above 0, all pixels become 0.

    References
    ----------
    SimpleITK ``RescaleIntensity``; scikit-learn ``MinMaxScaler``.
    """
    if output_minimum > output_maximum:
        raise ParameterError("output_minimum", f"{output_minimum} is above {output_maximum}", "Exchange the limits")
    seen: Extrema = statistic
    kind = np.dtype(_dtype(image.dtype, {"output": output}))
    low, bottom = (seen.low, output_minimum) if method == "minmax" else (0, 0.0)
    if not seen.high > low:
        return _constant(image, bottom, kind)
    # with "maximum", negative intensities go on along the line below 0
    least = min((seen.low - low) / (seen.high - low), 0.0)
    line = (low, seen.high, bottom, output_maximum, least)
    if has_few_levels(image.dtype) and kind.kind != "f":
        return look_up(image, to_dtype(_stretched(all_levels(image.dtype), line, np.float64), kind))
    return to_dtype(_stretched(image, line, kind), kind)


def _stretched(values: NDArray[Any], line: tuple[float, ...], dtype: Any) -> NDArray[Any]:
    from napari_lightbox.kernels.tone_curve_compiled import stretch

    flat = np.ascontiguousarray(values).reshape(-1)
    if flat.dtype == np.float16:
        flat = flat.astype(np.float32)
    if flat.dtype.kind == "b":
        flat = flat.view(np.uint8)
    # float32 has every level of 16 bits and is as precise as its own result, unless its range overflows
    narrow = flat.dtype.itemsize <= 2 or flat.dtype == np.float32
    narrow = narrow and np.dtype(dtype) == np.float32 and line[1] - line[0] < _SAFE and max(abs(line[2]), abs(line[3])) < _SAFE
    numbers = np.array(line, np.float32 if narrow else np.float64)
    out = np.empty(flat.size, dtype if np.dtype(dtype) in (np.float32, np.float64) else np.float64)
    run_slabs(lambda a, b: stretch(flat[a:b], numbers, out[a:b]), flat.size, least=_PER_THREAD)
    return out.reshape(values.shape)


def _constant(image: NDArray[Any], value: float, dtype: Any) -> NDArray[Any]:
    out = np.full(image.shape, to_dtype(np.array(value), dtype))
    if image.dtype.kind == "f":
        out[np.isnan(image)] = np.nan
    return out
