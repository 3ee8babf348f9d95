"""Peak signal-to-noise ratio."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_lightbox.contract import GlobalThenPointwise, Pass, Range, Statistic, Unit, technique
from napari_lightbox.contract.locality import Parameters
from napari_lightbox.contract.roles import Image, Mask, Value

_DIRECT = ("uint8", "uint16", "int16", "float32", "float64")
# below this many 16-bit differences a double holds the sum of squares exactly
_EXACT_PIXELS = 1 << 20


class Fidelity(NamedTuple):
    """Ratio in decibels, mean squared error, and the peak that was used."""

    psnr: Value
    mse: Value
    data_range: Value


class _Sums(NamedTuple):
    squares: int | float
    pixels: int
    peak: float


def _block(images: tuple[Any, ...], mask: Any, previous: Any, p: Parameters) -> _Sums:
    image, reference = images[:2]
    peak = 1.0 if reference.dtype.kind in "fb" else float(np.iinfo(reference.dtype).max) - float(np.iinfo(reference.dtype).min)
    pixels = image.size if mask is None else int(np.count_nonzero(mask))
    return _Sums(_squared_difference(image, reference, mask), pixels, peak)


def _combine(a: _Sums, b: _Sums) -> _Sums:
    return _Sums(a.squares + b.squares, a.pixels + b.pixels, a.peak)


def _finish(sums: _Sums, p: Parameters) -> Fidelity:
    peak = sums.peak if p["data_range"] is None else p["data_range"]
    if sums.pixels == 0:
        return Fidelity(math.nan, math.nan, peak)
    mse = sums.squares / sums.pixels
    with np.errstate(divide="ignore", invalid="ignore"):
        decibels = 20 * np.log10(np.float64(peak)) - 10 * np.log10(np.float64(mse))
    return Fidelity(float(decibels), mse, peak)


@technique(
    "psnr",
    title="Peak signal-to-noise ratio",
    locality=GlobalThenPointwise((Pass(_block, _combine, joint=True),), _finish),
    synonyms=("PSNR", "mean squared error", "MSE", "fidelity"),
)
def psnr(
    image: Image,
    reference: Image,
    mask: Mask | None = None,
    *,
    data_range: Annotated[float | None, Range(0, None), Unit("intensity")] = None,
    scope: Literal["layer", "element", "plane"] = "layer",
    statistic: Statistic = None,
) -> Fidelity:
    """Compare an image with the truth: 10 log10(peak^2 / mean squared error), in decibels.

    The usual figure for restored, denoised or compressed images when the original is known. 30 dB is a visible, 40 dB a
    hardly visible difference; equal images give infinity.

    Parameters
    ----------
    image
        Image to judge, any real type.
    reference
        The truth, on the same grid.
    mask
        Pixels that count; all when left out.
    data_range
        The peak. None takes the full range of the reference's integer type (255 for uint8), and 1 for floating point
        images; it is never taken from the data.
    scope
        One figure for the whole layer, for each time point and channel, or for each plane.

    Returns
    -------
    psnr
        Decibels; infinite for equal images, not a number without pixels.
    mse
        Mean squared error, in squared grey values.
    data_range
        The peak that was used.

    Notes
    -----
    Sums over 8-bit and 16-bit images are exact whatever the blocks; sums over other types depend on them within 1e-12.

    References
    ----------
    ``skimage.metrics.peak_signal_noise_ratio``.
    """
    if statistic is None:
        return _finish(_block((image, reference), mask, None, {}), {"data_range": data_range})
    return Fidelity(*statistic)


def _squared_difference(a: NDArray[Any], b: NDArray[Any], mask: NDArray[np.bool_] | None) -> int | float:
    """Return the sum of squared differences, as a whole number for types of 16 bits or fewer."""
    import cv2

    whole = max(a.dtype.itemsize, b.dtype.itemsize) <= 2 and "f" not in (a.dtype.kind, b.dtype.kind)
    common = a.dtype if a.dtype == b.dtype and a.dtype.name in _DIRECT else np.dtype(np.float64)
    total: int | float = 0
    width = a.shape[-1] if a.ndim else 1
    rows = [x.reshape(-1, width) for x in (a, b)] + ([] if mask is None else [mask.reshape(-1, width)])
    for start in range(0, len(rows[0]), max(1, _EXACT_PIXELS // max(width, 1))):
        part = [np.ascontiguousarray(r[start : start + max(1, _EXACT_PIXELS // max(width, 1))]) for r in rows]
        counted = part[2].view(np.uint8) if mask is not None else None
        squares = cv2.norm(part[0].astype(common, copy=False), part[1].astype(common, copy=False), cv2.NORM_L2SQR, counted)
        total += round(squares) if whole else squares
    return total
