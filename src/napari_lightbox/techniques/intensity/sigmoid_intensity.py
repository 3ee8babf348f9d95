"""Sigmoid intensity mapping."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.contract import Pointwise, Unit, VisibleIf, floating, technique
from napari_lightbox.contract.roles import Image
from napari_lightbox.errors import ParameterError
from napari_lightbox.kernels.levels import all_levels, has_few_levels, look_up
from napari_lightbox.kernels.rounding import as_floating
from napari_lightbox.kernels.slabs import run_slabs

# alpha, beta, and both ends of the output
Line: TypeAlias = tuple[float, float, float, float]
_STRETCH = 1 << 16
_PER_THREAD = 1 << 19
_SAFE = 1e30


def _dtype(dtype: Any, parameters: Mapping[str, Any]) -> Any:
    return floating(dtype) if parameters["output"] == "float" else dtype


@technique(
    "sigmoid_intensity",
    title="Sigmoid intensity mapping",
    locality=Pointwise(),
    dtype=_dtype,
    synonyms=("logistic", "soft threshold", "ReLU", "contrast curve"),
)
def sigmoid_intensity(
    image: Image,
    *,
    function: Literal["sigmoid", "logistic", "relu"] = "sigmoid",
    alpha: Annotated[float, Unit("intensity"), VisibleIf("function", "sigmoid")] = 1.2,
    beta: Annotated[float, Unit("intensity"), VisibleIf("function", "sigmoid")] = 128.0,
    output_minimum: Annotated[float, VisibleIf("function", "sigmoid")] = 0.0,
    output_maximum: Annotated[float, VisibleIf("function", "sigmoid")] = 1.0,
    output: Literal["float", "same"] = "float",
) -> Image:
    """Map intensities through an S-shaped curve.

    out = (maximum - minimum) / (1 + exp(-(v - beta) / alpha)) + minimum. Spreads the contrast around beta and flattens both
    ends: a soft threshold. Made, among others, for the speed image of level sets and fast marching.

    Parameters
    ----------
    image
        Image of any dimension, any real type.
    function
        sigmoid with the parameters below; logistic is the plain 1 / (1 + exp(-v)); relu is max(0, v).
    alpha
        Width of the transition in the image's units: a larger alpha is softer, a negative one inverts.
    beta
        Intensity that maps to the middle of the output range.
    output_minimum, output_maximum
        Ends of the output range.
    output
        float keeps the curve (float32, or float64 for types of 32 bits and more). same goes back to the type of the image and
        cuts off the fraction as ITK does: with a range of 0 to 1 that is a hard threshold far above beta.

    Returns
    -------
    image
        Mapped image.

    Raises
    ------
    ParameterError
        Alpha is 0.

    Notes
    -----
    NaN stays NaN. 8-bit and 16-bit images are mapped through a table computed in float64.

    References
    ----------
    SimpleITK ``Sigmoid``, ``itk::SigmoidImageFilter``.
    """
    if function == "sigmoid" and alpha == 0:
        raise ParameterError("alpha", "is 0, which has no curve", "Give a width such as 1.2")
    if function == "logistic":
        alpha, beta, output_minimum, output_maximum = 1.0, 0.0, 0.0, 1.0
    kind = np.dtype(_dtype(image.dtype, {"output": output}))
    line = None if function == "relu" else (alpha, beta, output_minimum, output_maximum)
    if has_few_levels(image.dtype):
        return look_up(image, _table(image.dtype, kind, line))
    return _truncated(_curve(as_floating(image), line), kind)


# a table takes longer than a plane of a film, and all planes share it
@lru_cache(maxsize=8)
def _table(levels: Any, kind: Any, line: Line | None) -> NDArray[Any]:
    return _truncated(_curve(all_levels(levels).astype(np.float64), line), kind)


def _curve(values: NDArray[Any], line: Line | None) -> NDArray[Any]:
    """Return the sigmoid of float32 or float64, or what is above 0 when there are no numbers for it."""
    if line is None:
        return np.asarray(np.maximum(values, 0))
    flat = np.ascontiguousarray(values).reshape(-1)
    out = np.empty_like(flat)
    narrow = flat.dtype == np.float32 and all(abs(v) < _SAFE for v in line) and abs(line[0]) > 1 / _SAFE
    fill = _narrow_sigmoid if narrow else _sigmoid
    run_slabs(lambda a, b: fill(flat[a:b], line, out[a:b]), flat.size, least=_PER_THREAD)
    return out.reshape(values.shape)


def _narrow_sigmoid(flat: NDArray[Any], line: Line, out: NDArray[Any]) -> None:
    from napari_lightbox.kernels.tone_curve_compiled import logistic

    alpha, beta, low, high = line
    logistic(flat, np.float32(alpha), np.float32(beta), np.float32(low), np.float32(high - low), out)


def _sigmoid(flat: NDArray[Any], line: Line, out: NDArray[Any]) -> None:
    alpha, beta, low, high = line
    with np.errstate(over="ignore"):
        for a in range(0, len(flat), _STRETCH):
            part = out[a : a + _STRETCH]
            np.subtract(flat[a : a + _STRETCH], beta, out=part)
            np.divide(part, -alpha, out=part)
            np.exp(part, out=part)
            np.add(part, 1, out=part)
            np.divide(high - low, part, out=part)
            np.add(part, low, out=part)


def _truncated(values: NDArray[Any], dtype: Any) -> NDArray[Any]:
    if dtype.kind == "f":
        return values.astype(dtype, copy=False)
    if dtype.kind == "b":
        return np.asarray(values >= 1)
    limits = np.iinfo(dtype)
    top = np.nextafter(float(limits.max), 0) if dtype.itemsize == 8 else limits.max
    return np.asarray(np.clip(values, limits.min, top).astype(dtype))
