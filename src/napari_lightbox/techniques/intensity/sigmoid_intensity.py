"""Sigmoid intensity mapping."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.contract import Pointwise, Unit, VisibleIf, floating, technique
from napari_lightbox.contract.roles import Image
from napari_lightbox.errors import ParameterError
from napari_lightbox.kernels.levels import all_levels, has_few_levels, look_up
from napari_lightbox.kernels.rounding import as_floating
from napari_lightbox.kernels.slabs import run_slabs

_STRETCH = 1 << 16
_PER_THREAD = 1 << 19


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
    few = has_few_levels(image.dtype)
    values = all_levels(image.dtype).astype(np.float64) if few else as_floating(image)
    relu = function == "relu"
    curve = np.maximum(values, 0) if relu else _sigmoid(values, alpha, beta, output_minimum, output_maximum)
    mapped = _truncated(curve, kind)
    return look_up(image, mapped) if few else mapped


def _sigmoid(values: NDArray[Any], alpha: float, beta: float, low: float, high: float) -> NDArray[Any]:
    flat = np.ascontiguousarray(values).reshape(-1)
    out = np.empty_like(flat)

    def work(start: int, stop: int) -> None:
        with np.errstate(over="ignore"):
            for a in range(start, stop, _STRETCH):
                part = out[a : min(a + _STRETCH, stop)]
                np.subtract(flat[a : a + len(part)], beta, out=part)
                np.divide(part, -alpha, out=part)
                np.exp(part, out=part)
                np.add(part, 1, out=part)
                np.divide(high - low, part, out=part)
                np.add(part, low, out=part)

    run_slabs(work, flat.size, least=_PER_THREAD)
    return out.reshape(values.shape)


def _truncated(values: NDArray[Any], dtype: Any) -> NDArray[Any]:
    if dtype.kind == "f":
        return values.astype(dtype, copy=False)
    if dtype.kind == "b":
        return np.asarray(values >= 1)
    limits = np.iinfo(dtype)
    top = np.nextafter(float(limits.max), 0) if dtype.itemsize == 8 else limits.max
    return np.asarray(np.clip(values, limits.min, top).astype(dtype))
